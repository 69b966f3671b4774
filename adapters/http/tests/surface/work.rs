//! What satellites run: systems, checks, assignments, the sandbox policy.

use groundcontrol_core::assignment::{Json, Target};
use groundcontrol_core::desired::Manager;
use groundcontrol_core::ports::{FleetError, MockWorkService};
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::*;

async fn write(work: MockWorkService, method: Method, path: &str, body: &str) -> Answer {
    let asking = request(method, path)
        .header(AUTHORIZATION, "Bearer satellite.manage")
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_owned().into())
        .unwrap();
    ask_both(fleet(), work, asking).await
}

fn pointers(answer: &Answer) -> Vec<String> {
    let problem: Value = answer.json();
    let errors = problem["errors"].as_array().expect("errors").iter();
    errors.map(|error| error["pointer"].as_str().expect("a pointer").to_owned()).collect()
}

#[tokio::test]
async fn a_check_is_made_with_its_opaque_parts_to_the_letter() {
    let mut work = MockWorkService::new();
    work.expect_create_check()
        .withf(|request| {
            let collector = &request.collectors.as_slice()[0];
            request.config.as_str() == "{ \"b\": 1.0,  \"a\": 12345678901234567890123 }"
                && collector.config.as_str() == "{\"u\":  1e2}"
                && collector.assertions[0].value == Some(Json::trusted("2.50"))
        })
        .return_once(|_| Ok(check()));
    let body = r#"{"name": "a", "strategyId": "x", "intervalSeconds": 60,
        "config": { "b": 1.0,  "a": 12345678901234567890123 },
        "collectors": [{"id": "c", "collectorId": "d", "config": {"u":  1e2},
            "assertions": [{"field": "f", "operator": "equals", "value": 2.50}]}]}"#;
    let answer = write(work, Method::POST, "/api/v1/checks", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let path = format!("/api/v1/checks/{ID}");
    assert_eq!(answer.header("location"), Some(path.as_str()));
    assert!(answer.text().contains(r#""config":{ "port":  443 }"#), "{}", answer.text());
}

#[tokio::test]
async fn every_fault_of_a_check_is_named() {
    let body = json!({
        "name": " ", "strategyId": "", "config": [], "intervalSeconds": 0, "what": 1,
        "collectors": [{"id": "a", "collectorId": "b", "config": 1}],
    });
    let answer =
        write(MockWorkService::new(), Method::POST, "/api/v1/checks", &body.to_string()).await;
    assert_eq!(answer.status, 422);
    let expected =
        ["/name", "/strategyId", "/config", "/collectors/0/config", "/intervalSeconds", "/what"];
    assert_eq!(pointers(&answer), expected);
}

#[tokio::test]
async fn a_faulty_collector_is_named_by_its_place() {
    let list = |second: Value| {
        let first = json!({"id": "a", "collectorId": "b", "config": {}});
        json!({"collectors": [first, second]}).to_string()
    };
    for (second, pointer) in [
        (json!({"id": "a", "collectorId": "b", "config": {}}), "/collectors/1/id"),
        (json!({"id": "c", "config": {}}), "/collectors/1"),
        (json!({"id": 1, "collectorId": "b", "config": {}}), "/collectors/1/id"),
    ] {
        let path = format!("/api/v1/checks/{ID}");
        let answer = write(MockWorkService::new(), Method::PATCH, &path, &list(second)).await;
        assert_eq!(pointers(&answer), [pointer], "{}", answer.text());
    }
}

#[tokio::test]
async fn an_interval_beyond_its_limits_is_refused() {
    for seconds in ["0", "86401", "-1", "1.5", "\"60\""] {
        let body = format!(r#"{{"intervalSeconds": {seconds}}}"#);
        let path = format!("/api/v1/checks/{ID}");
        let answer = write(MockWorkService::new(), Method::PATCH, &path, &body).await;
        assert_eq!(pointers(&answer), ["/intervalSeconds"], "{seconds}");
    }
}

#[tokio::test]
async fn an_assignment_names_satellites_or_selects_them_and_never_both() {
    for (fields, pointers_expected) in [
        (json!({}), vec![""]),
        (json!({"satelliteIds": [], "selector": {}}), vec!["/selector"]),
        (json!({"satelliteIds": [ID, "x"]}), vec!["/satelliteIds/1"]),
        (json!({"selector": {"tags": "tier in edge"}}), vec!["/selector/tags"]),
        (
            json!({"selector": {"region": " ", "tags": "a b"}}),
            vec!["/selector/region", "/selector/tags"],
        ),
        (json!({"selector": {"labels": "a"}}), vec!["/selector/labels"]),
    ] {
        let mut body = json!({"checkId": ID, "systemId": ID});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let answer =
            write(MockWorkService::new(), Method::POST, "/api/v1/assignments", &body.to_string())
                .await;
        assert_eq!(answer.status, 422);
        assert_eq!(pointers(&answer), pointers_expected, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_selector_is_understood_and_shown_again() {
    let mut work = MockWorkService::new();
    work.expect_create_assignment()
        .withf(|request| match &request.target {
            Target::Selected(selector) => {
                selector.tags.to_string() == "tier in (edge, core), !lab"
                    && selector.region.as_ref().is_some_and(|region| region.as_str() == "eu")
            }
            Target::Satellites(_) => false,
        })
        .return_once(|request| {
            let mut made = assignment();
            made.target = request.target;
            Ok(made)
        });
    let body = json!({
        "checkId": ID, "systemId": ID,
        "selector": {"region": "eu", "tags": "tier in (edge,core),!lab"},
    });
    let answer = write(work, Method::POST, "/api/v1/assignments", &body.to_string()).await;
    let expected = json!({"region": "eu", "tags": "tier in (edge, core), !lab"});
    assert_eq!(answer.json()["selector"], expected);
}

#[tokio::test]
async fn a_name_that_is_taken_says_whose_kind() {
    let mut work = MockWorkService::new();
    work.expect_create_system()
        .return_once(|_| Err(FleetError::NameTaken { what: "system", name: "a".into() }));
    let answer = write(work, Method::POST, "/api/v1/systems", r#"{"name": "a"}"#).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("a system named"), "{}", answer.text());
}

#[tokio::test]
async fn a_list_goes_on_where_it_ended() {
    let mut work = MockWorkService::new();
    work.expect_systems().return_once(|_, limit| {
        assert_eq!(limit, 2);
        Ok(vec![system("a"), system("b")])
    });
    let asking = |path: &str| {
        request(Method::GET, path).header(AUTHORIZATION, "Bearer admin").body("".into()).unwrap()
    };
    let first: Value = ask_both(fleet(), work, asking("/api/v1/systems?limit=1")).await.json();
    let cursor = first["nextCursor"].as_str().unwrap();
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    let mut work = MockWorkService::new();
    work.expect_systems()
        .withf(|after, _| after.as_ref().is_some_and(|name| name.as_str() == "a"))
        .return_once(|_, _| Ok(vec![]));
    let path = format!("/api/v1/systems?limit=1&cursor={cursor}");
    let second: Value = ask_both(fleet(), work, asking(&path)).await.json();
    assert_eq!(second, json!({"items": []}));
}

#[tokio::test]
async fn a_policy_is_one_object_kept_to_the_letter() {
    let mut work = MockWorkService::new();
    work.expect_set_sandbox_policy()
        .withf(|policy| policy.as_str() == "{ \"a\":  1.0 }")
        .return_once(|_| Ok(()));
    let path = "/api/v1/sandbox-policy";
    let answer = write(work, Method::PUT, path, "{ \"a\":  1.0 }").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "{ \"a\":  1.0 }"));
    let answer = write(MockWorkService::new(), Method::PUT, path, "[1]").await;
    assert_eq!(answer.status, 422);
    let mut work = MockWorkService::new();
    work.expect_sandbox_policy().return_once(|| Ok(None));
    let answer = write(work, Method::GET, path, "").await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_server_without_work_says_so() {
    let mut work = MockWorkService::new();
    work.expect_create_system()
        .return_once(|_| Err(FleetError::NotOffered { what: "work for satellites" }));
    let answer = write(work, Method::POST, "/api/v1/systems", r#"{"name": "a"}"#).await;
    assert_eq!(answer.status, 501);
}

#[tokio::test]
async fn the_latest_results_go_on_where_they_ended_also_after_ground_controls_own() {
    let asking = |path: &str| {
        let asking = request(Method::GET, path).header(AUTHORIZATION, "Bearer satellite.read");
        asking.body("".into()).unwrap()
    };
    for (satellite, environment) in [(None, None), (Some(id()), Some("a:b"))] {
        let mut last = run();
        last.satellite = satellite;
        last.run.environment = environment.map(str::to_owned);
        let (key, found) = (last.key(), vec![last, run()]);
        let mut work = MockWorkService::new();
        work.expect_latest_runs()
            .withf(|query| query.limit == 2 && query.system.is_some() && query.after.is_none())
            .return_once(|_| Ok(found));
        let path = format!("/api/v1/results/latest?limit=1&systemId={ID}");
        let first: Value = ask_both(fleet(), work, asking(&path)).await.json();
        assert_eq!(first["items"][0].get("satelliteId").is_some(), satellite.is_some());
        let mut work = MockWorkService::new();
        work.expect_latest_runs()
            .withf(move |query| query.after.as_ref() == Some(&key))
            .return_once(|_| Ok(vec![]));
        let path = format!("{path}&cursor={}", first["nextCursor"].as_str().unwrap());
        let second: Value = ask_both(fleet(), work, asking(&path)).await.json();
        assert_eq!(second, json!({"items": []}));
    }
}

#[tokio::test]
async fn what_makes_a_thing_may_say_so_and_nobody_unknown_may() {
    let mut work = MockWorkService::new();
    work.expect_create_system()
        .withf(|request| request.managed_by == Some(Manager::GitOps))
        .return_once(|_| Ok(system("a")));
    let body = r#"{"name": "a", "managedBy": "gitops"}"#;
    let answer = write(work, Method::POST, "/api/v1/systems", body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["managedBy"]), (201, &json!("gitops")));
    for path in ["satellites", "systems", "checks", "assignments"] {
        let path = format!("/api/v1/{path}");
        let body = r#"{"managedBy": "somebody"}"#;
        let answer = write(MockWorkService::new(), Method::POST, &path, body).await;
        assert!(pointers(&answer).contains(&"/managedBy".to_owned()), "{path}: {}", answer.text());
    }
}

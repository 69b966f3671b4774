//! `groundcontrol systems|checks|assignments|results …`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query};
use axum::routing::get;
use axum::{Json, Router};

use super::*;

const ONE: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f01";
const TWO: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f02";
const AT: &str = "2026-01-31T11:59:00.000Z";

fn system() -> Value {
    json!({"id": ONE, "name": "shop\u{1b}[2J", "metadata": {"owner": "me"}, "createdAt": AT})
}

fn check() -> Value {
    json!({
        "id": ONE, "name": "front page", "strategyId": "healthcheck-http.http", "config": {},
        "collectors": [{"id": "get", "collectorId": "healthcheck-http.request", "config": {}}],
        "intervalSeconds": 60, "createdAt": AT
    })
}

fn assignment(to: &Value) -> Value {
    let mut made = json!({"id": TWO, "checkId": ONE, "systemId": ONE, "createdAt": AT});
    made.as_object_mut().unwrap().extend(to.as_object().unwrap().clone());
    made
}

fn results() -> Value {
    let run = |status: &str, source: &str, more: Value| {
        let mut run = json!({
            "source": source, "configId": ONE, "systemId": ONE, "status": status,
            "executedAt": AT, "receivedAt": AT
        });
        run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run
    };
    json!([
        run(
            "degraded",
            "ground-control",
            json!({
            "result": {"message": "No assigned satellite is online"}})
        ),
        run(
            "unhealthy",
            "berlin (eu)",
            json!({"satelliteId": TWO, "latencyMs": 12.5,
            "failedAssertion": {"entryId": "get", "field": "statusCode", "operator": "equals",
                "expected": 200, "actual": 503}})
        ),
        run(
            "unhealthy",
            "berlin (eu)",
            json!({"satelliteId": TWO,
            "result": {"metadata": {"error": "refused\u{7}"}}})
        ),
        run("healthy", "berlin (eu)", json!({"satelliteId": TWO, "latencyMs": 3})),
    ])
}

/// A server with one of each, and what it was asked.
async fn server() -> (FakeServer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kind = |path: &str, one: Value| {
        let (log, made) = (asked.clone(), one.clone());
        let create = move |Json(body): Json<Value>| async move {
            log.lock().unwrap().push(format!("create {body}"));
            (StatusCode::CREATED, Json(made))
        };
        let listed = one.clone();
        let list = move || async move { Json(json!({"items": [listed]})) };
        let (log, changed) = (asked.clone(), one.clone());
        let update = move |Path(id): Path<String>, Json(body): Json<Value>| async move {
            log.lock().unwrap().push(format!("update {id} {body}"));
            Json(changed)
        };
        let log = asked.clone();
        let remove = move |Path(id): Path<String>| async move {
            log.lock().unwrap().push(format!("remove {id}"));
            StatusCode::NO_CONTENT
        };
        let show = move || async move { Json(one) };
        Router::new()
            .route(&format!("/api/v1/{path}"), get(list).post(create))
            .route(&format!("/api/v1/{path}/{{id}}"), get(show).patch(update).delete(remove))
    };
    let selector = assignment(&json!({"selector": {"region": "eu", "tags": "tier in (edge)"}}));
    let log = asked.clone();
    let listed = move |Query(query): Query<BTreeMap<String, String>>| async move {
        log.lock().unwrap().push(format!("results {query:?}"));
        Json(json!({"items": results()}))
    };
    let router = kind("systems", system())
        .merge(kind("checks", check()))
        .merge(kind("assignments", selector))
        .route("/api/v1/results", get(listed.clone()))
        .route("/api/v1/results/latest", get(listed));
    (FakeServer::start(router).await, asked)
}

fn last(asked: &Mutex<Vec<String>>) -> String {
    asked.lock().unwrap().last().cloned().unwrap_or_default()
}

fn is_harmless(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && c != '\n')
}

#[tokio::test]
async fn each_kind_is_listed_as_a_table_that_no_terminal_obeys() {
    let (server, _) = server().await;
    for kind in ["systems", "checks", "assignments"] {
        let out = run(&server, &[kind, "list"], None).await.out();
        assert!(is_harmless(&out), "{out:?}");
        insta::assert_snapshot!(format!("list_{kind}"), out);
    }
}

#[tokio::test]
async fn results_say_why_they_are_as_they_are() {
    let (server, asked) = server().await;
    let out = run(&server, &["results", "list", "--limit", "5"], None).await.out();
    assert!(is_harmless(&out), "{out:?}");
    insta::assert_snapshot!("results", out);
    assert_eq!(last(&asked), r#"results {"limit": "5"}"#);
}

#[tokio::test]
async fn results_are_narrowed_by_names_which_become_ids() {
    let (server, asked) = server().await;
    let narrowed = ["results", "list", "--check", "front page", "--since", AT, "--limit", "1"];
    run(&server, &narrowed, None).await.out();
    let expected = format!(r#"results {{"configId": "{ONE}", "limit": "1", "since": "{AT}"}}"#);
    assert_eq!(last(&asked), expected);
    run(&server, &["results", "latest", "--system", ONE], None).await.out();
    let expected = format!(r#"results {{"limit": "1000", "systemId": "{ONE}"}}"#);
    assert_eq!(last(&asked), expected);
    let error = run(&server, &["results", "latest", "--check", "none"], None).await.error();
    assert!(error.contains("none"), "{error}");
}

#[tokio::test]
async fn results_for_programs_are_the_servers_own_shape() {
    let (server, _) = server().await;
    let out = run(&server, &["results", "latest", "--output", "json"], None).await.out();
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown[0]["source"], "ground-control");
    assert_eq!(shown[0].get("satelliteId"), None);
    assert_eq!(shown[1]["failedAssertion"]["actual"], 503);
}

#[tokio::test]
async fn what_is_made_is_sent_to_the_letter_and_named() {
    let (server, asked) = server().await;
    let metadata = r#"{"b": 1.0, "a": [12345678901234567890123]}"#;
    let made = run(&server, &["systems", "create", "shop", "--metadata", metadata], None).await;
    assert!(made.out().starts_with("Made system"));
    assert!(last(&asked).contains(r#""name":"shop""#), "{}", last(&asked));
    let arguments = [
        "checks",
        "create",
        "front page",
        "--strategy",
        "http",
        "--interval",
        "5m",
        "--config",
        r#"{"url": "http://127.0.0.1/"}"#,
    ];
    let made = run(&server, &arguments, None).await.out();
    assert_eq!(made, format!("Made check \"front page\" ({ONE}).\n"));
    assert!(last(&asked).contains(r#""intervalSeconds":300"#), "{}", last(&asked));
    let arguments = ["assignments", "create", "--check", ONE, "--system", ONE, "--tags", "a, !b"];
    let made = run(&server, &arguments, None).await.out();
    assert_eq!(made, format!("Made assignment {TWO}.\n"));
    assert!(last(&asked).contains(r#""selector":{"tags":"a, !b"}"#), "{}", last(&asked));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_and_nothing_is_asked() {
    let (server, asked) = server().await;
    for (arguments, part) in [
        (&["systems", "create", "x", "--metadata", "{"][..], "--metadata is no JSON"),
        (&["systems", "create", "x", "--metadata", "@/nowhere/x"], "cannot read /nowhere/x"),
        (
            &["checks", "create", "x", "--strategy", "s", "--interval", "1500ms"],
            "--interval takes whole seconds",
        ),
        (
            &["checks", "create", "x", "--strategy", "s", "--interval", "1s", "--collectors", "{}"],
            "--collectors is not as it must be",
        ),
        (
            &["assignments", "create", "--check", ONE, "--system", ONE],
            "say which satellites: --satellite, --region, --tags or --all",
        ),
    ] {
        let error = run(&server, arguments, None).await.error();
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(*asked.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn nothing_is_removed_before_somebody_said_yes() {
    let (server, asked) = server().await;
    let remove = ["checks", "remove", "front page"];
    let error = run(&server, &remove, None).await.error();
    assert!(error.contains("--yes"), "{error}");
    let error = run(&server, &remove, Some("no\n")).await.error();
    assert!(error.contains("nothing was removed"), "{error}");
    assert_eq!(*asked.lock().unwrap(), [""; 0]);
    let out = run(&server, &remove, Some("yes\n")).await.out();
    assert_eq!(out, format!("Removed check \"front page\" ({ONE}).\n"));
    assert_eq!(last(&asked), format!("remove {ONE}"));
    run(&server, &["systems", "remove", ONE, "--yes"], None).await.out();
    assert_eq!(last(&asked), format!("remove {ONE}"));
}

#[tokio::test]
async fn a_change_sends_only_what_changes() {
    let (server, asked) = server().await;
    run(&server, &["checks", "update", "front page", "--interval", "30s"], None).await.out();
    assert_eq!(last(&asked), format!(r#"update {ONE} {{"intervalSeconds":30}}"#));
    run(&server, &["assignments", "update", TWO, "--all"], None).await.out();
    assert_eq!(last(&asked), format!(r#"update {TWO} {{"selector":{{}}}}"#));
}

//! `/api/v1/satellites`.

use groundcontrol_core::connection::{Actor, Status};
use groundcontrol_core::ports::{FleetError, SatellitePatch, SatelliteRequest, SatelliteUpdate};
use groundcontrol_core::time::Millis;
use http::Method;
use serde_json::json;

use crate::support::*;

const SATELLITES: &str = "/api/v1/satellites";

fn path() -> String {
    format!("{SATELLITES}/{ID}")
}

#[tokio::test]
async fn creating_answers_the_satellite_and_its_token() {
    let mut fleet = fleet();
    fleet
        .expect_create()
        .withf(|request| {
            let SatelliteRequest { name, region, tags, offline_threshold, managed_by } = request;
            name.as_str() == "a"
                && region.as_str() == "eu"
                && tags.as_map().get("env").is_some_and(|value| value == "prod")
                && *offline_threshold == Some(Millis::new(60_000))
                && managed_by.is_none()
        })
        .return_once(|_| Ok(created()));
    let body = r#"{"name": "a", "region": "eu", "tags": {"env": "prod"},
        "offlineThresholdMs": 60000}"#;
    let answer = post(fleet, SATELLITES, body).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), Some(path().as_str()));
    assert_eq!(
        answer.json(),
        json!({
            "satellite": {
                "id": ID, "name": "a", "region": "eu", "tags": {}, "capabilities": [],
                "enabled": true, "status": "offline", "createdAt": "2026-02-02T02:40:00.000Z",
            },
            "token": "csat_new",
        })
    );
}

#[tokio::test]
async fn a_satellite_shows_everything_but_its_credentials() {
    let answer = get(willing(), &path()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "id": ID, "name": "a", "region": "eu", "tags": {"env": "prod"},
            "capabilities": ["http"], "version": "1.2.3", "configRevision": 5,
            "appliedRevision": 4, "enabled": true,
            "offlineThresholdMs": 60000, "status": "online", "managedBy": "gitops",
            "lastSeenAt": "2026-02-02T02:40:09.000Z", "lastEvent": "connected",
            "lastEventAt": "2026-02-02T02:40:05.000Z", "createdAt": "2026-02-02T02:40:00.000Z",
        })
    );
}

#[tokio::test]
async fn markup_in_a_name_comes_back_as_json_text() {
    let mut fleet = fleet();
    fleet.expect_get().return_once(|_| Ok(view("<script>alert(1)</script>")));
    let answer = get(fleet, &path()).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json()["name"], "<script>alert(1)</script>");
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_that_names_the_field() {
    let mut fleet = fleet();
    fleet
        .expect_create()
        .return_once(|_| Err(FleetError::NameTaken { what: "satellite", name: "a".into() }));
    let answer = post(fleet, SATELLITES, r#"{"name": "a", "region": "eu"}"#).await;
    let problem = answer.problem(409, "name-taken");
    assert_eq!(problem["errors"][0]["pointer"], "/name");
}

#[tokio::test]
async fn every_fault_of_a_new_satellite_is_named_at_once() {
    let body = json!({
        "name": "", "region": 7, "tags": {"ok": "1", "a/b~c": "x\u{1}", "": "y", "n": 3},
        "offlineThresholdMs": -1, "reigon": "eu",
    });
    let answer = post(fleet(), SATELLITES, &body.to_string()).await;
    let faults = answer.faults();
    assert_eq!(
        faults,
        [
            "/name",
            "/region",
            "/tags/n",
            "/tags/",
            "/tags/a~1b~0c",
            "/offlineThresholdMs",
            "/reigon"
        ]
    );
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let answer = post(fleet(), SATELLITES, "{}").await;
    assert_eq!(answer.faults(), ["/name", "/region"]);
    assert_eq!(answer.json()["errors"][0]["detail"], "is missing");
}

#[tokio::test]
async fn too_many_tags_are_a_fault_of_the_tags() {
    let tags: serde_json::Map<_, _> = (0..65).map(|n| (n.to_string(), json!("x"))).collect();
    let body = json!({"name": "a", "region": "eu", "tags": tags});
    assert_eq!(post(fleet(), SATELLITES, &body.to_string()).await.faults(), ["/tags"]);
}

#[tokio::test]
async fn faults_that_the_fleet_finds_are_named_alike() {
    let mut fleet = fleet();
    let fault = groundcontrol_core::ports::FieldError {
        pointer: "/offlineThresholdMs".into(),
        detail: "must be at least two heartbeat intervals".into(),
    };
    fleet.expect_create().return_once(|_| Err(FleetError::Invalid(vec![fault])));
    let body = r#"{"name": "a", "region": "eu", "offlineThresholdMs": 1}"#;
    assert_eq!(post(fleet, SATELLITES, body).await.faults(), ["/offlineThresholdMs"]);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_on_behalf_of_the_caller() {
    let mut fleet = fleet();
    let update = SatelliteUpdate { name: Some("b".parse().unwrap()), ..Default::default() };
    let wanted = SatellitePatch { update, offline_threshold: Some(None), enabled: Some(false) };
    fleet
        .expect_update()
        .withf(move |of, patch, actor| {
            *of == id() && *patch == wanted && *actor == Actor("the tests".into())
        })
        .return_once(|_, _, _| Ok(view("b")));
    let body = r#"{"name": "b", "offlineThresholdMs": null, "enabled": false}"#;
    let answer = send(fleet, Method::PATCH, &path(), body).await;
    assert_eq!((answer.status.as_u16(), answer.json()["name"].as_str()), (200, Some("b")));
}

#[tokio::test]
async fn a_patch_with_a_fault_changes_nothing() {
    let body = r#"{"enabled": "no", "offlineThresholdMs": 1.5, "name": null, "token": "x"}"#;
    let answer = send(fleet(), Method::PATCH, &path(), body).await;
    assert_eq!(answer.faults(), ["/name", "/offlineThresholdMs", "/enabled", "/token"]);
}

#[tokio::test]
async fn removing_answers_nothing() {
    let answer = plain(willing(), Method::DELETE, &path()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
}

#[tokio::test]
async fn a_token_is_rotated_without_overlap_when_none_is_asked_for() {
    for body in [None, Some("{}"), Some(r#"{"overlapSeconds": 0}"#)] {
        let mut fleet = fleet();
        fleet
            .expect_rotate_token()
            .withf(|_, overlap, _| overlap.is_none())
            .return_once(|_, _, _| Ok(created()));
        let at = format!("{}/rotate-token", path());
        let answer = match body {
            None => plain(fleet, Method::POST, &at).await,
            Some(body) => post(fleet, &at, body).await,
        };
        assert_eq!(
            (answer.status.as_u16(), answer.json()["token"].as_str()),
            (200, Some("csat_new"))
        );
    }
}

#[tokio::test]
async fn an_overlap_of_up_to_seven_days_is_taken() {
    let at = format!("{}/rotate-token", path());
    let mut fleet_of_week = fleet();
    fleet_of_week
        .expect_rotate_token()
        .withf(|_, overlap, _| *overlap == Some(Millis::from_secs(604_800)))
        .return_once(|_, _, _| Ok(created()));
    assert_eq!(post(fleet_of_week, &at, r#"{"overlapSeconds": 604800}"#).await.status, 200);
    let answer = post(fleet(), &at, r#"{"overlapSeconds": 604801}"#).await;
    assert_eq!(answer.faults(), ["/overlapSeconds"]);
}

#[tokio::test]
async fn a_list_is_narrowed_by_every_filter() {
    let mut fleet = fleet();
    fleet
        .expect_list()
        .withf(|query| {
            let tags: Vec<_> = query.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
            query.status == Some(Status::Online)
                && query.region.as_deref() == Some("eu west")
                && tags == ["env=prod", "url=http://x"]
                && query.text.as_deref() == Some("fra")
                && query.limit == 51
                && query.after.is_none()
        })
        .return_once(|_| Ok(vec![view("a")]));
    let path = "/api/v1/satellites?status=online&region=eu%20west&tag=env:prod&q=fra\
        &tag=url:http%3A%2F%2Fx&limit=50";
    let answer = get(fleet, path).await;
    let list = answer.json();
    assert_eq!(list["items"][0]["name"], "a", "{list}");
    assert_eq!(list.as_object().unwrap().len(), 1, "the last page has no cursor: {list}");
}

#[tokio::test]
async fn a_list_goes_on_behind_the_last_item_of_the_page_before() {
    let mut first = fleet();
    first
        .expect_list()
        .withf(|query| query.limit == 3)
        .return_once(|_| Ok(vec![view("a"), view("b"), view("c")]));
    let page = get(first, "/api/v1/satellites?limit=2&status=online").await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let cursor = page["nextCursor"].as_str().unwrap();
    let mut second = fleet();
    second
        .expect_list()
        .withf(|query| query.after.as_ref().is_some_and(|name| name.as_str() == "b"))
        .return_once(|_| Ok(vec![view("c")]));
    let path = format!("/api/v1/satellites?status=online&limit=7&cursor={cursor}");
    assert_eq!(get(second, &path).await.status, 200);
}

#[tokio::test]
async fn a_cursor_that_does_not_belong_to_the_list_is_refused() {
    let mut fleet_of_two = fleet();
    fleet_of_two.expect_list().return_once(|_| Ok(vec![view("7"), view("8")]));
    let page = get(fleet_of_two, "/api/v1/satellites?limit=1&region=eu").await.json();
    let cursor = page["nextCursor"].as_str().unwrap();
    let misuses = [
        (
            format!("/api/v1/satellites?cursor={cursor}"),
            "belongs to the same list with other filters",
        ),
        (format!("/api/v1/api-tokens?cursor={cursor}"), "belongs to another list"),
        (format!("{}/transitions?cursor={cursor}", path()), "belongs to another list"),
        ("/api/v1/satellites?cursor=e30".into(), "is not a cursor that this server gave out"),
        ("/api/v1/satellites?cursor=*".into(), "is not a cursor that this server gave out"),
    ];
    for (path, why) in misuses {
        let answer = get(fleet(), &path).await;
        assert_eq!(answer.faults(), ["?cursor"], "{path}");
        assert_eq!(answer.json()["errors"][0]["detail"], why, "{path}");
    }
}

#[tokio::test]
async fn every_fault_of_a_query_is_named_at_once() {
    let path = "/api/v1/satellites?status=away&region=&tag=env&limit=0&limt=5&q=a&q=b";
    let answer = get(fleet(), path).await;
    assert_eq!(answer.faults(), ["?status", "?region", "?q", "?tag", "?limit", "?limt"]);
}

#[tokio::test]
async fn a_nul_in_the_text_to_look_for_is_a_fault() {
    let answer = get(fleet(), "/api/v1/satellites?q=a%00").await;
    assert_eq!(answer.faults(), ["?q"]);
}

#[tokio::test]
async fn a_page_has_at_most_a_thousand_items() {
    for limit in ["1001", "-1", "x", "1e3"] {
        let answer = get(fleet(), &format!("/api/v1/satellites?limit={limit}")).await;
        assert_eq!(answer.faults(), ["?limit"], "{limit}");
    }
    assert_eq!(get(willing(), "/api/v1/satellites?limit=1000").await.status, 200);
}

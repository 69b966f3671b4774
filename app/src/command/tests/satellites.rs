//! `groundcontrol satellites …`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query};
use axum::routing::{get, post};
use axum::{Json, Router};

use super::*;

const FRANKFURT: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f01";
const HOSTILE: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f02";

fn frankfurt() -> Value {
    json!({
        "id": FRANKFURT, "name": "Frankfurt 1", "region": "eu-central",
        "tags": {"env": "prod", "tier": "1"}, "capabilities": ["http", "tcp"], "version": "1.4.0",
        "enabled": true, "offlineThresholdMs": 60_000, "status": "online",
        "lastSeenAt": "2026-01-31T11:59:57.000Z", "lastEvent": "connected",
        "lastEventAt": "2026-01-31T10:55:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z",
        "fromTheFuture": {"ignored": true}
    })
}

/// A satellite whose name and version try to take over the terminal that shows them.
fn hostile() -> Value {
    json!({
        "id": HOSTILE, "name": "<script>alert(1)</script>\u{1b}[2J\u{202e}gnp",
        "region": "eu\r\nfake-row", "tags": {"\u{9b}31m": "\u{7}"}, "capabilities": [],
        "version": "\u{1b}]0;owned\u{7}", "enabled": false, "status": "offline",
        "lastEvent": "heartbeat_lost", "lastEventAt": "2026-01-29T12:00:00.000Z",
        "lastSeenAt": "2026-01-29T11:59:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z"
    })
}

fn transitions() -> Value {
    let state = json!({
        "status": "online", "name": "Frankfurt 1", "region": "eu-central", "lastSeenAt": null,
        "lastEvent": "connected", "lastEventAt": null, "cause": "authenticated", "seq": 1, "epoch": 1
    });
    let edge = |seq: u64, event: &str, cause: &str, by: Value| {
        let mut edge = json!({
            "id": format!("{FRANKFURT}:{seq}"), "satelliteId": FRANKFURT, "seq": seq, "epoch": seq,
            "event": event, "cause": cause, "occurredAt": "2026-01-31T10:55:00.000Z",
            "pod": "p-1", "previous": null, "next": state
        });
        edge.as_object_mut().unwrap().extend(by.as_object().unwrap().clone());
        edge
    };
    json!({"items": [
        edge(2, "disconnected", "revoked", json!({"actor": "admin\u{1b}[0m"})),
        edge(1, "connected", "authenticated", json!({"remoteAddress": "192.0.2.7"})),
    ]})
}

fn explanation() -> Value {
    json!({
        "satelliteId": FRANKFURT, "name": "Frankfurt 1", "at": "2026-01-31T11:00:00.000Z",
        "status": "offline", "reason": "lost", "rule": "T5",
        "summary": "Frankfurt 1 is offline: its heartbeat was lost.\u{1b}[2J",
        "because": ["Rule T5 makes it so.", "Its threshold is 45 s."],
        "advice": ["Look whether its machine is up."],
        "outlook": [{"kind": "heartbeat_resumes", "rule": "T3", "sentence": "A heartbeat would."}],
        "enabled": true, "heartbeatIntervalMs": 15_000, "thresholdMs": 45_000,
        "thresholdIsOwn": false, "settleMs": 250, "clock": {"errorMs": 0},
        "edges": [{"rule": "T8", "transition": transitions()["items"][0]}],
    })
}

/// A server with two satellites that answers lists one page at a time, and what it was asked.
async fn server() -> (FakeServer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let note = |what: String| asked.lock().unwrap().push(what);
    let log = asked.clone();
    let list = move |headers: HeaderMap, Query(query): Query<BTreeMap<String, String>>| async move {
        assert_eq!(bearer(&headers), "Bearer gcapi_x");
        log.lock().unwrap().push(format!("list {query:?}"));
        match query.get("cursor").map(String::as_str) {
            None => Json(json!({"items": [hostile()], "nextCursor": "2"})),
            _ => Json(json!({"items": [frankfurt()]})),
        }
    };
    let log = asked.clone();
    let create = move |Json(body): Json<Value>| async move {
        log.lock().unwrap().push(format!("create {body}"));
        match body["name"].as_str().unwrap() {
            "taken" => problem(
                409,
                json!({
                    "type": "urn:groundcontrol:problem:name-taken", "title": "The name is taken",
                    "detail": "a satellite named \"taken\" exists already"
                }),
            ),
            _ => {
                (StatusCode::CREATED, Json(json!({"satellite": frankfurt(), "token": "csat_new"})))
                    .into_response()
            }
        }
    };
    let log = asked.clone();
    let rotate = move |Json(body): Json<Value>| async move {
        log.lock().unwrap().push(format!("rotate {body}"));
        Json(json!({"satellite": frankfurt(), "token": "csat_new"}))
    };
    let log = asked.clone();
    let update = move |Json(body): Json<Value>| async move {
        log.lock().unwrap().push(format!("update {body}"));
        Json(frankfurt())
    };
    let log = asked.clone();
    let delete = move |Path(id): Path<String>| async move {
        log.lock().unwrap().push(format!("delete {id}"));
        StatusCode::NO_CONTENT
    };
    let one = |Path(id): Path<String>| async move {
        match id.as_str() {
            FRANKFURT => Json(frankfurt()).into_response(),
            _ => problem(404, json!({"type": "x", "title": "Not found"})),
        }
    };
    note("begin".to_owned());
    let router = Router::new()
        .route("/api/v1/satellites", get(list).post(create))
        .route("/api/v1/satellites/{id}", get(one).patch(update).delete(delete))
        .route("/api/v1/satellites/{id}/transitions", get(|| async { Json(transitions()) }))
        .route("/api/v1/satellites/{id}/explain", get(|| async { Json(explanation()) }))
        .route("/api/v1/satellites/{id}/rotate-token", post(rotate));
    (FakeServer::start(router).await, asked)
}

fn last(asked: &Mutex<Vec<String>>) -> String {
    asked.lock().unwrap().last().unwrap().clone()
}

fn is_harmless(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
}

#[tokio::test]
async fn a_list_shows_all_pages_and_no_terminal_obeys_it() {
    let (server, asked) = server().await;
    let out = run(&server, &["satellites", "list"], None).await.out();
    assert!(is_harmless(&out), "{out:?}");
    insta::assert_snapshot!("list", out);
    assert_eq!(last(&asked), r#"list {"cursor": "2", "limit": "1000"}"#);
}

#[tokio::test]
async fn a_list_for_programs_is_the_servers_own_shape() {
    let (server, _) = server().await;
    let out = run(&server, &["satellites", "list", "--output", "json"], None).await.out();
    assert!(is_harmless(&out), "{out:?}");
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(listed[0], hostile());
    let mut known = frankfurt();
    known.as_object_mut().unwrap().remove("fromTheFuture");
    assert_eq!(listed[1], known);
}

#[tokio::test]
async fn filters_reach_the_server() {
    let (server, asked) = server().await;
    let filters = "satellites list --status online --region eu --tag env:prod --search fra";
    let arguments: Vec<&str> = filters.split(' ').collect();
    run(&server, &arguments, None).await.out();
    let wanted = r#"list {"cursor": "2", "limit": "1000", "q": "fra", "region": "eu", "status": "online", "tag": "env:prod"}"#;
    assert_eq!(last(&asked), wanted);
}

#[tokio::test]
async fn one_satellite_is_shown_with_its_history() {
    let (server, _) = server().await;
    let out = run(&server, &["satellites", "show", "Frankfurt 1"], None).await.out();
    assert!(is_harmless(&out), "{out:?}");
    insta::assert_snapshot!("show", out);
}

#[tokio::test]
async fn an_explanation_is_told_a_sentence_a_line_with_the_latest_edges() {
    let (server, _) = server().await;
    let told = run(&server, &["satellites", "explain", "Frankfurt 1"], None).await.out();
    assert!(is_harmless(&told), "{told}");
    let expected = [
        "Frankfurt 1 is offline: its heartbeat was lost.",
        "Because:\n  - Rule T5 makes it so.\n  - Its threshold is 45 s.",
        "What would change it:\n  - A heartbeat would.",
        "What to do:\n  - Look whether its machine is up.",
        "disconnected",
    ];
    for part in expected {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
async fn a_satellite_is_found_by_name_id_or_the_beginning_of_its_id() {
    let (server, _) = server().await;
    for wanted in ["Frankfurt 1", FRANKFURT] {
        let out = run(&server, &["satellites", "show", wanted], None).await.out();
        assert!(out.contains("Frankfurt 1"), "{wanted}");
    }
    let several = run(&server, &["satellites", "show", "0a6b5f0e"], None).await.error();
    assert!(several.contains("could mean") && several.contains(FRANKFURT), "{several}");
    let too_short = run(&server, &["satellites", "show", "0a6b"], None).await.error();
    assert!(too_short.contains("there is no satellite"), "{too_short}");
}

#[tokio::test]
async fn an_unknown_name_is_an_error_that_suggests_harmlessly() {
    let (server, _) = server().await;
    let error = run(&server, &["satellites", "show", "Frank"], None).await.error();
    assert!(is_harmless(&error), "{error:?}");
    assert!(error.contains("did you mean") && error.contains("Frankfurt 1"), "{error}");
    let unknown = "00000000-0000-4000-8000-000000000000";
    let error = run(&server, &["satellites", "show", unknown], None).await.error();
    assert!(error.contains("there is no satellite"), "{error}");
}

#[tokio::test]
async fn a_new_satellite_comes_with_its_token_and_the_way_to_start_it() {
    let (server, asked) = server().await;
    let create = [
        "satellites",
        "create",
        "Frankfurt 1",
        "--region",
        "eu",
        "--tag",
        "env=a=b",
        "--offline-threshold",
        "1m",
    ];
    let out = run(&server, &create, None).await.out();
    let url = server.client.endpoint().to_string();
    insta::assert_snapshot!("create", out.replace(&url, "URL"));
    let sent = r#"create {"name":"Frankfurt 1","offlineThresholdMs":60000,"region":"eu","tags":{"env":"a=b"}}"#;
    assert_eq!(last(&asked), sent);
}

#[tokio::test]
async fn a_token_can_go_to_a_file_and_is_not_shown_then() {
    let (server, _) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token").display().to_string();
    let create = ["satellites", "create", "x", "--region", "eu", "--save-token", &path];
    let out = run(&server, &create, None).await.out();
    assert!(!out.contains("csat_new"), "{out}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "csat_new\n");
    let again = run(&server, &create, None).await.error();
    assert!(again.contains("could not make the file"), "{again}");
}

#[tokio::test]
async fn a_refused_creation_says_why_and_leaves_no_file() {
    let (server, _) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let shown = path.display().to_string();
    let create = ["satellites", "create", "taken", "--region", "eu", "--save-token", &shown];
    let error = run(&server, &create, None).await.error();
    assert_eq!(error, "could not make the satellite: a satellite named \"taken\" exists already");
    assert!(!path.exists());
}

#[tokio::test]
async fn changes_are_sent_as_they_are_meant() {
    let (server, asked) = server().await;
    for (flags, sent) in [
        ("--offline-threshold default --disable", r#"{"enabled":false,"offlineThresholdMs":null}"#),
        ("--no-tags --enable", r#"{"enabled":true,"tags":{}}"#),
        ("--name b --region r --tag k=v", r#"{"name":"b","region":"r","tags":{"k":"v"}}"#),
    ] {
        let arguments: Vec<&str> =
            ["satellites", "set", FRANKFURT].into_iter().chain(flags.split(' ')).collect();
        run(&server, &arguments, None).await.out();
        assert_eq!(last(&asked), format!("update {sent}"));
    }
}

#[tokio::test]
async fn a_rotation_sends_its_overlap_in_whole_seconds() {
    let (server, asked) = server().await;
    run(&server, &["satellites", "rotate-token", FRANKFURT, "--overlap", "1h"], None).await.out();
    assert_eq!(last(&asked), r#"rotate {"overlapSeconds":3600}"#);
    run(&server, &["satellites", "rotate-token", FRANKFURT], None).await.out();
    assert_eq!(last(&asked), "rotate {}");
    let part = ["satellites", "rotate-token", FRANKFURT, "--overlap", "1500ms"];
    assert!(run(&server, &part, None).await.error().contains("whole seconds"));
}

#[tokio::test]
async fn a_removal_needs_a_yes() {
    let (server, asked) = server().await;
    let remove = ["satellites", "remove", "Frankfurt 1"];
    let nobody = run(&server, &remove, None).await.error();
    assert!(nobody.contains("--yes"), "{nobody}");
    for answer in ["\n", "no\n", "y\n", ""] {
        assert_eq!(run(&server, &remove, Some(answer)).await.error(), "nothing was removed");
    }
    assert!(!asked.lock().unwrap().iter().any(|call| call.starts_with("delete")));
    run(&server, &remove, Some("yes\n")).await.out();
    assert_eq!(last(&asked), format!("delete {FRANKFURT}"));
    run(&server, &["satellites", "remove", FRANKFURT, "--yes"], None).await.out();
}

#[tokio::test]
async fn an_empty_list_says_what_to_do_on_standard_error() {
    let empty = get(|| async { Json(json!({"items": []})) });
    let server = FakeServer::start(Router::new().route("/api/v1/satellites", empty)).await;
    let outcome = run(&server, &["satellites", "list"], None).await;
    assert!(outcome.notes.contains("satellites create"));
    assert_eq!(outcome.out(), "");
    let json = run(&server, &["satellites", "list", "--output", "json"], None).await.out();
    assert_eq!(json, "[]\n");
}

#[tokio::test]
async fn refusals_say_what_to_do_next() {
    for (status, advice) in [(401, "admin-token"), (403, "api-tokens create"), (503, "try again")] {
        let answer = get(move || async move {
            problem(status, json!({"type": "x", "title": "No", "detail": "because\u{1b}[2J"}))
        });
        let server = FakeServer::start(Router::new().route("/api/v1/satellites", answer)).await;
        let error = run(&server, &["satellites", "list"], None).await.error();
        assert!(error.contains(advice), "{error}");
        assert!(is_harmless(&error), "{error:?}");
    }
}

#[tokio::test]
async fn a_list_that_goes_round_in_circles_is_given_up() {
    let same = get(|| async { Json(json!({"items": [frankfurt()], "nextCursor": "1"})) });
    let server = FakeServer::start(Router::new().route("/api/v1/satellites", same)).await;
    let error = run(&server, &["satellites", "list"], None).await.error();
    assert!(error.contains("does not go on"), "{error}");
}

#[tokio::test]
async fn a_server_of_another_kind_is_told_from_ground_control() {
    let page = get(|| async { axum::response::Html("<html>") });
    let server = FakeServer::start(Router::new().route("/api/v1/satellites", page)).await;
    let error = run(&server, &["satellites", "list"], None).await.error();
    assert!(error.contains("not as a Ground Control would"), "{error}");
}

//! `groundcontrol rules …`.

use std::sync::{Arc, Mutex};

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{FakeServer, run};

const ID: &str = "0198c0de-0000-7000-8000-0000000000aa";
const WEBHOOK: &str = "0198c0de-0000-7000-8000-0000000000bb";

fn rule() -> Value {
    json!({
        "id": ID, "name": "Night\u{1b}[2J", "active": true, "filter": {"region": "eu"},
        "lastsSeconds": 300, "steadySeconds": 60, "regionInstead": true, "webhookId": WEBHOOK,
        "createdAt": "2026-01-01T00:00:00.000Z",
    })
}

fn webhook() -> Value {
    json!({
        "id": WEBHOOK, "name": "On-call", "url": "https://example.org/hook", "filter": {},
        "headerNames": [], "mode": "structured", "alertsOnly": true, "active": true,
        "secrets": [{}], "createdAt": "2026-01-01T00:00:00.000Z",
    })
}

fn alerts() -> Value {
    json!({"items": [
        {
            "id": ID, "ruleId": ID, "satelliteId": ID, "name": "Reykjavik", "region": "eu",
            "event": "satellite.heartbeat_lost", "since": "2026-01-01T00:00:00.000Z",
            "state": "firing", "firedAt": "2026-01-01T00:05:00.000Z",
        },
        {
            "id": WEBHOOK, "ruleId": ID, "region": "us", "event": "fleet.region_loss_suspected",
            "since": "2026-01-01T00:00:00.000Z", "state": "pending",
            "dueAt": "2026-01-01T00:05:00.000Z",
        },
    ]})
}

/// A server with one rule and one webhook, and what it was asked.
async fn server() -> (FakeServer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let note = |what: &'static str| {
        let log = asked.clone();
        move |body: Option<Json<Value>>| async move {
            let body = body.map(|Json(body)| body.to_string()).unwrap_or_default();
            log.lock().unwrap().push(format!("{what} {body}").trim().to_owned());
            Json(rule())
        }
    };
    let one = format!("/api/v1/rules/{ID}");
    let rules = || async { Json(json!({"items": [rule()]})) };
    let webhooks = || async { Json(json!({"items": [webhook()]})) };
    let router = Router::new()
        .route("/api/v1/webhooks", get(webhooks))
        .route("/api/v1/rules", get(rules).post(note("create")))
        .route(&one, get(|| async { Json(rule()) }).patch(note("update")).delete(note("remove")))
        .route(&format!("{one}/alerts"), get(|| async { Json(alerts()) }));
    (FakeServer::start(router).await, asked)
}

fn last(asked: &Mutex<Vec<String>>) -> String {
    asked.lock().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn a_list_shows_what_is_watched_for_and_who_is_told() {
    let (server, _) = server().await;
    let told = run(&server, &["rules", "list"], None).await.out();
    for part in ["Night", "active", "satellite.heartbeat_lost in eu", "5m", "On-call", ID] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[tokio::test]
async fn a_new_rule_is_asked_for_as_it_is_meant() {
    let (server, asked) = server().await;
    let arguments = [
        "rules",
        "create",
        "Night",
        "--webhook",
        "On-call",
        "--lasts",
        "5m",
        "--steady",
        "90s",
        "--tags",
        "tier=edge",
        "--region-instead",
        "--paused",
    ];
    run(&server, &arguments, None).await.out();
    let body: Value = serde_json::from_str(last(&asked).strip_prefix("create ").unwrap()).unwrap();
    let expected = json!({
        "name": "Night", "webhookId": WEBHOOK, "lastsSeconds": 300, "steadySeconds": 90,
        "filter": {"tags": "tier=edge"}, "regionInstead": true, "active": false,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_rule_is_changed_by_what_is_given_alone() {
    let (server, asked) = server().await;
    for (arguments, expected) in [
        (vec!["rules", "pause", ID], r#"update {"active":false}"#),
        (vec!["rules", "resume", ID], r#"update {"active":true}"#),
        (vec!["rules", "update", ID, "--lasts", "1m"], r#"update {"lastsSeconds":60}"#),
        (
            vec!["rules", "update", ID, "--region-instead", "false"],
            r#"update {"regionInstead":false}"#,
        ),
        (vec!["rules", "remove", ID, "--yes"], "remove"),
    ] {
        run(&server, &arguments, None).await.out();
        assert_eq!(last(&asked), expected);
    }
    let error = run(&server, &["rules", "update", ID], None).await.error();
    assert!(error.contains("nothing to change"), "{error}");
}

#[tokio::test]
async fn alerts_show_since_when_and_what_follows() {
    let (server, _) = server().await;
    let told = run(&server, &["rules", "alerts", ID], None).await.out();
    for part in ["firing", "Reykjavik", "2026-01-01T00:05:00.000Z", "(the whole region)", "us"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

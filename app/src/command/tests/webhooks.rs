//! `groundcontrol webhooks …` and `triggers`.

use std::sync::{Arc, Mutex};

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{FakeServer, run};

const ID: &str = "0198c0de-0000-7000-8000-0000000000aa";

fn webhook() -> Value {
    json!({
        "id": ID, "name": "On-call\u{1b}[2J", "url": "https://example.org/hook",
        "filter": {"events": ["satellite.heartbeat_lost"], "region": "eu"},
        "headerNames": ["x-key"], "mode": "structured", "alertsOnly": false, "active": false, "pausedReason": "failing",
        "secrets": [{}], "createdAt": "2026-01-01T00:00:00.000Z",
    })
}

fn delivery() -> Value {
    json!({
        "eventId": format!("{ID}:7"), "satelliteId": ID, "seq": 7,
        "event": "satellite.heartbeat_lost", "state": "dead", "attempts": 16,
        "createdAt": "2026-01-01T00:00:00.000Z", "attemptedAt": "2026-01-04T00:00:00.000Z",
        "last": {"status": 500, "latencyMs": 12, "response": "no"},
    })
}

/// A server with one webhook, and what it was asked.
async fn server() -> (FakeServer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let note = |what: &'static str| {
        let log = asked.clone();
        move |body: Option<Json<Value>>| async move {
            let body = body.map(|Json(body)| body.to_string()).unwrap_or_default();
            log.lock().unwrap().push(format!("{what} {body}").trim().to_owned());
            Json(match what {
                "redeliver" => json!({"deliveries": 3}),
                "test" => json!({"accepted": false, "status": 500, "latencyMs": 12}),
                "update" => webhook(),
                _ => json!({"webhook": webhook(), "secret": "whsec_shown"}),
            })
        }
    };
    let one = format!("/api/v1/webhooks/{ID}");
    let list = || async { Json(json!({"items": [webhook()]})) };
    let found = || async { Json(json!({"items": [delivery()]})) };
    let router = Router::new()
        .route("/api/v1/webhooks", get(list).post(note("create")))
        .route(&one, get(|| async { Json(webhook()) }).patch(note("update")))
        .route(&format!("{one}/test"), post(note("test")))
        .route(&format!("{one}/rotate-secret"), post(note("rotate")))
        .route(&format!("{one}/redeliver"), post(note("redeliver")))
        .route(&format!("{one}/deliveries"), get(found));
    (FakeServer::start(router).await, asked)
}

fn last(asked: &Mutex<Vec<String>>) -> String {
    asked.lock().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn a_list_shows_why_a_webhook_is_paused_and_no_terminal_obeys_it() {
    let (server, _) = server().await;
    let told = run(&server, &["webhooks", "list"], None).await.out();
    for part in ["On-call", "paused (failing)", "satellite.heartbeat_lost in eu", ID] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[tokio::test]
async fn a_new_webhook_is_asked_for_as_it_is_meant_and_shows_its_secret() {
    let (server, asked) = server().await;
    let arguments = [
        "webhooks",
        "create",
        "a",
        "--receiver",
        "https://example.org",
        "--event-type",
        "satellite.connected",
        "--region",
        "eu",
        "--cause",
        "took_over",
        "--header",
        "x=y=z",
        "--mode",
        "binary",
        "--paused",
    ];
    let told = run(&server, &arguments, None).await.out();
    assert!(told.contains("whsec_shown"), "{told}");
    let body: Value = serde_json::from_str(last(&asked).strip_prefix("create ").unwrap()).unwrap();
    let filter = json!({
        "events": ["satellite.connected"], "region": "eu", "causes": ["took_over"],
    });
    let expected = json!({
        "name": "a", "url": "https://example.org", "filter": filter, "headers": {"x": "y=z"},
        "mode": "binary", "active": false,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn pausing_resuming_and_rotating_ask_for_nothing_else() {
    let (server, asked) = server().await;
    for (arguments, expected) in [
        (vec!["webhooks", "pause", ID], r#"update {"active":false}"#),
        (vec!["webhooks", "resume", ID], r#"update {"active":true}"#),
        (
            vec!["webhooks", "rotate-secret", ID, "--overlap", "1h"],
            r#"rotate {"overlapSeconds":3600}"#,
        ),
        (vec!["webhooks", "redeliver", ID, "--event", "x:1"], r#"redeliver {"eventId":"x:1"}"#),
    ] {
        run(&server, &arguments, None).await.out();
        assert_eq!(last(&asked), expected);
    }
}

#[tokio::test]
async fn a_sample_that_is_not_taken_is_a_failure_with_what_was_seen() {
    let (server, _) = server().await;
    let outcome = run(&server, &["webhooks", "test", ID], None).await;
    assert!(outcome.out.contains("status 500 after 12 ms"), "{}", outcome.out);
    assert!(outcome.error().contains("did not take the sample"));
}

#[tokio::test]
async fn deliveries_show_what_became_of_them() {
    let (server, _) = server().await;
    let told = run(&server, &["webhooks", "deliveries", ID], None).await.out();
    for part in ["dead", "16", "500", "12 ms", &format!("{ID}:7")] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

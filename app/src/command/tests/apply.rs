//! `groundcontrol apply` and `schema`.

use std::sync::{Arc, Mutex};

use axum::routing::get;
use axum::{Json, Router};

use super::*;

const ID: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f01";

const DOCUMENTS: &str = "apiVersion: groundcontrol.dev/v1
kind: Check
metadata: {name: web}
spec: {strategyId: http, interval: 30s, config: {url: b, password: new}}
---
apiVersion: groundcontrol.dev/v1
kind: Satellite
metadata: {name: \"Li\\u202ema\"}
spec: {region: sa}
";

/// A server with a check `web` and a system that documents made; it logs what is made there.
async fn server(refuses: bool) -> (FakeServer, Arc<Mutex<Vec<String>>>) {
    let made = Arc::new(Mutex::new(Vec::new()));
    let none = || async { Json(json!({"items": []})) };
    let check = json!({"id": ID, "name": "web", "strategyId": "http", "collectors": [],
        "config": {"password": "old", "url": "a"}, "intervalSeconds": 60,
        "createdAt": "2026-01-01T00:00:00.000Z"});
    let (checks, changed) = (check.clone(), check);
    let system = json!({"id": ID, "name": "shop", "metadata": {}, "managedBy": "gitops",
        "createdAt": "2026-01-01T00:00:00.000Z"});
    let log = made.clone();
    let create = move |Json(body): Json<Value>| async move {
        log.lock().unwrap().push(body.to_string());
        problem(409, json!({"type": "x", "title": "Taken", "detail": "the name is taken"}))
    };
    let log = made.clone();
    let change = move |Json(body): Json<Value>| async move {
        log.lock().unwrap().push(body.to_string());
        match refuses {
            true => problem(503, json!({"type": "x", "title": "Busy", "detail": "not now"})),
            false => Json(changed).into_response(),
        }
    };
    let router = Router::new()
        .route("/api/v1/satellites", get(none).post(create))
        .route("/api/v1/assignments", get(none))
        .route("/api/v1/systems", get(move || async move { Json(json!({"items": [system]})) }))
        .route("/api/v1/checks", get(move || async move { Json(json!({"items": [checks]})) }))
        .route("/api/v1/checks/{id}", axum::routing::patch(change));
    (FakeServer::start(router).await, made)
}

async fn apply(server: &FakeServer, documents: &str, more: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fleet.yaml");
    std::fs::write(&file, documents).unwrap();
    let file = file.display().to_string();
    run(server, &[&["apply", "-f", &file], more].concat(), None).await
}

#[tokio::test]
async fn a_dry_run_shows_what_would_be_done_safely_and_does_nothing() {
    let (server, made) = server(false).await;
    let shown = apply(&server, DOCUMENTS, &["--dry-run", "--prune"]).await.out();
    insta::assert_snapshot!("apply_dry_run", shown);
    assert_eq!(*made.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_program_gets_the_changes_with_their_documents() {
    let (server, _) = server(false).await;
    let shown = apply(&server, DOCUMENTS, &["--dry-run", "--output", "json"]).await.out();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let (first, second) = (&shown["changes"][0], &shown["changes"][1]);
    assert_eq!((&first["action"], &first["kind"]), (&json!("create"), &json!("satellite")));
    assert!(first["document"].as_str().unwrap().ends_with("fleet.yaml:6"), "{first}");
    let interval = json!({"path": "intervalSeconds", "before": "60", "after": "30"});
    assert!(second["fields"].as_array().unwrap().contains(&interval), "{second}");
}

#[tokio::test]
async fn a_change_that_is_refused_says_how_far_it_came() {
    let (server, made) = server(true).await;
    let outcome = apply(&server, DOCUMENTS, &[]).await;
    let error = outcome.error();
    assert!(error.contains("could not be done, after 0 of 2 changes"), "{error}");
    assert!(error.contains("the name is taken"), "{error}");
    assert_eq!(made.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn documents_that_are_wrong_are_named_line_by_line() {
    let (server, made) = server(false).await;
    let wrong = DOCUMENTS.replace("region", "regoin").replace("interval", "intervall");
    let Outcome { notes, error, .. } = apply(&server, &wrong, &[]).await;
    assert_eq!(notes.lines().count(), 2, "{notes}");
    assert!(error.unwrap().starts_with("nothing was changed: 2 things are wrong"));
    assert_eq!(*made.lock().unwrap(), Vec::<String>::new());
}

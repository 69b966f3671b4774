//! `groundcontrol api-tokens …`.

use std::sync::{Arc, Mutex};

use axum::extract::Path;
use axum::routing::{delete, get};
use axum::{Json, Router};

use super::*;

const ONE: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f01";
const TWO: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f02";
const THREE: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f03";

fn token(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "scopes": ["satellite.read", "satellite.manage"],
        "createdAt": "2026-01-01T00:00:00.000Z"})
}

async fn server() -> (FakeServer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let list = || async {
        Json(
            json!({"items": [token(ONE, "twin"), token(TWO, "twin"), token(THREE, "own\u{1b}[2J")]}),
        )
    };
    let log = asked.clone();
    let create = move |Json(body): Json<Value>| async move {
        log.lock().unwrap().push(body.to_string());
        (StatusCode::CREATED, Json(json!({"apiToken": token(ONE, "new"), "token": "gcapi_new"})))
    };
    let log = asked.clone();
    let revoke = move |Path(id): Path<String>| async move {
        log.lock().unwrap().push(id);
        StatusCode::NO_CONTENT
    };
    let router = Router::new()
        .route("/api/v1/api-tokens", get(list).post(create))
        .route("/api/v1/api-tokens/{id}", delete(revoke));
    (FakeServer::start(router).await, asked)
}

#[tokio::test]
async fn tokens_are_listed_without_values() {
    let (server, _) = server().await;
    insta::assert_snapshot!("api_tokens", run(&server, &["api-tokens", "list"], None).await.out());
}

#[tokio::test]
async fn a_new_token_is_shown_once_and_may_expire() {
    let (server, asked) = server().await;
    let create = ["api-tokens", "create", "new", "--scope", "admin", "--expires-in", "1h"];
    let out = run(&server, &create, None).await.out();
    assert!(out.contains("gcapi_new"));
    let sent = r#"{"expiresAt":"2026-01-31T13:00:00.000Z","name":"new","scopes":["admin"]}"#;
    assert_eq!(*asked.lock().unwrap(), [sent]);
}

#[tokio::test]
async fn a_token_is_revoked_by_its_id_or_by_a_name_that_only_it_has() {
    let (server, asked) = server().await;
    let several = run(&server, &["api-tokens", "revoke", "twin"], None).await.error();
    assert!(several.contains(ONE) && several.contains(TWO), "{several}");
    let none = run(&server, &["api-tokens", "revoke", "nobody"], None).await.error();
    assert!(none.contains("api-tokens list"), "{none}");
    run(&server, &["api-tokens", "revoke", TWO], None).await.out();
    run(&server, &["api-tokens", "revoke", "own\u{1b}[2J"], None).await.out();
    assert_eq!(*asked.lock().unwrap(), [TWO, THREE]);
}

//! Secrets over HTTP: names and deliveries come out, values only go in.

use http::Method;

use crate::support::*;

#[tokio::test]
async fn names_are_listed_page_by_page() {
    let first = get(fleet(), "/api/v1/secrets?limit=1").await.json();
    assert_eq!(first["items"], serde_json::json!([{"name": "a"}]));
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = get(fleet(), &format!("/api/v1/secrets?limit=1&cursor={cursor}")).await.json();
    assert_eq!(second, serde_json::json!({"items": [{"name": "b"}]}));
}

#[tokio::test]
async fn a_value_is_taken_and_never_answered() {
    let path = "/api/v1/secrets/new";
    let put = send(fleet(), Method::PUT, path, r#"{"value": "hush"}"#).await;
    assert_eq!((put.status.as_u16(), put.text()), (204, ""));
    assert_eq!(get(fleet(), path).await.status, 405);
}

#[tokio::test]
async fn what_cannot_be_set_is_refused_with_what_to_do() {
    let put = async |name: &str, body: &str| {
        send(fleet(), Method::PUT, &format!("/api/v1/secrets/{name}"), body).await
    };
    let value = r#"{"value": "hush"}"#;
    let fixed = put("fixed", value).await.problem(409, "read-only");
    assert!(fixed["detail"].as_str().unwrap().contains("write the file"));
    let away = put("away", value).await;
    away.problem(503, "out-of-reach");
    assert!(!away.text().contains("hush"), "{}", away.text());
    assert_eq!(put("a%20b", value).await.faults(), ["/name"]);
    assert_eq!(put("a", "{}").await.faults(), ["/value"]);
    assert_eq!(put("a", r#"{"value": 1}"#).await.faults(), ["/value"]);
}

#[tokio::test]
async fn a_secret_that_is_not_there_cannot_be_deleted() {
    assert_eq!(plain(fleet(), Method::DELETE, "/api/v1/secrets/a").await.status, 204);
    plain(fleet(), Method::DELETE, "/api/v1/secrets/b").await.problem(404, "not-found");
}

#[tokio::test]
async fn deliveries_are_listed_with_names_and_outcome_page_by_page() {
    let first = get(fleet(), "/api/v1/secret-deliveries?limit=2").await.json();
    let expected = serde_json::json!({
        "satelliteId": ID, "configId": "c", "collectorId": "k", "runId": "r", "names": ["a"],
        "delivered": false, "error": "Secret not found: a", "at": "2026-02-02T02:40:00.001Z",
        "pod": "pod-1",
    });
    assert_eq!(first["items"][0], expected);
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = get(fleet(), &format!("/api/v1/secret-deliveries?cursor={cursor}&limit=2")).await;
    assert_eq!(rest.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn sealing_again_tells_how_many_were_not() {
    let answer = post(fleet(), "/api/v1/secrets/reseal", "").await;
    assert_eq!(answer.json(), serde_json::json!({"resealed": 2}));
}

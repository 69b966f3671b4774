//! The HTTP surface of the real server: who may, what is refused, probes and figures.

use groundcontrol_testkit::server::{Api, Server, Site, Socket};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn site() -> (Site, Server, Api) {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    (site, server, api)
}

async fn token(site: &Site, api: &Api, scopes: &[&str]) -> (String, Api) {
    let body = json!({"name": "of a test", "scopes": scopes});
    let made = api.post("/api/v1/api-tokens", &body).await.expect(StatusCode::CREATED);
    let token = made["token"].as_str().expect("the token is shown once").to_owned();
    site.keep_secret(&token);
    let id = made["apiToken"]["id"].as_str().expect("it has an id").to_owned();
    (id, api.with_token(&token))
}

#[tokio::test]
async fn without_a_token_everything_but_the_probes_is_refused() {
    let (_site, _server, api) = site().await;
    let nobody = api.without_token();
    let id = uuid::Uuid::new_v4();
    for path in [
        "/api/v1/satellites".to_owned(),
        "/api/v1/satellites/online-ids".to_owned(),
        format!("/api/v1/satellites/{id}"),
        "/api/v1/events".to_owned(),
        "/api/v1/api-tokens".to_owned(),
    ] {
        let answer = nobody.get(&path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(answer.headers.contains_key("www-authenticate"), "{path}");
        let stranger = api.with_token("gcapi_nobody_knows_this").get(&path).await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"] {
        let answer = nobody.get(path).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
    }
}

#[tokio::test]
async fn a_token_does_what_its_scopes_allow_and_no_more() {
    let (site, _server, api) = site().await;
    let satellite = api.create(&site).await;
    let path = format!("/api/v1/satellites/{}", satellite.id);
    let (_, reader) = token(&site, &api, &["satellite.read"]).await;
    let (_, manager) = token(&site, &api, &["satellite.manage"]).await;

    assert_eq!(reader.get(&path).await.status, StatusCode::OK);
    assert_eq!(reader.delete(&path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(manager.get("/api/v1/api-tokens").await.status, StatusCode::FORBIDDEN);
    assert_eq!(manager.delete(&path).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_revoked_api_token_stops_working() {
    let (site, _server, api) = site().await;
    let (id, other) = token(&site, &api, &["satellite.read"]).await;
    assert_eq!(other.get("/api/v1/satellites").await.status, StatusCode::OK);
    let gone = api.delete(&format!("/api/v1/api-tokens/{id}")).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(other.get("/api/v1/satellites").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_breaks_a_limit_is_refused_and_the_field_named() {
    let (_site, _server, api) = site().await;
    let many: serde_json::Map<String, Value> =
        (0..65).map(|n| (n.to_string(), json!(""))).collect();
    for (body, field) in [
        (json!({"region": "r"}), "/name"),
        (json!({"name": " ", "region": "r"}), "/name"),
        (json!({"name": "n".repeat(201), "region": "r"}), "/name"),
        (json!({"name": "n\u{0}", "region": "r"}), "/name"),
        (json!({"name": "n", "region": 7}), "/region"),
        (json!({"name": "n", "region": "r", "tags": many}), "/tags"),
        (json!({"name": "n", "region": "r", "tags": {"k": "v".repeat(256)}}), "/tags/k"),
        (json!({"name": "n", "region": "r", "offlineThresholdMs": 1}), "/offlineThresholdMs"),
        (json!({"name": "n", "region": "r", "nmae": "n"}), "/nmae"),
    ] {
        let answer = api.post("/api/v1/satellites", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        assert_eq!(answer.fields(), [field], "{}", answer.body);
    }
    let listed = api.get("/api/v1/satellites").await.expect(StatusCode::OK);
    assert_eq!(listed["items"], json!([]), "a refused request changes nothing");
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused() {
    let (_site, _server, api) = site().await;
    let body = json!({"name": "n", "region": "x".repeat(1024 * 1024)});
    let answer = api.post("/api/v1/satellites", &body).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let (site, _server, api) = site().await;
    let satellite = api.create(&site).await;
    let again = json!({"name": satellite.name, "region": "elsewhere"});
    assert_eq!(api.post("/api/v1/satellites", &again).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_not_found() {
    let (_site, _server, api) = site().await;
    for path in ["/api/v1/satellites/7", "/api/v1/satellites/7/connection"] {
        assert_eq!(api.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let (site, _server, api) = site().await;
    for _ in 0..2 {
        api.create(&site).await;
    }
    let first = api.get("/api/v1/satellites?limit=1").await.expect(StatusCode::OK);
    let cursor = first["nextCursor"].as_str().expect("there is a second page");
    let next = api.get(&format!("/api/v1/satellites?limit=1&cursor={cursor}")).await;
    assert_eq!(next.expect(StatusCode::OK)["items"].as_array().map(Vec::len), Some(1));
    for path in ["/api/v1/satellites?region=other&cursor=", "/api/v1/satellites?cursor=x"] {
        let answer = api.get(&format!("{path}{cursor}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert_eq!(answer.fields(), ["?cursor"], "{path}");
    }
}

#[tokio::test]
async fn the_openapi_document_describes_what_is_there() {
    let (_site, _server, api) = site().await;
    let document = api.get("/openapi.json").await.expect(StatusCode::OK);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    for path in ["/api/v1/satellites", "/api/v1/events", "/api/v1/connections/batch-get"] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
}

#[tokio::test]
async fn the_metrics_count_what_happened() {
    let (site, server, api) = site().await;
    let satellite = api.create(&site).await;
    let _socket = Socket::connect(&server, &satellite).await;
    let answer = api.send(api.request(Method::GET, "/metrics")).await;
    let text = answer.body.as_str().expect("metrics are text").to_owned();
    for figure in [
        r#"groundcontrol_authentications_total{outcome="accepted"} 1"#,
        r#"groundcontrol_edges_total{event="connected"} 1"#,
        "process_resident_memory_bytes",
    ] {
        assert!(text.contains(figure), "{figure} is not in:\n{text}");
    }
}

#[tokio::test]
async fn a_connection_that_is_slow_to_ask_keeps_nobody_else_waiting() {
    let (_site, server, api) = site().await;
    let address = server.url().trim_start_matches("http://");
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(tokio::net::TcpStream::connect(address).await.expect("the server listens"));
    }
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
    drop(idle);
}

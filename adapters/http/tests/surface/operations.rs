//! Probes, figures, and the page that shows the document.

use axum::body::Body;
use groundcontrol_core::ports::{MockFleetService, Readiness};
use http::Method;
use serde_json::json;

use crate::support::*;

async fn open(fleet: MockFleetService, path: &str) -> Answer {
    ask(fleet, request(Method::GET, path).body(Body::empty()).unwrap()).await
}

fn with_readiness(readiness: Readiness) -> MockFleetService {
    let mut fleet = fleet();
    fleet.expect_readiness().return_once(|| readiness);
    fleet
}

#[tokio::test]
async fn a_living_process_says_so_whatever_the_fleet_does() {
    assert_eq!(open(MockFleetService::new(), "/healthz").await.json(), json!({"status": "ok"}));
}

#[tokio::test]
async fn a_server_that_can_serve_is_ready() {
    let answer = open(with_readiness(Readiness::Ready), "/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "ready"})));
}

#[tokio::test]
async fn a_draining_server_is_not_ready() {
    let answer = open(with_readiness(Readiness::Draining), "/readyz").await;
    answer.problem(503, "draining");
    assert_eq!(answer.header("retry-after"), Some("5"));
}

#[tokio::test]
async fn a_server_that_cannot_serve_says_why() {
    let reason = "the store is unavailable".to_owned();
    let answer = open(with_readiness(Readiness::NotReady { reason }), "/readyz").await;
    assert_eq!(answer.problem(503, "not-ready")["detail"], "the store is unavailable");
}

#[tokio::test]
async fn figures_are_prometheus_text() {
    let answer = open(willing(), "/metrics").await;
    assert_eq!(answer.text(), "up 1\n");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
}

#[tokio::test]
async fn the_docs_page_and_its_files_come_from_here_and_name_no_other_origin() {
    for (path, kind) in [
        ("/docs/", "text/html"),
        ("/docs/swagger-ui.css", "text/css"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-ui-standalone-preset.js", "text/javascript"),
        ("/docs/swagger-initializer.js", "text/javascript"),
    ] {
        let answer = open(fleet(), path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(kind)));
    }
    let page = open(fleet(), "/docs/").await;
    assert!(!page.text().contains("//"), "{}", page.text());
    let script = open(fleet(), "/docs/swagger-initializer.js").await;
    assert!(script.text().contains(r#""/openapi.json""#), "{}", script.text());
    assert!(script.text().contains(r#""validatorUrl": "none""#), "{}", script.text());
    assert!(!script.text().contains("http"), "{}", script.text());
}

#[tokio::test]
async fn the_docs_page_may_load_from_its_own_origin_only() {
    let answer = open(fleet(), "/docs/").await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
}

#[tokio::test]
async fn the_short_path_of_the_docs_leads_to_the_page() {
    let answer = open(fleet(), "/docs").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some("/docs/")));
}

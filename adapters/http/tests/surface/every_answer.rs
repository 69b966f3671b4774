//! What holds for every answer, good or bad.

use axum::body::Body;
use http::Method;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::support::*;

const PATHS: &[&str] = &["/healthz", "/api/v1/satellites", "/nothing", "/docs/", "/openapi.json"];

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    for path in PATHS {
        let request = request(Method::GET, path).body(Body::empty()).unwrap();
        let answer = ask(willing(), request).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(answer.header("content-security-policy").is_some(), "{path}");
    }
}

#[tokio::test]
async fn a_panic_is_answered_with_the_security_headers() {
    let mut fleet = fleet();
    fleet.expect_get().returning(|_| panic!("planted"));
    let answer = get(fleet, &format!("/api/v1/satellites/{ID}")).await;
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn requests_are_counted_by_route_template_method_and_status() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    get(willing(), &format!("/api/v1/satellites/{ID}")).await;
    get(willing(), &format!("/api/v1/satellites/{UNKNOWN}")).await;
    get(willing(), "/api/v1/satellites/x").await;
    get(willing(), "/nothing/here").await;
    plain(willing(), Method::from_bytes(b"BREW").unwrap(), "/healthz").await;
    let text = recorder.handle().render();
    let name = "groundcontrol_http_requests_total";
    let route = r#"route="/api/v1/satellites/{id}""#;
    for line in [
        format!(r#"{name}{{method="GET",{route},status="200"}} 2"#),
        format!(r#"{name}{{method="GET",{route},status="404"}} 1"#),
        format!(r#"{name}{{method="GET",route="none",status="404"}} 1"#),
        format!(r#"{name}{{method="OTHER",route="/healthz",status="405"}} 1"#),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(text.contains("groundcontrol_http_request_duration_seconds_count"), "{text}");
    assert!(!text.contains(ID) && !text.contains("nothing"), "{text}");
}

#[tokio::test]
async fn open_streams_are_counted_down_when_they_end() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    get(willing(), "/api/v1/events").await;
    let text = recorder.handle().render();
    assert!(text.contains("groundcontrol_http_event_streams 0"), "{text}");
}

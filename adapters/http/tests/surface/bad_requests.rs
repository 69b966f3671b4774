//! Requests that cannot be understood: each gets a problem and reaches nobody.

use std::time::Duration;

use axum::body::Body;
use futures_util::stream;
use groundcontrol_core::ports::{FleetError, StoreError};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::json;

use crate::support::*;

const SATELLITES: &str = "/api/v1/satellites";
const MIB: usize = 1024 * 1024;

fn posting(body: Body) -> Request<Body> {
    request(Method::POST, SATELLITES)
        .header(AUTHORIZATION, "Bearer admin")
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let deep = "[".repeat(200);
    for body in ["", "{", "{\"name\": \"a\",}", "nope", "{\"name\": \"\\ud800\"}", &deep] {
        post(fleet(), SATELLITES, body).await.problem(400, "malformed");
    }
    ask(fleet(), posting(Body::from(vec![b'"', 0xff, b'"']))).await.problem(400, "malformed");
}

#[tokio::test]
async fn json_that_is_no_object_is_invalid() {
    for body in ["[]", "7", "null", "\"name\""] {
        assert_eq!(post(fleet(), SATELLITES, body).await.faults(), [""]);
    }
}

#[tokio::test]
async fn a_nul_in_a_name_is_a_fault_of_the_name() {
    let body = json!({"name": "a\u{0}b", "region": "eu"}).to_string();
    assert_eq!(post(fleet(), SATELLITES, &body).await.faults(), ["/name"]);
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_read_and_one_byte_more_is_refused() {
    let padded = |length: usize| {
        let body = r#"{"name": "a", "region": "eu"}"#;
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_eq!(post(willing(), SATELLITES, &padded(MIB)).await.status, 201);
    post(fleet(), SATELLITES, &padded(MIB + 1)).await.problem(413, "too-large");
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_refused_once_it_is_too_long() {
    let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 4096]));
    ask(fleet(), posting(Body::from_stream(chunks))).await.problem(413, "too-large");
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_unread() {
    let mut announcing =
        posting(Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>()));
    announcing.headers_mut().insert("content-length", (MIB + 1).into());
    ask(fleet(), announcing).await.problem(413, "too-large");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_waited_for_half_a_minute() {
    let started = tokio::time::Instant::now();
    let never = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    ask(fleet(), posting(never)).await.problem(408, "too-slow");
    assert_eq!(started.elapsed(), Duration::from_secs(30));
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let mut other = posting(Body::from(r#"{"name": "a", "region": "eu"}"#));
        other.headers_mut().remove(CONTENT_TYPE);
        if let Some(kind) = kind {
            other.headers_mut().insert(CONTENT_TYPE, kind.parse().unwrap());
        }
        ask(fleet(), other).await.problem(415, "not-json");
    }
    let mut suffixed = posting(Body::from(r#"{"name": "a", "region": "eu"}"#));
    let kind = "application/merge-patch+json; charset=utf-8".parse().unwrap();
    suffixed.headers_mut().insert(CONTENT_TYPE, kind);
    assert_eq!(ask(willing(), suffixed).await.status, 201);
}

#[tokio::test]
async fn a_wrong_type_deep_in_the_body_is_named() {
    let answer = post(fleet(), "/api/v1/connections/batch-get", r#"{"ids": "x"}"#).await;
    assert_eq!(answer.faults(), ["/ids"]);
    let detail = answer.json()["errors"][0]["detail"].to_string();
    assert!(detail.contains("expected a sequence"), "{detail}");
}

#[tokio::test]
async fn what_is_no_id_is_not_found() {
    for path in ["x", "%ff", "00000000", "../x"] {
        let path = format!("{SATELLITES}/{path}");
        assert_eq!(get(fleet(), &path).await.status, 404, "{path}");
    }
    get(fleet(), "/api/v1/satellites/x/transitions").await.problem(404, "not-found");
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    for path in ["/api", "/api/v1/satelites", "/api/v1/satellites/", "/docs/nothing.js"] {
        get(fleet(), path).await.problem(404, "no-such-path");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let answer = plain(fleet(), Method::PUT, SATELLITES).await;
    answer.problem(405, "method-not-allowed");
    let mut allowed: Vec<_> = answer.header("allow").unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn a_panic_is_a_problem_that_says_nothing_of_its_cause() {
    let mut fleet = fleet();
    fleet.expect_get().returning(|_| panic!("a secret"));
    let answer = get(fleet, &format!("{SATELLITES}/{ID}")).await;
    answer.problem(500, "internal");
    assert!(!answer.text().contains("a secret"));
}

#[tokio::test]
async fn a_store_out_of_reach_is_worth_another_try() {
    let mut fleet = fleet();
    let away = StoreError::Unavailable { doing: "read the satellite", detail: "timed out".into() };
    fleet.expect_get().return_once(|_| Err(FleetError::Store(away)));
    let answer = get(fleet, &format!("{SATELLITES}/{ID}")).await;
    answer.problem(503, "store-unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

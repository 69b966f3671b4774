//! The session of a browser: the cookie, and whose pages may use it.

use axum::body::Body;
use groundcontrol_core::ports::MockFleetService;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use serde_json::json;

use crate::support::*;

const SESSION: &str = "/api/v1/session";
const HERE: &str = "gc.example:8080";
/// The headers of a browser that says that one of our pages asks.
const OWN: &[(&str, &str)] =
    &[("sec-fetch-site", "same-origin"), ("origin", "http://gc.example:8080")];
/// What an older browser says of the same, or one on plain HTTP.
const OWN_BY_ORIGIN: &[(&str, &str)] = &[("origin", "http://gc.example:8080")];

/// The cookie that signing in with `token` sets, as a browser sends it back.
async fn cookie(token: &str) -> String {
    let answer = sign_in(token, OWN).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let set = answer.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn sign_in(token: &str, headers: &[(&str, &str)]) -> Answer {
    let mut asking = request(Method::POST, SESSION).header(HOST, HERE);
    asking = asking.header(CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        asking = asking.header(*name, *value);
    }
    let body = json!({"token": token}).to_string();
    ask(willing(), asking.body(Body::from(body)).unwrap()).await
}

async fn with_cookie(
    fleet: MockFleetService,
    method: Method,
    path: &str,
    cookie: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut asking = request(method, path).header(HOST, HERE).header(COOKIE, cookie);
    for (name, value) in headers {
        asking = asking.header(*name, *value);
    }
    ask(fleet, asking.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn signing_in_says_who_one_is_and_sets_a_cookie_that_no_script_can_read() {
    let answer = sign_in("admin", OWN).await;
    assert_eq!(answer.json(), json!({"actor": "the tests", "scopes": ["admin"]}));
    let set = answer.header("set-cookie").unwrap();
    assert!(set.contains("; HttpOnly; SameSite=Strict"), "{set}");
    assert!(set.contains("; Path=/api/v1; Max-Age=604800;"), "{set}");
    assert!(!set.contains("Secure"), "{set}");
}

#[tokio::test]
async fn where_the_page_came_by_tls_the_cookie_goes_by_nothing_else() {
    let tls = [("sec-fetch-site", "same-origin"), ("origin", "https://gc.example:8080")];
    let answer = sign_in("admin", &tls).await;
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn blanks_around_a_token_that_was_pasted_do_not_matter() {
    assert_eq!(sign_in(" admin\n", OWN).await.status, 200);
}

#[tokio::test]
async fn a_token_that_nobody_knows_signs_nobody_in() {
    let answer = sign_in("gcapi_wrong", OWN).await;
    answer.problem(401, "bad-token");
    assert_eq!(answer.header("set-cookie"), None);
    assert!(!answer.text().contains("gcapi_wrong"));
}

#[tokio::test]
async fn an_empty_token_is_a_fault_of_its_field() {
    assert_eq!(sign_in("  ", OWN).await.faults(), ["/token"]);
}

#[tokio::test]
async fn another_site_can_neither_sign_a_browser_in_nor_out() {
    for foreign in [&[("sec-fetch-site", "cross-site")][..], &[("origin", "https://evil.example")]]
    {
        let answer = sign_in("admin", foreign).await;
        answer.problem(403, "foreign-page");
        assert_eq!(answer.header("set-cookie"), None, "{foreign:?}");
        let answer = with_cookie(willing(), Method::DELETE, SESSION, "a=b", foreign).await;
        answer.problem(403, "foreign-page");
    }
}

#[tokio::test]
async fn the_cookie_opens_what_the_token_opens() {
    let cookie = cookie("satellite.read").await;
    let path = format!("/api/v1/satellites/{ID}");
    for own in [OWN, OWN_BY_ORIGIN] {
        assert_eq!(with_cookie(willing(), Method::GET, &path, &cookie, own).await.status, 200);
        let refused = with_cookie(willing(), Method::DELETE, &path, &cookie, own).await;
        refused.problem(403, "missing-scope");
    }
    let seen = with_cookie(willing(), Method::GET, SESSION, &cookie, OWN).await;
    assert_eq!(seen.json(), json!({"actor": "the tests", "scopes": ["satellite.read"]}));
    let events = with_cookie(willing(), Method::GET, "/api/v1/events", &cookie, OWN).await;
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
}

#[tokio::test]
async fn a_page_of_this_server_changes_things_by_the_cookie() {
    let cookie = cookie("admin").await;
    for own in [OWN, OWN_BY_ORIGIN] {
        let path = format!("/api/v1/satellites/{ID}");
        assert_eq!(with_cookie(willing(), Method::DELETE, &path, &cookie, own).await.status, 204);
    }
}

#[tokio::test]
async fn whoever_is_not_known_to_be_a_page_of_this_server_changes_nothing_by_the_cookie() {
    let cookie = cookie("admin").await;
    let strangers: &[&[(&str, &str)]] = &[
        &[],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://gc.example:8080")],
        &[("sec-fetch-site", "cross-site")],
        &[("origin", "http://evil.example")],
        &[("origin", "http://gc.example")],
        &[("origin", "null")],
    ];
    for stranger in strangers {
        let path = format!("/api/v1/satellites/{ID}");
        let answer = with_cookie(fleet(), Method::DELETE, &path, &cookie, stranger).await;
        answer.problem(403, "foreign-page");
    }
}

#[tokio::test]
async fn another_site_does_not_even_read_by_the_cookie() {
    let cookie = cookie("admin").await;
    for foreign in ["same-site", "cross-site"] {
        let headers = [("sec-fetch-site", foreign)];
        let answer = with_cookie(fleet(), Method::GET, "/api/v1/events", &cookie, &headers).await;
        answer.problem(403, "foreign-page");
    }
}

#[tokio::test]
async fn a_cookie_whose_token_was_revoked_opens_nothing() {
    let cookie = cookie("admin").await;
    let mut fleet = MockFleetService::new();
    fleet.expect_caller().returning(|_| Ok(None));
    let answer = with_cookie(fleet, Method::GET, SESSION, &cookie, OWN).await;
    answer.problem(401, "bad-token");
}

#[tokio::test]
async fn a_header_wins_over_the_cookie_and_needs_no_page() {
    let cookie = cookie("admin").await;
    let path = format!("/api/v1/satellites/{ID}");
    let authorised = [
        (AUTHORIZATION.as_str(), "Bearer satellite.read"),
        (ORIGIN.as_str(), "http://evil.example"),
    ];
    let answer = with_cookie(willing(), Method::DELETE, &path, &cookie, &authorised).await;
    answer.problem(403, "missing-scope");
    assert_eq!(with_cookie(willing(), Method::GET, &path, &cookie, &authorised).await.status, 200);
    let nonsense = [(AUTHORIZATION.as_str(), "Basic YWRtaW4=")];
    with_cookie(willing(), Method::GET, &path, &cookie, &nonsense).await.problem(401, "no-token");
}

#[tokio::test]
async fn signing_out_lets_the_browser_forget() {
    let cookie = cookie("admin").await;
    let answer = with_cookie(fleet(), Method::DELETE, SESSION, &cookie, OWN).await;
    assert_eq!(answer.status, 204);
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("groundcontrol_token=; Path=/api/v1; Max-Age=0;"), "{set}");
}

//! Who may what: one table of every route and its scope.

use std::collections::BTreeSet;

use axum::body::Body;
use groundcontrol_core::ports::{FleetError, MockFleetService, Scope, StoreError};
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;

use crate::support::*;

const READ: Option<Scope> = Some(Scope::SatelliteRead);
const MANAGE: Option<Scope> = Some(Scope::SatelliteManage);
const ADMIN: Option<Scope> = Some(Scope::Admin);
const NONE: Option<Scope> = None;

const SATELLITE: &str = r#"{"name": "a", "region": "eu"}"#;
const TOKEN: &str = r#"{"name": "a", "scopes": ["admin"]}"#;
const SECRET: &str = r#"{"value": "x"}"#;
const BATCH: &str = r#"{"ids": []}"#;
const SIGN_IN: &str = r#"{"token": "admin"}"#;
const WEBHOOK: &str = r#"{"name": "a", "url": "https://example.org"}"#;
const RULE: &str = r#"{"name": "a", "webhookId": "00000000-0000-4000-8000-00000000000a"}"#;
const REDELIVER: &str = r#"{"since": "2026-01-31T12:00:00Z"}"#;
const SYSTEM: &str = r#"{"name": "a"}"#;
const CHECK: &str = r#"{"name": "a", "strategyId": "s", "intervalSeconds": 1}"#;
const PACKAGES: &str = r#"{"expectedLockfileHash": null, "entries": []}"#;
const BLOB: &str = "a blob";
const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ASSIGNMENT: &str = r#"{"checkId": "00000000-0000-4000-8000-00000000000a",
    "systemId": "00000000-0000-4000-8000-00000000000a", "selector": {}}"#;

/// Method, path, the scope that it needs, a body that it takes.
#[rustfmt::skip]
const ROUTES: &[(&str, &str, Option<Scope>, &str)] = &[
    ("POST",   "/api/v1/satellites",                   MANAGE, SATELLITE),
    ("GET",    "/api/v1/satellites",                   READ,   ""),
    ("GET",    "/api/v1/satellites/{id}",              READ,   ""),
    ("PATCH",  "/api/v1/satellites/{id}",              MANAGE, "{}"),
    ("DELETE", "/api/v1/satellites/{id}",              MANAGE, ""),
    ("POST",   "/api/v1/satellites/{id}/rotate-token", MANAGE, ""),
    ("GET",    "/api/v1/satellites/online-ids",        READ,   ""),
    ("GET",    "/api/v1/satellites/{id}/connection",   READ,   ""),
    ("GET",    "/api/v1/satellites/{id}/transitions",  READ,   ""),
    ("GET",    "/api/v1/satellites/{id}/explain",      READ,   ""),
    ("GET",    "/api/v1/triggers",                     READ,   ""),
    ("POST",   "/api/v1/webhooks",                     MANAGE, WEBHOOK),
    ("GET",    "/api/v1/webhooks",                     MANAGE, ""),
    ("GET",    "/api/v1/webhooks/{id}",                MANAGE, ""),
    ("PATCH",  "/api/v1/webhooks/{id}",                MANAGE, "{}"),
    ("DELETE", "/api/v1/webhooks/{id}",                MANAGE, ""),
    ("POST",   "/api/v1/webhooks/{id}/rotate-secret",  MANAGE, ""),
    ("POST",   "/api/v1/webhooks/{id}/test",           MANAGE, ""),
    ("GET",    "/api/v1/webhooks/{id}/deliveries",     MANAGE, ""),
    ("POST",   "/api/v1/webhooks/{id}/redeliver",      MANAGE, REDELIVER),
    ("POST",   "/api/v1/rules",                        MANAGE, RULE),
    ("GET",    "/api/v1/rules",                        MANAGE, ""),
    ("GET",    "/api/v1/rules/{id}",                   MANAGE, ""),
    ("PATCH",  "/api/v1/rules/{id}",                   MANAGE, "{}"),
    ("DELETE", "/api/v1/rules/{id}",                   MANAGE, ""),
    ("GET",    "/api/v1/rules/{id}/alerts",            MANAGE, ""),
    ("POST",   "/api/v1/connections/batch-get",        READ,   BATCH),
    ("GET",    "/api/v1/events",                       READ,   ""),
    ("POST",   "/api/v1/systems",                      MANAGE, SYSTEM),
    ("GET",    "/api/v1/systems",                      MANAGE, ""),
    ("GET",    "/api/v1/systems/{id}",                 MANAGE, ""),
    ("PATCH",  "/api/v1/systems/{id}",                 MANAGE, "{}"),
    ("DELETE", "/api/v1/systems/{id}",                 MANAGE, ""),
    ("POST",   "/api/v1/checks",                       MANAGE, CHECK),
    ("GET",    "/api/v1/checks",                       MANAGE, ""),
    ("GET",    "/api/v1/checks/{id}",                  MANAGE, ""),
    ("PATCH",  "/api/v1/checks/{id}",                  MANAGE, "{}"),
    ("DELETE", "/api/v1/checks/{id}",                  MANAGE, ""),
    ("POST",   "/api/v1/assignments",                  MANAGE, ASSIGNMENT),
    ("GET",    "/api/v1/assignments",                  MANAGE, ""),
    ("GET",    "/api/v1/assignments/{id}",             MANAGE, ""),
    ("PATCH",  "/api/v1/assignments/{id}",             MANAGE, "{}"),
    ("DELETE", "/api/v1/assignments/{id}",             MANAGE, ""),
    ("GET",    "/api/v1/results",                      READ,   ""),
    ("GET",    "/api/v1/results/latest",               READ,   ""),
    ("GET",    "/api/v1/satellites/{id}/strategy-errors", READ, ""),
    ("GET",    "/api/v1/sandbox-policy",               MANAGE, ""),
    ("PUT",    "/api/v1/sandbox-policy",               MANAGE, "{}"),
    ("GET",    "/api/v1/script-packages",              MANAGE, ""),
    ("PUT",    "/api/v1/script-packages",              MANAGE, PACKAGES),
    ("DELETE", "/api/v1/script-packages",              MANAGE, ""),
    ("GET",    "/api/v1/script-packages/lockfiles/{lockfileHash}", MANAGE, ""),
    ("POST",   "/api/v1/script-packages/blobs/find-missing", MANAGE, r#"{"blobs": []}"#),
    ("PUT",    "/api/v1/script-packages/blobs/{sha256}", MANAGE, BLOB),
    ("GET",    "/api/v1/script-packages/blobs/{sha256}", MANAGE, ""),
    ("GET",    "/api/v1/script-packages/sync-states",  MANAGE, ""),
    ("GET",    "/api/v1/satellites/{id}/script-packages", MANAGE, ""),
    ("GET",    "/api/v1/secrets",                      ADMIN,  ""),
    ("PUT",    "/api/v1/secrets/{name}",               ADMIN,  SECRET),
    ("DELETE", "/api/v1/secrets/{name}",               ADMIN,  ""),
    ("POST",   "/api/v1/secrets/reseal",               ADMIN,  ""),
    ("GET",    "/api/v1/secret-deliveries",            ADMIN,  ""),
    ("POST",   "/api/v1/api-tokens",                   ADMIN,  TOKEN),
    ("GET",    "/api/v1/api-tokens",                   ADMIN,  ""),
    ("DELETE", "/api/v1/api-tokens/{id}",              ADMIN,  ""),
    ("POST",   "/api/v1/session",                      NONE,   SIGN_IN),
    ("GET",    "/api/v1/session",                      READ,   ""),
    ("DELETE", "/api/v1/session",                      NONE,   ""),
    ("GET",    "/healthz",                             NONE,   ""),
    ("GET",    "/readyz",                              NONE,   ""),
    ("GET",    "/metrics",                             NONE,   ""),
    ("GET",    "/openapi.json",                        NONE,   ""),
];

type Route = (&'static str, &'static str, Option<Scope>, &'static str);

async fn try_route(route: &Route, authorization: Option<&str>) -> Answer {
    let (method, path, _, body) = route;
    let method: Method = method.parse().unwrap();
    let path = path.replace("{id}", ID).replace("{name}", "a");
    let path = path.replace("{lockfileHash}", HASH).replace("{sha256}", HASH);
    let mut asking = request(method, &path);
    if let Some(authorization) = authorization {
        asking = asking.header(AUTHORIZATION, authorization);
    }
    if !body.is_empty() {
        let media_type = if *body == BLOB { "application/gzip" } else { "application/json" };
        asking = asking.header(CONTENT_TYPE, media_type);
    }
    ask(willing(), asking.body(Body::from(*body)).unwrap()).await
}

fn guarded() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|(_, _, scope, _)| scope.is_some())
}

/// `POST /path scope` of every operation in the document.
fn documented(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].as_array().unwrap();
            let scope = security.first().map_or("", |one| one["apiToken"][0].as_str().unwrap());
            found.insert(format!("{} {path} {scope}", method.to_uppercase()));
        }
    }
    found
}

#[tokio::test]
async fn every_route_is_in_the_table_with_the_scope_that_the_document_names() {
    let document = get(fleet(), "/openapi.json").await.json();
    let name = |scope: Option<Scope>| scope.map_or("", Scope::name);
    let table: BTreeSet<String> = ROUTES
        .iter()
        .map(|(method, path, scope, _)| format!("{method} {path} {}", name(*scope)))
        .collect();
    assert_eq!(documented(&document), table);
}

#[tokio::test]
async fn without_a_token_every_guarded_route_asks_for_one() {
    for route in guarded() {
        for none in [None, Some("Basic YWRtaW4="), Some("Bearer "), Some("admin")] {
            let answer = try_route(route, none).await;
            answer.problem(401, "no-token");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{route:?}");
        }
    }
}

#[tokio::test]
async fn a_token_that_nobody_knows_is_refused_by_every_guarded_route() {
    for route in guarded() {
        let answer = try_route(route, Some("Bearer csat_stolen")).await;
        answer.problem(401, "bad-token");
        let challenge = Some("Bearer error=\"invalid_token\"");
        assert_eq!(answer.header("www-authenticate"), challenge, "{route:?}");
    }
}

#[tokio::test]
async fn a_token_opens_exactly_the_routes_that_its_scope_allows() {
    for route in guarded() {
        let needed = route.2.unwrap();
        for held in Scope::ALL {
            let answer = try_route(route, Some(&format!("bearer {held}"))).await;
            if held.allows(needed) {
                assert!(answer.status.is_success(), "{route:?} with {held}: {}", answer.text());
            } else {
                let detail = answer.problem(403, "missing-scope")["detail"].to_string();
                assert!(detail.contains(needed.name()), "{route:?} with {held}: {detail}");
            }
        }
    }
}

#[tokio::test]
async fn open_routes_need_no_token() {
    for route in ROUTES.iter().filter(|(_, _, scope, _)| scope.is_none()) {
        let expected = if route.0 == "DELETE" { 204 } else { 200 };
        assert_eq!(try_route(route, None).await.status, expected, "{route:?}");
    }
}

#[tokio::test]
async fn access_is_decided_before_the_request_is_looked_at() {
    let bad_body = (ROUTES[0].0, ROUTES[0].1, ROUTES[0].2, "no JSON");
    try_route(&bad_body, None).await.problem(401, "no-token");
    let bad_id = ("GET", "/api/v1/satellites/x", READ, "");
    try_route(&bad_id, None).await.problem(401, "no-token");
}

#[tokio::test]
async fn a_store_out_of_reach_is_no_bad_token() {
    let mut fleet = MockFleetService::new();
    let away = StoreError::Unavailable { doing: "read the API token", detail: "away".into() };
    fleet.expect_caller().return_once(|_| Err(FleetError::Store(away)));
    get(fleet, "/api/v1/satellites").await.problem(503, "store-unavailable");
}

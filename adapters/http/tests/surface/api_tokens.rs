//! `/api/v1/api-tokens`.

use groundcontrol_core::ports::{ApiToken, ApiTokenId, FleetError, Scope};
use groundcontrol_core::satellite::Token;
use groundcontrol_core::time::Timestamp;
use http::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

const TOKENS: &str = "/api/v1/api-tokens";

#[tokio::test]
async fn creating_answers_the_token_and_its_value_once() {
    let mut fleet = fleet();
    let end: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    fleet
        .expect_create_api_token()
        .withf(move |name, scopes, expires_at| {
            name == "ci"
                && *scopes == [Scope::SatelliteRead, Scope::SatelliteManage]
                && *expires_at == Some(end)
        })
        .return_once(move |_, _, _| {
            let token = ApiToken { expires_at: Some(end), ..api_token(1) };
            Ok((token, Token::presented("gcapi_new")))
        });
    let body = json!({
        "name": "ci", "scopes": ["satellite.manage", "satellite.read", "satellite.read"],
        "expiresAt": "2027-01-01T01:00:00+01:00",
    });
    let answer = post(fleet, TOKENS, &body.to_string()).await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.json(),
        json!({
            "apiToken": {
                "id": "00000000-0000-0000-0000-000000000001", "name": "token 1",
                "scopes": ["satellite.read"], "createdAt": "2026-02-02T02:40:00.001Z",
                "expiresAt": "2027-01-01T00:00:00.000Z",
            },
            "token": "gcapi_new",
        })
    );
}

#[tokio::test]
async fn every_fault_of_a_new_token_is_named_at_once() {
    let body = r#"{"name": " ", "scopes": ["root"], "expiresAt": "tomorrow", "scope": 1}"#;
    let answer = post(fleet(), TOKENS, body).await;
    assert_eq!(answer.faults(), ["/name", "/scopes/0", "/expiresAt", "/scope"]);
    let answer = post(fleet(), TOKENS, r#"{"name": "a", "scopes": []}"#).await;
    assert_eq!(answer.faults(), ["/scopes"]);
}

#[tokio::test]
async fn tokens_are_listed_oldest_first_without_their_values() {
    let mut fleet = fleet();
    fleet.expect_api_tokens().return_once(|| Ok(vec![api_token(2), api_token(1)]));
    let answer = get(fleet, TOKENS).await;
    let list = answer.json();
    assert_eq!(list["items"][0]["name"], "token 1");
    assert_eq!(list["items"][1]["name"], "token 2");
    assert!(!answer.text().contains("gcapi_"));
}

#[tokio::test]
async fn a_list_of_tokens_goes_on_though_one_of_them_was_revoked_meanwhile() {
    let same_moment = |number| ApiToken { created_at: at(0), ..api_token(number) };
    let mut first = fleet();
    first.expect_api_tokens().return_once(move || Ok((1..=4).map(same_moment).collect()));
    let page = get(first, "/api/v1/api-tokens?limit=2").await.json();
    let cursor = page["nextCursor"].as_str().unwrap();
    let mut second = fleet();
    second.expect_api_tokens().return_once(move || Ok([1, 3, 4].map(same_moment).to_vec()));
    let page = get(second, &format!("{TOKENS}?limit=2&cursor={cursor}")).await.json();
    let names: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["token 3", "token 4"]);
    assert!(page.get("nextCursor").is_none());
}

#[tokio::test]
async fn revoking_answers_nothing_and_revoking_nobody_is_not_found() {
    let path = format!("{TOKENS}/{ID}");
    let mut knowing = fleet();
    knowing
        .expect_delete_api_token()
        .withf(|id| *id == ApiTokenId(Uuid::parse_str(ID).unwrap()))
        .return_once(|_| Ok(()));
    assert_eq!(plain(knowing, Method::DELETE, &path).await.status, 204);
    let mut ignorant = fleet();
    let nobody = FleetError::NotFound { what: "API token" };
    ignorant.expect_delete_api_token().return_once(|_| Err(nobody));
    plain(ignorant, Method::DELETE, &path).await.problem(404, "not-found");
}

//! Rules: what is asked of the service, what is refused, and what webhooks are told of alerts.

use std::sync::Arc;

use axum::body::Body;
use groundcontrol_core::automation::{
    AlertCall, AlertNotice, AlertStanding, AlertState, ContentMode, Notice, Resolution,
};
use groundcontrol_core::connection::EventKind;
use groundcontrol_core::ports::{
    EventEncoder as _, FleetError, MockRuleService, MockWebhookService, RuleUpdate,
};
use groundcontrol_core::time::Millis;
use groundcontrol_http::{CloudEvents, HttpSettings, Services, router};
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::*;

const RULES: &str = "/api/v1/rules";

fn one() -> String {
    format!("{RULES}/{ID}")
}

/// Asks `rules` with a token that may everything.
async fn send_rules(rules: MockRuleService, method: Method, path: &str, body: &str) -> Answer {
    let request = request(method, path)
        .header(AUTHORIZATION, "Bearer admin")
        .header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let packages = crate::packages::willing_packages();
    let others = services(fleet(), willing_work(), packages, willing_secrets());
    let all = Services { rules: Arc::new(rules), ..others };
    let answer = router(all, HttpSettings::default()).oneshot(request).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: head.status, headers: head.headers, body }
}

async fn refused(method: Method, path: &str, body: &Value) -> Vec<String> {
    send(fleet(), method, path, &body.to_string()).await.faults()
}

#[tokio::test]
async fn a_new_rule_is_asked_for_to_the_letter() {
    let mut rules = MockRuleService::new();
    rules
        .expect_create_rule()
        .withf(|request| {
            request.name.as_str() == "a"
                && request.webhook.0 == id().0
                && request.filter.events == [EventKind::Disconnected].into()
                && request.filter.tags.to_string() == "lab"
                && request.lasts == Millis::from_secs(300)
                && request.steady == Millis::from_secs(60)
                && request.region_instead
                && !request.active
        })
        .return_once(|_| Ok(rule()));
    let body = json!({
        "name": "a", "webhookId": ID, "lastsSeconds": 300, "steadySeconds": 60,
        "regionInstead": true, "active": false,
        "filter": {"events": ["satellite.disconnected"], "tags": "lab"},
    });
    let answer = send_rules(rules, Method::POST, RULES, &body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("location"), Some(one().as_str()));
    assert_eq!(answer.json()["lastsSeconds"], 300);
}

#[tokio::test]
async fn every_fault_of_a_rule_is_named_by_its_place() {
    let body = json!({
        "name": " ", "lastsSeconds": 604_801, "steadySeconds": 86_401, "strange": 1,
        "filter": {"events": ["satellite.connected"]},
    });
    let mut faults = refused(Method::POST, RULES, &body).await;
    faults.sort();
    let expected =
        ["/filter/events", "/lastsSeconds", "/name", "/steadySeconds", "/strange", "/webhookId"];
    assert_eq!(faults, expected);
    let body = json!({"webhookId": "x"});
    assert_eq!(refused(Method::PATCH, &one(), &body).await, ["/webhookId"]);
}

#[tokio::test]
async fn a_change_of_a_rule_says_only_what_changes() {
    let mut rules = MockRuleService::new();
    let expected = RuleUpdate { lasts: Some(Millis::ZERO), ..RuleUpdate::default() };
    rules
        .expect_update_rule()
        .withf(move |_, update| *update == expected)
        .return_once(|_, _| Ok(rule()));
    let answer = send_rules(rules, Method::PATCH, &one(), r#"{"lastsSeconds": 0}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn alerts_are_listed_by_state_and_page() {
    let mut rules = MockRuleService::new();
    rules
        .expect_alerts()
        .withf(|query| {
            query.standing == Some(AlertStanding::Firing)
                && query.limit == 2
                && query.after.is_none()
        })
        .return_once(|_| {
            let firing = AlertState::Firing { at: at(9) };
            Ok(vec![alert(1, firing), alert(2, firing)])
        });
    let path = format!("{}/alerts?state=firing&limit=1", one());
    let page = send_rules(rules, Method::GET, &path, "").await.json();
    let item = &page["items"][0];
    assert_eq!((&item["state"], &item["satelliteId"]), (&json!("firing"), &json!(ID)));
    let cursor = page["nextCursor"].as_str().unwrap();
    let mut rules = MockRuleService::new();
    rules
        .expect_alerts()
        .withf(|query| query.after == Some((at(1), id().into())))
        .return_once(|_| Ok(vec![]));
    let next = format!("{path}&cursor={cursor}");
    assert_eq!(send_rules(rules, Method::GET, &next, "").await.status, 200);
    let path = format!("{}/alerts?state=strange", one());
    assert_eq!(get(fleet(), &path).await.faults(), ["?state"]);
}

#[tokio::test]
async fn a_webhook_that_a_rule_tells_is_not_removed() {
    let mut webhooks = MockWebhookService::new();
    webhooks.expect_remove_webhook().return_once(|_| {
        let name = "night shift".parse().unwrap();
        Err(FleetError::InUse { what: "webhook", by: "rule", name })
    });
    let path = format!("/api/v1/webhooks/{ID}");
    let problem = send_webhooks(webhooks, Method::DELETE, &path, "").await.problem(409, "in-use");
    assert!(problem["detail"].as_str().unwrap().contains("night shift"), "{problem}");
}

fn notice(call: AlertCall) -> Notice {
    let state = AlertState::Firing { at: at(9) };
    Notice::Alert(AlertNotice::of(&rule(), &alert(1, state), call, at(9)))
}

#[test]
fn an_alert_is_told_as_a_cloudevent() {
    let firing = notice(AlertCall::Firing);
    let encoded = CloudEvents.encode(&firing, ContentMode::Structured).unwrap();
    let told: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(told["id"], firing.id());
    assert_eq!((&told["type"], &told["subject"]), (&json!("alert.firing"), &json!("a")));
    assert_eq!(told["source"], format!("/rules/{ID}"));
    let data = &told["data"];
    assert_eq!((&data["satelliteId"], &data["region"]), (&json!(ID), &json!("eu")));
    assert_eq!(
        (&data["event"], &data["resolution"]),
        (&json!("satellite.heartbeat_lost"), &Value::Null)
    );
}

#[test]
fn what_is_over_has_the_same_alert_and_says_why() {
    let resolved = notice(AlertCall::Resolved(Resolution::Recovered));
    let encoded = CloudEvents.encode(&resolved, ContentMode::Binary).unwrap();
    let data: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(data["resolution"], "recovered");
    let attribute = |name: &str| {
        encoded.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    assert_eq!(attribute("type").as_deref(), Some("alert.resolved"));
    assert_eq!(attribute("id"), Some(format!("{}:2", data["alertId"].as_str().unwrap())));
}

#[tokio::test]
async fn a_regions_source_is_a_path_whatever_its_name() {
    let encoded =
        CloudEvents.encode(&Notice::Event(region_loss()), ContentMode::Structured).unwrap();
    let told: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(told["source"], "/regions/eu%20%2F%20north");
    assert_eq!((&told["contextkey"], &told["seq"]), (&json!("eu / north"), &json!(2)));
    assert_eq!(told["data"]["sharePercent"], 66);
    assert_eq!(told.get("epoch"), None);
}

//! Webhooks: what is asked of the service, what is shown of secrets, what is refused.

use groundcontrol_core::automation::{ContentMode, DeliveryState};
use groundcontrol_core::connection::{Cause, EventKind};
use groundcontrol_core::ports::{MockWebhookService, Redelivery, WebhookPatch};
use groundcontrol_core::satellite::{SatelliteId, Seq};
use groundcontrol_core::time::Millis;
use http::Method;
use serde_json::{Value, json};

use crate::support::*;

const WEBHOOKS: &str = "/api/v1/webhooks";

fn one() -> String {
    format!("{WEBHOOKS}/{ID}")
}

async fn refused(method: Method, path: &str, body: &Value) -> Vec<String> {
    send(fleet(), method, path, &body.to_string()).await.faults()
}

#[tokio::test]
async fn a_new_webhook_is_asked_for_to_the_letter_and_shows_its_secret_this_once() {
    let mut webhooks = MockWebhookService::new();
    webhooks
        .expect_create_webhook()
        .withf(|request| {
            let filter = &request.filter;
            let headers: Vec<_> = request.headers.expose().collect();
            request.name.as_str() == "a"
                && request.url.as_str() == "https://example.org"
                && filter.events == [EventKind::Connected].into()
                && filter.satellites == [id()].into()
                && filter.region.as_ref().is_some_and(|region| region.as_str() == "eu")
                && filter.tags.to_string() == "lab"
                && filter.causes == [Cause::TookOver].into()
                && headers == [("x-key", "v")]
                && request.mode == ContentMode::Binary
                && request.alerts_only
                && !request.active
        })
        .return_once(|_| Ok((webhook(), signing_secret())));
    let body = json!({
        "name": "a", "url": "https://example.org", "active": false, "mode": "binary",
        "alertsOnly": true,
        "headers": {"X-Key": "v"},
        "filter": {
            "events": ["satellite.connected"], "satelliteIds": [ID], "region": "eu",
            "tags": "lab", "causes": ["took_over"],
        },
    });
    let answer = send_webhooks(webhooks, Method::POST, WEBHOOKS, &body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("location"), Some(one().as_str()));
    assert_eq!(answer.json()["secret"], signing_secret().expose());
}

#[tokio::test]
async fn what_is_shown_later_hides_secrets_and_the_values_of_headers() {
    for path in [one(), WEBHOOKS.to_owned()] {
        let answer = get(willing(), &path).await;
        assert!(!answer.text().contains("whsec_") && !answer.text().contains("hidden"));
    }
    let shown = get(willing(), &one()).await.json();
    assert_eq!(shown["headerNames"], json!(["x-key"]));
    assert_eq!((&shown["active"], &shown["pausedReason"]), (&json!(false), &json!("failing")));
}

#[tokio::test]
async fn every_fault_of_a_webhook_is_named_by_its_place() {
    let body = json!({
        "name": " ", "url": "ftp://example.org", "headers": {"Host": "a"}, "mode": "neither",
        "filter": {"region": "", "tags": "(("}, "strange": 1,
    });
    let mut faults = refused(Method::POST, WEBHOOKS, &body).await;
    faults.sort();
    let expected =
        ["/filter/region", "/filter/tags", "/headers/Host", "/mode", "/name", "/strange", "/url"];
    assert_eq!(faults, expected);
    let body = json!({"filter": {"events": ["satellite.exploded"]}});
    assert_eq!(refused(Method::PATCH, &one(), &body).await, ["/filter/events/0"]);
}

#[tokio::test]
async fn a_change_says_only_what_changes() {
    let mut webhooks = MockWebhookService::new();
    webhooks
        .expect_update_webhook()
        .withf(|_, patch| *patch == WebhookPatch { active: Some(true), ..WebhookPatch::default() })
        .return_once(|_, _| Ok(webhook()));
    let answer = send_webhooks(webhooks, Method::PATCH, &one(), r#"{"active": true}"#).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_rotation_takes_an_overlap_of_at_most_a_week() {
    let mut webhooks = MockWebhookService::new();
    webhooks
        .expect_rotate_secret()
        .withf(|_, overlap| *overlap == Millis::from_secs(60))
        .return_once(|_, _| Ok((webhook(), signing_secret())));
    let path = format!("{}/rotate-secret", one());
    let answer = send_webhooks(webhooks, Method::POST, &path, r#"{"overlapSeconds": 60}"#).await;
    assert_eq!(answer.json()["secret"], signing_secret().expose());
    let body = json!({"overlapSeconds": 604_801});
    assert_eq!(refused(Method::POST, &path, &body).await, ["/overlapSeconds"]);
}

#[tokio::test]
async fn a_redelivery_is_of_one_event_or_since_a_time() {
    let again = async |expected: Redelivery, body: Value| {
        let mut webhooks = MockWebhookService::new();
        webhooks
            .expect_redeliver()
            .withf(move |_, which| *which == expected)
            .return_once(|_, _| Ok(3));
        let path = format!("{}/redeliver", one());
        send_webhooks(webhooks, Method::POST, &path, &body.to_string()).await.json()
    };
    let event = Redelivery::One(id().into(), Seq(7));
    assert_eq!(again(event, json!({"eventId": format!("{ID}:7")})).await, json!({"deliveries": 3}));
    let since = json!({"since": at(0).to_string()});
    assert_eq!(again(Redelivery::Since(at(0)), since).await["deliveries"], 3);
    let path = format!("{}/redeliver", one());
    assert_eq!(refused(Method::POST, &path, &json!({})).await, [""]);
    for strange in ["", "7", "x:7", &format!("{ID}:x")] {
        assert_eq!(refused(Method::POST, &path, &json!({"eventId": strange})).await[0], "/eventId");
    }
}

#[tokio::test]
async fn deliveries_are_listed_by_state_and_page() {
    let mut webhooks = MockWebhookService::new();
    webhooks
        .expect_deliveries()
        .withf(|query| {
            query.state == Some(DeliveryState::Dead) && query.limit == 2 && query.after.is_none()
        })
        .return_once(|_| Ok(vec![delivery(9), delivery(8)]));
    let path = format!("{}/deliveries?state=dead&limit=1", one());
    let page = ask_webhooks(webhooks, &path).await.json();
    let item = &page["items"][0];
    assert_eq!(item["eventId"], format!("{}:9", SatelliteId(id().0)));
    assert_eq!(
        item["last"],
        json!({"status": 500, "latencyMs": 12, "response": "r", "error": "e"})
    );
    let cursor = page["nextCursor"].as_str().unwrap();
    let mut webhooks = MockWebhookService::new();
    webhooks
        .expect_deliveries()
        .withf(|query| query.after == Some(9))
        .return_once(|_| Ok(vec![delivery(8)]));
    let next = format!("{path}&cursor={cursor}");
    assert_eq!(ask_webhooks(webhooks, &next).await.json()["items"][0]["seq"], 8);
    let path = format!("{}/deliveries?state=strange", one());
    assert_eq!(get(fleet(), &path).await.faults(), ["?state"]);
}

//! Webhooks: who is told of which events, and what became of it.

use std::collections::BTreeMap;

use groundcontrol_core::automation as core;
use groundcontrol_core::ports;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::alert::{AlertData, satellite_of};
use super::word::{
    Cause, ContentMode, DeliveryState, EventType, Instant, NoticeType, PauseReason, Secret,
};

/// Somebody who is told of events over HTTP. Values of headers and secrets are never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Its id.
    pub id: Uuid,
    /// Unique among all webhooks.
    #[schema(example = "On-call")]
    pub name: String,
    /// Where requests go.
    #[schema(example = "https://example.org/hooks/satellites")]
    pub url: String,
    /// Which events.
    pub filter: EventFilter,
    /// The names of the headers that requests carry besides.
    pub header_names: Vec<String>,
    /// How events are written.
    pub mode: ContentMode,
    /// Whether it is told of what rules make of events, and of no event by itself.
    pub alerts_only: bool,
    /// Whether events are delivered.
    pub active: bool,
    /// Why not, where they are not: `operator`, `gone` (the receiver answered 410) or `failing`
    /// (no attempt succeeded for a day).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub paused_reason: Option<PauseReason>,
    /// When the first attempt failed since one succeeded; absent while they succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failing_since: Option<Instant>,
    /// The signing secrets, newest first, without their values.
    pub secrets: Vec<SecretInfo>,
    /// When it was made.
    pub created_at: Instant,
}

/// What is shown of a signing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretInfo {
    /// Until when it signs; absent where it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<Instant>,
}

/// A webhook with its new signing secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// The secret that verifies `webhook-signature` (Standard Webhooks). Shown this once.
    pub secret: Secret,
}

/// Which events; all parts must fit, and what is absent or empty fits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventFilter {
    /// Only these events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventType>,
    /// Only of these satellites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub satellite_ids: Vec<Uuid>,
    /// Only of satellites in this region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "eu-central")]
    pub region: Option<String>,
    /// Only of satellites whose tags fit this expression when the event is on its way. One that was
    /// removed has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "tier in (edge, core), !lab")]
    pub tags: Option<String>,
    /// Only with these causes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
}

/// Makes a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "On-call", "url": "https://example.org/hooks/satellites",
    "filter": {"events": ["satellite.heartbeat_lost"], "region": "eu-central"},
    "headers": {"x-team": "on-call"}
}))]
pub struct CreateWebhook {
    /// 1–200 characters, no control characters, unique.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// `https://` or `http://`, without credentials. Addresses that are not public are refused
    /// unless an operator allows them with `--webhook-allow`.
    #[schema(max_length = 2000)]
    pub url: String,
    /// Which events; all where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub filter: Option<EventFilter>,
    /// What requests carry besides, by name; never shown again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How events are written; `structured` where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mode: Option<ContentMode>,
    /// True: it is told of what rules make of events, and of no event by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub alerts_only: Option<bool>,
    /// False: it is made paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

/// Changes a webhook; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"active": false}))]
pub struct UpdateWebhook {
    /// 1–200 characters, no control characters, unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// As when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000)]
    pub url: Option<String>,
    /// In place of the whole old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub filter: Option<EventFilter>,
    /// In place of all old ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub headers: Option<BTreeMap<String, String>>,
    /// How events are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mode: Option<ContentMode>,
    /// Whether it is told of what rules make of events, and of no event by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub alerts_only: Option<bool>,
    /// False pauses it; true makes it active, from where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

/// Gives a webhook a new signing secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"overlapSeconds": 3600}))]
pub struct RotateSecret {
    /// For how long the old secrets sign beside the new one; absent or 0: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 604_800)]
    pub overlap_seconds: Option<u64>,
}

/// Delivers again: one event, or all that became deliveries since a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"since": "2026-01-31T12:00:00.000Z"}))]
pub struct Redeliver {
    /// The id of the event, as it is in the list of deliveries: `<satelliteId>:<seq>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event_id: Option<String>,
    /// All deliveries made at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub since: Option<Instant>,
}

/// What is delivered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Redelivered {
    /// How many deliveries that are.
    pub deliveries: u64,
}

/// What came of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookTest {
    /// Whether the receiver took it.
    pub accepted: bool,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Attempt,
}

/// What was seen of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The status of the answer; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<u16>,
    /// How many milliseconds it took.
    pub latency_ms: u64,
    /// The beginning of the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub response: Option<String>,
    /// Why there was no answer, or what was wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
}

/// One event on its way to a webhook, or what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The id of the event, which requests carry as `webhook-id`.
    pub event_id: String,
    /// Whose event; absent where it is of no satellite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub satellite_id: Option<Uuid>,
    /// The number of the event.
    pub seq: u64,
    /// Which event, or `alert.firing` or `alert.resolved`.
    pub event: NoticeType,
    /// The alert, where it is told of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub alert: Option<AlertData>,
    /// `waiting`, `delivered` or `dead`.
    pub state: DeliveryState,
    /// How often it was attempted.
    pub attempts: u32,
    /// When it was made.
    pub created_at: Instant,
    /// When it is attempted next, where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_at: Option<Instant>,
    /// When it was attempted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub attempted_at: Option<Instant>,
    /// What was seen then; absent before the first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last: Option<Attempt>,
}

impl From<&core::Webhook> for Webhook {
    fn from(webhook: &core::Webhook) -> Self {
        let core::Health { failing_since, paused } = webhook.health;
        let secret =
            |kept: &core::KeptSecret| SecretInfo { expires_at: kept.expires_at.map(Instant) };
        Self {
            id: webhook.id.0,
            name: webhook.name.to_string(),
            url: webhook.url.to_string(),
            filter: (&webhook.filter).into(),
            header_names: webhook.headers.names().map(str::to_owned).collect(),
            mode: ContentMode(webhook.mode),
            alerts_only: webhook.alerts_only,
            active: paused.is_none(),
            paused_reason: paused.map(PauseReason),
            failing_since: failing_since.map(Instant),
            secrets: webhook.secrets.iter().map(secret).collect(),
            created_at: Instant(webhook.created_at),
        }
    }
}

impl From<&core::EventFilter> for EventFilter {
    fn from(filter: &core::EventFilter) -> Self {
        let tags = filter.tags.to_string();
        Self {
            events: filter.events.iter().copied().map(EventType).collect(),
            satellite_ids: filter.satellites.iter().map(|id| id.0).collect(),
            region: filter.region.as_ref().map(ToString::to_string),
            tags: (!tags.is_empty()).then_some(tags),
            causes: filter.causes.iter().copied().map(Cause).collect(),
        }
    }
}

impl From<&ports::AttemptSeen> for Attempt {
    fn from(seen: &ports::AttemptSeen) -> Self {
        Self {
            status: seen.status,
            latency_ms: seen.latency.get(),
            response: seen.response.clone(),
            error: seen.error.clone(),
        }
    }
}

impl From<&ports::SendReport> for WebhookTest {
    fn from(report: &ports::SendReport) -> Self {
        Self { accepted: report.answer == core::Answer::Accepted, seen: (&report.seen).into() }
    }
}

impl From<&ports::Delivery> for Delivery {
    fn from(delivery: &ports::Delivery) -> Self {
        let of_alert = delivery.alert.as_ref().and_then(|alert| alert.subject.satellite());
        let satellite_id = satellite_of(delivery.kind, delivery.context).or(of_alert);
        Self {
            event_id: format!("{}:{}", delivery.context, delivery.seq),
            satellite_id: satellite_id.map(|id| id.0),
            seq: delivery.seq.0,
            event: NoticeType(delivery.kind),
            alert: delivery.alert.as_ref().map(Into::into),
            state: DeliveryState(delivery.state),
            attempts: delivery.attempts,
            created_at: Instant(delivery.created_at),
            next_at: delivery.next_at.map(Instant),
            attempted_at: delivery.attempted_at.map(Instant),
            last: delivery.attempted_at.map(|_| (&delivery.seen).into()),
        }
    }
}

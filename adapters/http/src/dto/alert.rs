//! Alerts, as they are listed, stored and told to webhooks.

use groundcontrol_core::automation as core;
use groundcontrol_core::connection::ContextId;
use groundcontrol_core::satellite::SatelliteId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::word::{AlertStanding, AlertType, EventType, Instant, Resolution};

/// What a rule sees that is not as it should be: at most one alert of a rule is about the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// The rule.
    pub rule_id: Uuid,
    /// The satellite; absent where it is about a region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub satellite_id: Option<Uuid>,
    /// The satellite's name when it began; absent where it is about a region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The region, also of a satellite.
    pub region: String,
    /// The event that began it.
    pub event: EventType,
    /// When that was.
    pub since: Instant,
    /// `pending` (it did not last long enough yet), `held` (its whole region is lost, and the rule
    /// tells of that), `firing` (the webhook was told) or `recovering` (it is over, but not for
    /// long enough yet).
    pub state: AlertStanding,
    /// When the webhook was told; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fired_at: Option<Instant>,
    /// When time alone moves it on; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due_at: Option<Instant>,
}

/// What a webhook is told of an alert: a CloudEvent 1.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertEvent {
    /// `1.0`
    #[schema(example = "1.0")]
    pub specversion: String,
    /// `<alertId>:1` when it fires, `<alertId>:2` when it is resolved.
    pub id: String,
    /// `/rules/<ruleId>`
    pub source: String,
    /// `alert.firing` or `alert.resolved`.
    #[serde(rename = "type")]
    pub kind: AlertType,
    /// The name of the satellite or region.
    pub subject: String,
    /// When it was told for the first time.
    pub time: Instant,
    /// `application/json`
    #[schema(example = "application/json")]
    pub datacontenttype: String,
    /// The alert's id: an alert fires once and is resolved once, in this order.
    pub contextkey: String,
    /// 1 when it fires, 2 when it is resolved.
    pub seq: u64,
    /// The payload.
    pub data: AlertData,
}

/// The payload of what is told of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertData {
    /// The alert.
    pub alert_id: Uuid,
    /// The rule.
    pub rule_id: Uuid,
    /// The rule's name then.
    pub rule: String,
    /// Why it is resolved: `recovered`, `removed` or `rule_ended`; absent where it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub resolution: Option<Resolution>,
    /// The event that began it.
    pub event: EventType,
    /// When that was.
    pub since: Instant,
    /// The satellite; absent where it is about a region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub satellite_id: Option<Uuid>,
    /// The satellite's name when it began; absent where it is about a region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The region, also of a satellite.
    pub region: String,
}

impl From<&core::Alert> for Alert {
    fn from(alert: &core::Alert) -> Self {
        let (satellite_id, name) = satellite(&alert.subject);
        Self {
            id: alert.id.0.0,
            rule_id: alert.rule.0,
            satellite_id,
            name,
            region: alert.subject.region().to_string(),
            event: EventType(alert.event),
            since: Instant(alert.since),
            state: AlertStanding(alert.state.standing()),
            fired_at: alert.state.fired_at().map(Instant),
            due_at: alert.state.due().map(Instant),
        }
    }
}

impl From<&core::AlertNotice> for AlertEvent {
    fn from(notice: &core::AlertNotice) -> Self {
        let (context, seq) = notice.place();
        Self {
            specversion: "1.0".to_owned(),
            id: format!("{context}:{seq}"),
            source: format!("/rules/{}", notice.rule),
            kind: AlertType(notice.call.kind()),
            subject: notice.subject.name().to_owned(),
            time: Instant(notice.at),
            datacontenttype: "application/json".to_owned(),
            contextkey: context.to_string(),
            seq: seq.0,
            data: notice.into(),
        }
    }
}

impl From<&core::AlertNotice> for AlertData {
    fn from(notice: &core::AlertNotice) -> Self {
        let (satellite_id, name) = satellite(&notice.subject);
        let resolution = match notice.call {
            core::AlertCall::Firing => None,
            core::AlertCall::Resolved(why) => Some(Resolution(why)),
        };
        Self {
            alert_id: notice.alert.0.0,
            rule_id: notice.rule.0,
            rule: notice.rule_name.to_string(),
            resolution,
            event: EventType(notice.event),
            since: Instant(notice.since),
            satellite_id,
            name,
            region: notice.subject.region().to_string(),
        }
    }
}

fn satellite(subject: &core::AlertSubject) -> (Option<Uuid>, Option<String>) {
    match subject {
        core::AlertSubject::Satellite { id, name, .. } => (Some(id.0), Some(name.to_string())),
        core::AlertSubject::Region(_) => (None, None),
    }
}

/// The satellite that a context is, where what belongs to it is of one.
pub(super) fn satellite_of(kind: core::NoticeKind, context: ContextId) -> Option<SatelliteId> {
    use groundcontrol_core::connection::EventKind::RegionLossSuspected;
    match kind {
        core::NoticeKind::Event(RegionLossSuspected) | core::NoticeKind::Alert(_) => None,
        core::NoticeKind::Event(_) => Some(SatelliteId(context.0)),
    }
}

//! What the event stream carries.

use groundcontrol_core::connection as core;
use groundcontrol_core::ports;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::connection::ConnectionState;
use super::word::{Cause, EventType, Instant, Status};

/// One message of the event stream: an event, or a signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum StreamMessage {
    /// With an SSE `id:`, resumable.
    Event(Box<CloudEvent>),
    /// Without one.
    Signal(Signal),
}

/// An event as a CloudEvent 1.0 in structured JSON: of a satellite, or of a region.
///
/// The states before and after are in `data`, because CloudEvents allows no objects beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CloudEvent {
    /// `1.0`
    #[schema(example = "1.0")]
    pub specversion: String,
    /// `<satelliteId>:<seq>`, for a region an id of its own in place of the satellite's; the same
    /// event always has the same.
    pub id: String,
    /// `/satellites/<satelliteId>`, `/regions/<region>`
    pub source: String,
    /// Which event.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The name of the satellite or region; absent where a satellite was removed before it ever
    /// connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject: Option<String>,
    /// When it was recorded.
    pub time: Instant,
    /// `application/json`
    #[schema(example = "application/json")]
    pub datacontenttype: String,
    /// The satellite's id, the region's name: events with the same key are in the order of `seq`.
    pub contextkey: String,
    /// 1, 2, 3 … without a gap per context key.
    pub seq: u64,
    /// The number of the session; absent where it is no event of a satellite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub epoch: Option<u64>,
    /// Why; absent for a removal and for a region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cause: Option<Cause>,
    /// Who caused it, where a person or an API token did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub actor: Option<String>,
    /// The payload.
    pub data: EventData,
}

/// The payload of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum EventData {
    /// Of `satellite.connected`, `satellite.disconnected` and `satellite.heartbeat_lost`.
    Edge(EdgeData),
    /// Of `satellite.removed`.
    Removed(RemovedData),
    /// Of `fleet.region_loss_suspected`.
    RegionLoss(RegionLossData),
}

/// The payload of an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EdgeData {
    /// Whose.
    pub satellite_id: Uuid,
    /// Its name then.
    pub name: String,
    /// Its region then.
    pub region: String,
    /// Its status right after the edge.
    pub status: Status,
    /// When it was last heard; null after a clean disconnect.
    #[schema(required = true)]
    pub last_seen_at: Option<Instant>,
    /// The state before; null before the first.
    #[schema(required = true)]
    pub previous: Option<ConnectionState>,
    /// The state after.
    pub next: ConnectionState,
}

/// The payload of a removal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemovedData {
    /// Whose.
    pub satellite_id: Uuid,
    /// The state before; null when it never connected.
    #[schema(required = true)]
    pub previous: Option<ConnectionState>,
}

/// The payload of the suspected loss of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegionLossData {
    /// Which region.
    pub region: String,
    /// How many of its satellites fell silent since `since`, and are.
    pub lost: u64,
    /// They, and those that are connected.
    pub total: u64,
    /// The part of them that is lost, in hundredths, rounded down.
    #[schema(maximum = 100)]
    pub share_percent: u64,
    /// Within how many seconds the losses had to come to count.
    pub window_seconds: u64,
    /// When the first of them was recorded.
    pub since: Instant,
}

/// A hint to look again; never the truth itself, not resumable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum Signal {
    /// With every edge, and when a satellite is removed.
    #[serde(rename = "satellite.status_changed", rename_all = "camelCase")]
    StatusChanged {
        /// Whose.
        satellite_id: Uuid,
        /// The status since.
        status: Status,
        /// Its name; absent where it is not known any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        name: Option<String>,
        /// Its region; absent where it is not known any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        region: Option<String>,
    },
    /// Created, changed, rotated, or its work changed.
    #[serde(rename = "satellite.config_changed", rename_all = "camelCase")]
    ConfigChanged {
        /// Whose.
        satellite_id: Uuid,
    },
    /// A webhook is paused, because its receiver wants no more or failed for too long.
    #[serde(rename = "webhook.paused", rename_all = "camelCase")]
    WebhookPaused {
        /// Which.
        webhook_id: Uuid,
    },
}

impl Signal {
    /// The names of all signals.
    pub const NAMES: &'static [&'static str] =
        &["satellite.status_changed", "satellite.config_changed", "webhook.paused"];

    /// The name of a signal, as in its `type`.
    pub fn name(signal: &ports::Signal) -> &'static str {
        match signal {
            ports::Signal::StatusChanged { .. } => Self::NAMES[0],
            ports::Signal::ConfigChanged { .. } => Self::NAMES[1],
            ports::Signal::WebhookPaused { .. } => Self::NAMES[2],
        }
    }
}

impl CloudEvent {
    /// The satellite that it is of; none where it is of none.
    pub fn satellite_id(&self) -> Option<Uuid> {
        match &self.data {
            EventData::Edge(edge) => Some(edge.satellite_id),
            EventData::Removed(removed) => Some(removed.satellite_id),
            EventData::RegionLoss(_) => None,
        }
    }
}

impl From<&core::Event> for CloudEvent {
    fn from(event: &core::Event) -> Self {
        match event {
            core::Event::Satellite(event) => event.into(),
            core::Event::RegionLoss(loss) => Self {
                specversion: "1.0".to_owned(),
                id: event.id(),
                source: format!("/regions/{}", path_segment(loss.region.as_str())),
                kind: EventType(event.kind()),
                subject: Some(loss.region.to_string()),
                time: Instant(loss.occurred_at),
                datacontenttype: "application/json".to_owned(),
                contextkey: loss.region.to_string(),
                seq: loss.seq.0,
                epoch: None,
                cause: None,
                actor: None,
                data: EventData::RegionLoss(loss.into()),
            },
        }
    }
}

/// `text` as it can stand in a URI (RFC 3986, section 2.3).
fn path_segment(text: &str) -> String {
    const UNRESERVED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string()
}

impl From<&core::RegionLoss> for RegionLossData {
    fn from(loss: &core::RegionLoss) -> Self {
        Self {
            region: loss.region.to_string(),
            lost: loss.lost,
            total: loss.total,
            share_percent: loss.share_percent(),
            window_seconds: loss.window.get() / 1_000,
            since: Instant(loss.since),
        }
    }
}

impl From<&core::SatelliteEvent> for CloudEvent {
    fn from(event: &core::SatelliteEvent) -> Self {
        let named = event.next.as_ref().or(event.previous.as_ref());
        Self {
            specversion: "1.0".to_owned(),
            id: event.id.clone(),
            source: format!("/satellites/{}", event.satellite),
            kind: EventType(event.kind),
            subject: named.map(|state| state.name.to_string()),
            time: Instant(event.occurred_at),
            datacontenttype: "application/json".to_owned(),
            contextkey: event.satellite.to_string(),
            seq: event.seq.0,
            epoch: Some(event.epoch.0),
            cause: event.cause.map(Cause),
            actor: event.actor.as_ref().map(|actor| actor.0.clone()),
            data: event.into(),
        }
    }
}

impl From<&core::SatelliteEvent> for EventData {
    fn from(event: &core::SatelliteEvent) -> Self {
        let satellite_id = event.satellite.0;
        let previous = event.previous.as_ref().map(Into::into);
        match &event.next {
            None => Self::Removed(RemovedData { satellite_id, previous }),
            Some(next) => Self::Edge(EdgeData {
                satellite_id,
                name: next.name.to_string(),
                region: next.region.to_string(),
                status: Status(next.status),
                last_seen_at: next.last_seen_at.map(Instant),
                previous,
                next: next.into(),
            }),
        }
    }
}

impl From<&ports::Signal> for Signal {
    fn from(signal: &ports::Signal) -> Self {
        match signal {
            ports::Signal::StatusChanged { satellite, status, name, region } => {
                Self::StatusChanged {
                    satellite_id: satellite.0,
                    status: Status(*status),
                    name: name.as_ref().map(ToString::to_string),
                    region: region.as_ref().map(ToString::to_string),
                }
            }
            ports::Signal::ConfigChanged { satellite } => {
                Self::ConfigChanged { satellite_id: satellite.0 }
            }
            ports::Signal::WebhookPaused { webhook } => {
                Self::WebhookPaused { webhook_id: webhook.0 }
            }
        }
    }
}

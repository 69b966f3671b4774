//! Connections: their state, and how it came to be.

use std::collections::BTreeMap;

use groundcontrol_core::connection as core;
use groundcontrol_core::satellite::{SatelliteId, Seq};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::word::{Cause, Edge, Instant, LastEvent, Status};

/// The state of a satellite's connection, at the moment of reading or of an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "status": "online", "name": "Frankfurt 1", "region": "eu-central",
    "lastSeenAt": "2026-01-31T12:00:09.000Z", "lastEvent": "connected",
    "lastEventAt": "2026-01-31T12:00:00.000Z", "cause": "authenticated", "seq": 1, "epoch": 1
}))]
pub struct ConnectionState {
    /// Online or offline.
    pub status: Status,
    /// The satellite's name.
    pub name: String,
    /// The satellite's region.
    pub region: String,
    /// When it was last heard; null after a clean disconnect.
    #[schema(required = true)]
    pub last_seen_at: Option<Instant>,
    /// The last edge; absent only where a newer server recorded one that this one does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_event: Option<LastEvent>,
    /// When it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_event_at: Option<Instant>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cause: Option<Cause>,
    /// The number of the last edge: 1, 2, 3 … without a gap per satellite.
    pub seq: u64,
    /// The number of the session: 1, 2, 3 …
    pub epoch: u64,
}

/// One recorded edge of one satellite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// `<satelliteId>:<seq>`, also the id of the event that follows from it.
    pub id: String,
    /// Whose.
    pub satellite_id: Uuid,
    /// Its number: 1, 2, 3 … without a gap per satellite.
    pub seq: u64,
    /// The number of the session.
    pub epoch: u64,
    /// Which edge; absent only where a newer server recorded one that this one does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event: Option<Edge>,
    /// Why; absent for a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cause: Option<Cause>,
    /// When it was recorded.
    pub occurred_at: Instant,
    /// The pod that recorded it.
    pub pod: String,
    /// Who caused it, where a person or an API token did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub actor: Option<String>,
    /// The satellite's address as the pod saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub remote_address: Option<String>,
    /// The state before; null before the first.
    #[schema(required = true)]
    pub previous: Option<ConnectionState>,
    /// The state after; null for a removal.
    #[schema(required = true)]
    pub next: Option<ConnectionState>,
}

/// The satellites that are online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnlineIds {
    /// Their ids, in any order.
    pub satellite_ids: Vec<Uuid>,
}

/// Asks for many connection states at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"ids": ["67e55044-10b1-426f-9247-bb680e5fe0c8"]}))]
pub struct BatchGet {
    /// Of these satellites; as many as fit into a body.
    pub ids: Vec<Uuid>,
}

/// Many connection states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionStates {
    /// By satellite id; unknown and never-connected satellites are left out.
    pub states: BTreeMap<Uuid, ConnectionState>,
}

impl From<&core::ConnectionState> for ConnectionState {
    fn from(state: &core::ConnectionState) -> Self {
        Self {
            status: Status(state.status),
            name: state.name.to_string(),
            region: state.region.to_string(),
            last_seen_at: state.last_seen_at.map(Instant),
            last_event: state.last_event.map(LastEvent),
            last_event_at: state.last_event_at.map(Instant),
            cause: state.cause.map(Cause),
            seq: state.seq.0,
            epoch: state.epoch.0,
        }
    }
}

impl From<&core::Transition> for Transition {
    fn from(transition: &core::Transition) -> Self {
        Self {
            id: transition_id(transition.satellite, transition.seq),
            satellite_id: transition.satellite.0,
            seq: transition.seq.0,
            epoch: transition.epoch.0,
            event: transition.kind.map(Edge),
            cause: transition.cause.map(Cause),
            occurred_at: Instant(transition.occurred_at),
            pod: transition.pod.to_string(),
            actor: transition.actor.as_ref().map(|actor| actor.0.clone()),
            remote_address: transition.remote_address.clone(),
            previous: transition.previous.as_ref().map(Into::into),
            next: transition.next.as_ref().map(Into::into),
        }
    }
}

/// The id of a satellite's transition number `seq`.
fn transition_id(satellite: SatelliteId, seq: Seq) -> String {
    format!("{satellite}:{seq}")
}

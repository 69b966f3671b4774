//! Satellites, and what is asked about them.

use std::collections::BTreeMap;

use groundcontrol_core::ports::{Created, SatelliteView};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::word::{Instant, LastEvent, Manager, Secret, Status};

/// A satellite as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "name": "Frankfurt 1", "region": "eu-central",
    "tags": {"env": "prod"}, "capabilities": [], "version": "1.4.0", "enabled": true,
    "status": "online", "lastSeenAt": "2026-01-31T12:00:09.000Z", "lastEvent": "connected",
    "lastEventAt": "2026-01-31T12:00:00.000Z", "configRevision": 4, "appliedRevision": 4,
    "createdAt": "2026-01-30T08:15:00.000Z"
}))]
pub struct Satellite {
    /// Its id, which is also its agent's `clientId`.
    pub id: Uuid,
    /// Unique among all satellites.
    #[schema(example = "Frankfurt 1")]
    pub name: String,
    /// Where it runs.
    #[schema(example = "eu-central")]
    pub region: String,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// What its agent said it can do.
    pub capabilities: Vec<String>,
    /// The version of its agent, once it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub version: Option<String>,
    /// False: it is refused until it is enabled again.
    pub enabled: bool,
    /// Its own offline threshold in milliseconds; absent where the default is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub offline_threshold_ms: Option<u64>,
    /// Its status.
    pub status: Status,
    /// When it was last heard; absent when it never was, and after a clean disconnect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_seen_at: Option<Instant>,
    /// Its last edge; absent when it never connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_event: Option<LastEvent>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_event_at: Option<Instant>,
    /// The revision of the work that it was told last; 0 where it never had any. Absent where this
    /// server gives no work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub config_revision: Option<u64>,
    /// The revision that its agent said it runs, once it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub applied_revision: Option<u64>,
    /// What made it and keeps it; absent where a person did, or a program that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub managed_by: Option<Manager>,
    /// When it was made.
    pub created_at: Instant,
}

/// A satellite with its new token.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreatedSatellite {
    /// The satellite.
    pub satellite: Satellite,
    /// Its token: `csat_` and 43 base64url characters.
    pub token: Secret,
}

/// Makes a satellite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "Frankfurt 1", "region": "eu-central", "tags": {"env": "prod"}}))]
pub struct CreateSatellite {
    /// 1–200 characters, no control characters, unique.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// 1–200 characters, no control characters.
    #[schema(min_length = 1, max_length = 200)]
    pub region: String,
    /// At most 64; keys of 1–63, values of up to 255 characters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Two heartbeat intervals to 7 days, in milliseconds; absent for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 604_800_000)]
    pub offline_threshold_ms: Option<u64>,
    /// What makes it and will keep it; absent for a person. Only what `gitops` made does it remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub managed_by: Option<Manager>,
}

/// Changes a satellite; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"region": "eu-west", "offlineThresholdMs": null, "enabled": false}))]
pub struct UpdateSatellite {
    /// 1–200 characters, no control characters, unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// 1–200 characters, no control characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub region: Option<String>,
    /// In place of all old tags. At most 64; keys of 1–63, values of up to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tags: Option<BTreeMap<String, String>>,
    /// Two heartbeat intervals to 7 days, in milliseconds; null (`Some(None)`) for the default.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<u64>, maximum = 604_800_000)]
    pub offline_threshold_ms: Option<Option<u64>>,
    /// False revokes the satellite's sessions and refuses it until it is enabled again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
}

/// Gives a satellite a new token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"overlapSeconds": 3600}))]
pub struct RotateToken {
    /// For how many seconds the old token works beside the new one, up to 7 days. Absent or 0:
    /// it stops at once and its connection is shut down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 604_800)]
    pub overlap_seconds: Option<u64>,
}

impl From<&SatelliteView> for Satellite {
    fn from(view: &SatelliteView) -> Self {
        let (satellite, record) = (&view.stored.satellite, &view.stored.record);
        Self {
            id: satellite.id.0,
            name: satellite.name.to_string(),
            region: satellite.region.to_string(),
            tags: satellite.tags.as_map().clone(),
            capabilities: satellite.agent.capabilities.clone(),
            version: satellite.agent.version.clone(),
            enabled: satellite.enabled,
            offline_threshold_ms: satellite.own_threshold.map(|own| own.get().get()),
            status: Status(view.status),
            last_seen_at: record.last_heartbeat_at.map(Instant),
            last_event: record.last_event.map(LastEvent),
            last_event_at: record.last_event_at.map(Instant),
            config_revision: view.work.map(|work| work.revision.0),
            applied_revision: view.work.and_then(|work| work.applied).map(|revision| revision.0),
            managed_by: satellite.managed_by.map(Manager),
            created_at: Instant(satellite.created_at),
        }
    }
}

impl From<&Created> for CreatedSatellite {
    fn from(created: &Created) -> Self {
        Self { satellite: (&created.view).into(), token: (&created.token).into() }
    }
}

/// Tells null (`Some(None)`) from absent (`None`, by `default`).
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

//! Rows and transitions as JSON. The core's types are nobody's format: what is stored is spelled
//! out here, and read back with the core's own checks.
//!
//! Text that no longer makes sense is an error that names its row. Only names of edges and causes
//! that this version does not know are read as none (rule E4): a newer version may have written
//! them, and is running beside this one during an upgrade.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use groundcontrol_core::connection::{
    Actor, Cause, ConnectionRecord, ConnectionState, LifecycleEvent, Status, Transition,
    TransitionKind,
};
use groundcontrol_core::desired::Manager;
use groundcontrol_core::satellite::{
    CredentialVersion, Epoch, HashedToken, OwnThreshold, PodName, ReportedAgent, Satellite,
    SatelliteId, Seq, SessionId, Tags, TokenHash, TokenId,
};
use groundcontrol_core::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{Done, Failure};
use super::rows::Row;

#[derive(Serialize, Deserialize)]
struct StoredRow {
    name: String,
    region: String,
    tags: BTreeMap<String, String>,
    own_threshold: Option<u64>,
    enabled: bool,
    version: Option<String>,
    capabilities: Vec<String>,
    #[serde(default)]
    managed_by: Option<String>,
    created_at: i64,
    credential_version: u64,
    tokens: Vec<StoredToken>,
    epoch: u64,
    session: Option<Uuid>,
    token: Option<Uuid>,
    last_heartbeat_at: Option<i64>,
    last_event: Option<String>,
    last_event_at: Option<i64>,
    last_cause: Option<String>,
    seq: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredToken {
    id: Uuid,
    hash: String,
    expires_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredTransition {
    satellite: Uuid,
    seq: u64,
    epoch: u64,
    session: Option<Uuid>,
    kind: Option<String>,
    cause: Option<String>,
    occurred_at: i64,
    pod: String,
    actor: Option<String>,
    remote_address: Option<String>,
    previous: Option<StoredState>,
    next: Option<StoredState>,
}

#[derive(Serialize, Deserialize)]
struct StoredState {
    status: String,
    name: String,
    region: String,
    last_seen_at: Option<i64>,
    last_event: Option<String>,
    last_event_at: Option<i64>,
    cause: Option<String>,
    seq: u64,
    epoch: u64,
}

pub(super) fn row_bytes(row: &Row) -> Done<Vec<u8>> {
    let Row { satellite, record, credential_version, tokens } = row;
    let id = satellite.id;
    bytes(
        format_args!("satellite {id}"),
        &StoredRow {
            name: satellite.name.to_string(),
            region: satellite.region.to_string(),
            tags: satellite.tags.as_map().clone(),
            own_threshold: satellite.own_threshold.map(|own| own.get().get()),
            enabled: satellite.enabled,
            version: satellite.agent.version.clone(),
            capabilities: satellite.agent.capabilities.clone(),
            managed_by: satellite.managed_by.map(|manager| manager.name().to_owned()),
            created_at: satellite.created_at.as_millis(),
            credential_version: credential_version.0,
            tokens: tokens.iter().map(StoredToken::from).collect(),
            epoch: record.epoch.0,
            session: record.session.map(|session| session.0),
            token: record.token.map(|token| token.0),
            last_heartbeat_at: record.last_heartbeat_at.map(Timestamp::as_millis),
            last_event: record.last_event.map(|event| event.name().to_owned()),
            last_event_at: record.last_event_at.map(Timestamp::as_millis),
            last_cause: record.last_cause.map(|cause| cause.name().to_owned()),
            seq: record.seq.0,
        },
    )
}

/// The row of the satellite with this id.
pub(super) fn row(id: u128, bytes: &[u8]) -> Done<Row> {
    let id = SatelliteId(Uuid::from_u128(id));
    read(format_args!("satellite {id}"), bytes, |stored: StoredRow| {
        Ok(Row {
            satellite: Satellite {
                id,
                name: parse(&stored.name)?,
                region: parse(&stored.region)?,
                tags: Tags::new(stored.tags).map_err(|(_, why)| format!("a tag {why}"))?,
                own_threshold: stored.own_threshold.map(Millis::new).and_then(OwnThreshold::stored),
                enabled: stored.enabled,
                agent: ReportedAgent { version: stored.version, capabilities: stored.capabilities },
                managed_by: stored.managed_by.as_deref().and_then(Manager::from_name),
                created_at: Timestamp::from_millis(stored.created_at),
            },
            record: ConnectionRecord {
                epoch: Epoch(stored.epoch),
                session: stored.session.map(SessionId),
                token: stored.token.map(TokenId),
                last_heartbeat_at: stored.last_heartbeat_at.map(Timestamp::from_millis),
                last_event: stored.last_event.as_deref().and_then(LifecycleEvent::from_name),
                last_event_at: stored.last_event_at.map(Timestamp::from_millis),
                last_cause: stored.last_cause.as_deref().and_then(Cause::from_name),
                seq: Seq(stored.seq),
            },
            credential_version: CredentialVersion(stored.credential_version),
            tokens: stored.tokens.into_iter().map(hashed_token).collect::<Result<_, _>>()?,
        })
    })
}

impl From<&HashedToken> for StoredToken {
    fn from(token: &HashedToken) -> Self {
        Self {
            id: token.id.0,
            hash: token.hash.to_stored(),
            expires_at: token.expires_at.map(Timestamp::as_millis),
        }
    }
}

fn hashed_token(stored: StoredToken) -> Result<HashedToken, String> {
    Ok(HashedToken {
        id: TokenId(stored.id),
        hash: TokenHash::from_stored(&stored.hash).map_err(|why| why.to_string())?,
        expires_at: stored.expires_at.map(Timestamp::from_millis),
    })
}

pub(super) fn transition_bytes(transition: &Transition) -> Done<Vec<u8>> {
    let Transition { satellite, seq, .. } = transition;
    bytes(
        format_args!("transition {satellite}:{seq}"),
        &StoredTransition {
            satellite: satellite.0,
            seq: seq.0,
            epoch: transition.epoch.0,
            session: transition.session.map(|session| session.0),
            kind: transition.kind.map(|kind| kind.name().to_owned()),
            cause: transition.cause.map(|cause| cause.name().to_owned()),
            occurred_at: transition.occurred_at.as_millis(),
            pod: transition.pod.to_string(),
            actor: transition.actor.as_ref().map(|actor| actor.0.clone()),
            remote_address: transition.remote_address.clone(),
            previous: transition.previous.as_ref().map(StoredState::from),
            next: transition.next.as_ref().map(StoredState::from),
        },
    )
}

/// The transition at this place.
pub(super) fn transition(place: u64, bytes: &[u8]) -> Done<Transition> {
    read(format_args!("the event at {place}"), bytes, |stored: StoredTransition| {
        Ok(Transition {
            satellite: SatelliteId(stored.satellite),
            seq: Seq(stored.seq),
            epoch: Epoch(stored.epoch),
            session: stored.session.map(SessionId),
            kind: stored.kind.as_deref().and_then(TransitionKind::from_name),
            cause: stored.cause.as_deref().and_then(Cause::from_name),
            occurred_at: Timestamp::from_millis(stored.occurred_at),
            pod: PodName::new(&stored.pod),
            actor: stored.actor.map(Actor),
            remote_address: stored.remote_address,
            previous: stored.previous.map(state).transpose()?,
            next: stored.next.map(state).transpose()?,
        })
    })
}

impl From<&ConnectionState> for StoredState {
    fn from(state: &ConnectionState) -> Self {
        Self {
            status: state.status.name().to_owned(),
            name: state.name.to_string(),
            region: state.region.to_string(),
            last_seen_at: state.last_seen_at.map(Timestamp::as_millis),
            last_event: state.last_event.map(|event| event.name().to_owned()),
            last_event_at: state.last_event_at.map(Timestamp::as_millis),
            cause: state.cause.map(|cause| cause.name().to_owned()),
            seq: state.seq.0,
            epoch: state.epoch.0,
        }
    }
}

fn state(stored: StoredState) -> Result<ConnectionState, String> {
    let status = Status::from_name(&stored.status);
    Ok(ConnectionState {
        status: status.ok_or_else(|| format!("{:?} is no status", stored.status))?,
        name: parse(&stored.name)?,
        region: parse(&stored.region)?,
        last_seen_at: stored.last_seen_at.map(Timestamp::from_millis),
        last_event: stored.last_event.as_deref().and_then(LifecycleEvent::from_name),
        last_event_at: stored.last_event_at.map(Timestamp::from_millis),
        cause: stored.cause.as_deref().and_then(Cause::from_name),
        seq: Seq(stored.seq),
        epoch: Epoch(stored.epoch),
    })
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|why| format!("{text:?} {why}"))
}

fn bytes(what: impl Display, stored: &impl Serialize) -> Done<Vec<u8>> {
    serde_json::to_vec(stored).map_err(|why| Failure::Corrupt(format!("{what}: {why}")))
}

fn read<S: for<'a> Deserialize<'a>, T>(
    what: impl Display,
    bytes: &[u8],
    convert: impl FnOnce(S) -> Result<T, String>,
) -> Done<T> {
    let stored = serde_json::from_slice(bytes).map_err(|why| why.to_string());
    stored.and_then(convert).map_err(|why| Failure::Corrupt(format!("{what}: {why}")))
}

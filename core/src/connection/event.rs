//! Edges as they are recorded, and as others hear of them (rules E1–E4, T7).

use std::fmt;

use super::decide::Change;
use super::record::{Cause, ConnectionRecord, LifecycleEvent, named};
use super::status::{ConnectionState, Status};
use crate::satellite::{Epoch, Name, PodName, Region, SatelliteId, Seq, SessionId};
use crate::time::{Millis, Timestamp};

/// What a decision wants recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// Which edge.
    pub event: LifecycleEvent,
    /// Why.
    pub cause: Cause,
}

/// The person or API token that caused a transition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(pub String);

/// One recorded edge of one satellite: the history, and the outbox of events at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Whose.
    pub satellite: SatelliteId,
    /// Its number: 1, 2, 3 … without a gap per satellite.
    pub seq: Seq,
    /// The session's number.
    pub epoch: Epoch,
    /// The session; none for a satellite that was removed before it ever connected.
    pub session: Option<SessionId>,
    /// Which edge; none where a newer version recorded one that this one does not know.
    pub kind: Option<TransitionKind>,
    /// Why; none for a removal.
    pub cause: Option<Cause>,
    /// Store time of the write.
    pub occurred_at: Timestamp,
    /// The pod that wrote it.
    pub pod: PodName,
    /// Who caused it, where a person or an API token did.
    pub actor: Option<Actor>,
    /// The satellite's address as the pod saw it, for a `connected` edge.
    pub remote_address: Option<String>,
    /// The state before; none before the first.
    pub previous: Option<ConnectionState>,
    /// The state after; none for a removal.
    pub next: Option<ConnectionState>,
}

/// What a transition records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransitionKind {
    /// An edge of the connection.
    Edge(LifecycleEvent),
    /// The end of the satellite itself (rule T7).
    Removed,
}

/// The type of an event, as automations select it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// `satellite.connected`
    Connected,
    /// `satellite.disconnected`
    Disconnected,
    /// `satellite.heartbeat_lost`
    HeartbeatLost,
    /// `satellite.removed`
    Removed,
    /// `fleet.region_loss_suspected`
    RegionLossSuspected,
}

named!(EventKind {
    Connected => "satellite.connected",
    Disconnected => "satellite.disconnected",
    HeartbeatLost => "satellite.heartbeat_lost",
    Removed => "satellite.removed",
    RegionLossSuspected => "fleet.region_loss_suspected",
});

/// An event of a satellite, derived from one transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SatelliteEvent {
    /// `<satelliteId>:<seq>`
    pub id: String,
    /// Which event.
    pub kind: EventKind,
    /// The satellite, which is also the context key (rule E2).
    pub satellite: SatelliteId,
    /// The transition's number.
    pub seq: Seq,
    /// The session's number.
    pub epoch: Epoch,
    /// When.
    pub occurred_at: Timestamp,
    /// Why.
    pub cause: Option<Cause>,
    /// Who caused it.
    pub actor: Option<Actor>,
    /// The state before.
    pub previous: Option<ConnectionState>,
    /// The state after.
    pub next: Option<ConnectionState>,
}

/// What is recorded beside an edge: where and on whose behalf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The pod that writes.
    pub pod: PodName,
    /// Who caused it, where a person or an API token did.
    pub actor: Option<Actor>,
    /// The satellite's address, where a connection is what happened.
    pub remote_address: Option<String>,
}

/// A satellite as the store holds it when an edge is written.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its id.
    pub id: SatelliteId,
    /// Its name then.
    pub name: &'a Name,
    /// Its region then.
    pub region: &'a Region,
    /// The threshold in force then.
    pub threshold: Millis,
}

impl Transition {
    /// The transition of `change`, decided on `before` at store time `now`.
    pub fn of_edge(
        subject: Subject<'_>,
        before: &ConnectionRecord,
        change: &Change,
        origin: Origin,
        now: Timestamp,
    ) -> Self {
        let after = &change.next;
        let occurred_at = after.last_event_at.unwrap_or(now);
        let read = |record, at| {
            ConnectionState::read(record, subject.name, subject.region, subject.threshold, at)
        };
        Self {
            satellite: subject.id,
            seq: after.seq,
            epoch: after.epoch,
            session: after.session,
            kind: Some(TransitionKind::Edge(change.edge.event)),
            cause: Some(change.edge.cause),
            occurred_at,
            pod: origin.pod,
            actor: origin.actor,
            remote_address: origin.remote_address,
            previous: read(before, now),
            next: read(after, occurred_at),
        }
    }

    /// The last transition of a satellite that is removed at store time `now` (rule T7): the
    /// next seq, no connection edge.
    pub fn of_removal(
        subject: Subject<'_>,
        before: &ConnectionRecord,
        origin: Origin,
        now: Timestamp,
    ) -> Self {
        Self {
            satellite: subject.id,
            seq: before.seq.next(),
            epoch: before.epoch,
            session: before.session,
            kind: Some(TransitionKind::Removed),
            cause: None,
            occurred_at: before.last_event_at.map_or(now, |last| last.max(now)),
            pod: origin.pod,
            actor: origin.actor,
            remote_address: origin.remote_address,
            previous: ConnectionState::read(
                before,
                subject.name,
                subject.region,
                subject.threshold,
                now,
            ),
            next: None,
        }
    }
}

impl TransitionKind {
    /// The name in store and API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge(event) => event.name(),
            Self::Removed => "removed",
        }
    }

    /// The kind called `name`; none where it is unknown (rule E4).
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "removed" => Some(Self::Removed),
            name => LifecycleEvent::from_name(name).map(Self::Edge),
        }
    }
}

impl EventKind {
    /// Rule E1: the kind follows from the edge, never from a difference in status.
    pub const fn of(kind: TransitionKind) -> Self {
        match kind {
            TransitionKind::Edge(LifecycleEvent::Connected) => Self::Connected,
            TransitionKind::Edge(LifecycleEvent::Disconnected) => Self::Disconnected,
            TransitionKind::Edge(LifecycleEvent::HeartbeatLost) => Self::HeartbeatLost,
            TransitionKind::Removed => Self::Removed,
        }
    }

    /// The status that the satellite has right after it; none where it is no event of one.
    pub const fn status(self) -> Option<Status> {
        match self {
            Self::Connected => Some(Status::Online),
            Self::Disconnected | Self::HeartbeatLost | Self::Removed => Some(Status::Offline),
            Self::RegionLossSuspected => None,
        }
    }
}

impl SatelliteEvent {
    /// The event of a transition; none where its edge is unknown (rule E4).
    pub fn derive(transition: &Transition) -> Option<Self> {
        let kind = EventKind::of(transition.kind?);
        let tombstone = transition.next.is_none();
        if tombstone != (kind == EventKind::Removed) {
            return None;
        }
        Some(Self {
            id: format!("{}:{}", transition.satellite, transition.seq),
            kind,
            satellite: transition.satellite,
            seq: transition.seq,
            epoch: transition.epoch,
            occurred_at: transition.occurred_at,
            cause: transition.cause,
            actor: transition.actor.clone(),
            previous: transition.previous.clone(),
            next: transition.next.clone(),
        })
    }

    /// The state after, or the last one of a satellite that was removed.
    pub fn state(&self) -> Option<&ConnectionState> {
        self.next.as_ref().or(self.previous.as_ref())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

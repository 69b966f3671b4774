//! The durable truth about satellites and their connections.

use std::net::IpAddr;

use async_trait::async_trait;

use super::{EventCursor, RecordedEvent, StoreResult};
use crate::connection::{
    Change, Command, ConnectionRecord, ConnectionState, Context, Origin, Status, Subject,
    Transition, WatchSpan, status,
};
use crate::satellite::{
    CredentialVersion, Epoch, HashedToken, Liveness, Name, OwnThreshold, PodName, Region,
    ReportedAgent, Satellite, SatelliteId, Seq, Tags, TokenHash, TokenId,
};
use crate::time::{Millis, Timestamp};

/// Satellites, their credentials, their connections and their history.
///
/// Every promise below has a case in `conformance::satellite_store`.
///
/// * **Durable**: what was answered is stored, also after a crash.
/// * **Conditional**: a write that depends on what was read is made only while that is still so;
///   otherwise it changes nothing and says [`WriteOutcome::Conflict`].
/// * **Together**: a record and its transition are written both or not at all (rule E3).
/// * **Concurrent**: any number of callers, connections and pods.
///
/// May be wrong about: nothing. May fail: any call, with a [`StoreError`](super::StoreError);
/// only `OutcomeUnknown` leaves open whether a write was made.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SatelliteStore: Send + Sync {
    /// The fleet-wide settings; none before the first [`set_liveness`](Self::set_liveness). Until
    /// then the default threshold is [`OFFLINE_THRESHOLD`](crate::limits::OFFLINE_THRESHOLD).
    async fn liveness(&self) -> StoreResult<Option<Liveness>>;

    /// Stores the fleet-wide settings and answers those that were in force (rule S2).
    async fn set_liveness(&self, liveness: Liveness) -> StoreResult<Option<Liveness>>;

    /// Makes a satellite with an empty connection record and one token. Where one with this id
    /// exists, nothing is changed. The caller draws the id at random, and never again that of a
    /// satellite which was removed.
    async fn create(&self, new: NewSatellite) -> StoreResult<CreateOutcome>;

    /// One satellite.
    async fn get(&self, id: SatelliteId) -> StoreResult<Option<StoredSatellite>>;

    /// Those of `ids` that exist, each once, in any order. Any number of ids.
    async fn get_many(&self, ids: &[SatelliteId]) -> StoreResult<Vec<StoredSatellite>>;

    /// The satellites that match, at most `limit`, ordered by name: by its bytes in UTF-8, which
    /// is also what makes two names different.
    async fn list(&self, query: &ListQuery) -> StoreResult<Vec<StoredSatellite>>;

    /// The ids of all satellites that are online at `now` (rule S1), in any order.
    async fn online_ids(&self, now: Timestamp) -> StoreResult<Vec<SatelliteId>>;

    /// Changes how a satellite is described: all fields that are `Some`, or nothing.
    async fn update(&self, id: SatelliteId, update: SatelliteUpdate) -> StoreResult<UpdateOutcome>;

    /// Stores what an agent says of itself; a removed satellite is ignored.
    async fn record_agent(&self, id: SatelliteId, agent: ReportedAgent) -> StoreResult<()>;

    /// What authenticating needs, read together: tokens, record, versions (rule T1).
    async fn credentials(&self, id: SatelliteId) -> StoreResult<Option<Credentials>>;

    /// What deciding about a connection needs, read together.
    async fn snapshot(&self, id: SatelliteId) -> StoreResult<Option<ConnectionSnapshot>>;

    /// Writes edges, each under its own guard; answers in the order of `writes`. A write that
    /// conflicts, or whose satellite is gone, hinders no other. The transition recorded is
    /// [`EdgeWrite::transition`]; nothing changes it later. Where a satellite appears twice, the
    /// writes count as made one after the other: of two on the same read one conflicts.
    async fn record_edges(&self, writes: Vec<EdgeWrite>) -> StoreResult<Vec<WriteOutcome>>;

    /// Moves heartbeat times as rule T2 says, for the sessions that are current and connected:
    /// max(old, min(at, now)), never an edge. Answers which of `batch` were **not** applied, as
    /// indexes in ascending order; those are for `decide`. Not applied are those of a satellite
    /// that does not exist, of another epoch, or on a record that is not `connected`; one that
    /// is no news is applied, and changes nothing. A satellite appears at most once. Any number.
    async fn record_heartbeats(
        &self,
        batch: &[HeartbeatWrite],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>>;

    /// Up to `limit` satellites that are overdue by rule T5 at `now`, if the present span of
    /// watching began at `watching_since`, whatever span is stored. Those come first whose own
    /// threshold passed first after their heartbeat. Reads no others, except those that only
    /// `watching_since` spares.
    async fn overdue(
        &self,
        now: Timestamp,
        settle: Millis,
        watching_since: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<ConnectionSnapshot>>;

    /// The earliest moment at which a connected satellite's threshold passes, settle and
    /// watching apart; none when nobody is connected. Reads a constant number of rows.
    async fn next_threshold(&self) -> StoreResult<Option<Timestamp>>;

    /// The smallest threshold of any satellite, or the default if that is smaller.
    async fn smallest_threshold(&self) -> StoreResult<Millis>;

    /// Changes a satellite's credentials, and closes a session with it where the change says so,
    /// in one write (rule T8). The credential version grows by one, except for a rehash. The
    /// transition recorded is [`CredentialChange::transition`].
    async fn change_credentials(&self, change: CredentialChange) -> StoreResult<WriteOutcome>;

    /// The satellites with a token that expired at or before `now`, at most `limit`, in any
    /// order; a satellite once for each such token.
    async fn expired_tokens(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(SatelliteId, TokenId)>>;

    /// Whether any stored token hash is bcrypt, so that unknown ids must cost as much.
    async fn has_slow_hashes(&self) -> StoreResult<bool>;

    /// Removes a satellite with its record and credentials, and records its last event
    /// (rule T7): [`Removal::transition`]. Its transitions stay; its name is free.
    async fn remove(&self, removal: Removal) -> StoreResult<WriteOutcome>;

    /// Renews this pod's watch lease until `now` + `lease`, or later if it was, and answers the
    /// span that is now: [`WatchSpan::renewed`] of the one before (rule T5).
    async fn renew_watch(
        &self,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<WatchSpan>;

    /// Ends this pod's watch lease at once; the span then ends with the last lease in it, at
    /// `now` where there is no other. Of a pod without a lease: nothing.
    async fn end_watch(&self, pod: &PodName, now: Timestamp) -> StoreResult<()>;

    /// A satellite's transitions with a seq below `before` (all, when none), newest first.
    async fn transitions(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> StoreResult<Vec<Transition>>;

    /// The transitions of all satellites after `after` (from the first, when none), in an order
    /// that never changes and in which nothing is ever inserted before what was answered; a
    /// satellite's are in the order of their seq.
    async fn events_after(
        &self,
        after: Option<EventCursor>,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>>;

    /// The cursor of the newest event that [`events_after`](Self::events_after) would answer.
    /// A cursor is never given to another event, also after the newest was pruned.
    async fn newest_event(&self) -> StoreResult<Option<EventCursor>>;

    /// Deletes up to `limit` transitions that occurred before `before`, of the oldest first;
    /// answers how many.
    async fn prune_transitions(&self, before: Timestamp, limit: usize) -> StoreResult<u64>;

    /// Reads and writes a trifle, to tell whether the store can do both.
    async fn probe(&self, now: Timestamp) -> StoreResult<()>;
}

/// A satellite to be made.
#[derive(Clone, Debug)]
pub struct NewSatellite {
    /// The satellite, with the id that it shall have.
    pub satellite: Satellite,
    /// Its first token.
    pub token: HashedToken,
}

/// What became of a creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// It exists now; also when the same creation came twice.
    Created,
    /// Another satellite has the name.
    NameTaken,
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// Done.
    Updated,
    /// Another satellite has the name.
    NameTaken,
    /// There is no such satellite.
    Gone,
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Written.
    Applied,
    /// What was read is no longer so; nothing was written. Read and decide again.
    Conflict,
    /// The satellite does not exist (any more); nothing was written.
    Gone,
}

/// A satellite with its connection record, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSatellite {
    /// The satellite.
    pub satellite: Satellite,
    /// Its connection.
    pub record: ConnectionRecord,
    /// The threshold in force (rule S2).
    pub threshold: Millis,
}

impl StoredSatellite {
    /// Its status at `now` (rule S1).
    pub fn status(&self, now: Timestamp) -> Status {
        status(&self.record, self.threshold, now)
    }

    /// Its connection state at `now`; none when it never connected (rule S4).
    pub fn state(&self, now: Timestamp) -> Option<ConnectionState> {
        let Satellite { name, region, .. } = &self.satellite;
        ConnectionState::read(&self.record, name, region, self.threshold, now)
    }
}

/// Which satellites to list.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Store time at which `status` is meant.
    pub now: Timestamp,
    /// Only those with this status (rule S3: the same rule, as a cutoff).
    pub status: Option<Status>,
    /// Only those in this region.
    pub region: Option<String>,
    /// Only those with all of these tags.
    pub tags: Vec<(String, String)>,
    /// Only those whose name or region contains this text, or whose id (hyphenated) begins with
    /// it; without regard to the case of ASCII letters. No character is a wildcard.
    pub text: Option<String>,
    /// Only those whose name comes after this one.
    pub after: Option<Name>,
    /// At most this many.
    pub limit: usize,
}

/// A change to how a satellite is described; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SatelliteUpdate {
    /// The new name.
    pub name: Option<Name>,
    /// The new region.
    pub region: Option<Region>,
    /// The new tags, in place of all old ones.
    pub tags: Option<Tags>,
    /// The new threshold of its own; `Some(None)` for the default.
    pub own_threshold: Option<Option<OwnThreshold>>,
}

/// What deciding about one connection needs, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSnapshot {
    /// Whose.
    pub satellite: SatelliteId,
    /// Its name.
    pub name: Name,
    /// Its region.
    pub region: Region,
    /// Its record.
    pub record: ConnectionRecord,
    /// Its own threshold.
    pub own_threshold: Option<OwnThreshold>,
    /// The default threshold.
    pub default_threshold: Millis,
    /// Its credential version.
    pub credential_version: CredentialVersion,
    /// The present span of watching, or the last one; none before the first.
    pub watch: Option<WatchSpan>,
}

impl ConnectionSnapshot {
    /// The threshold in force (rule S2).
    pub fn threshold(&self) -> Millis {
        self.own_threshold.map_or(self.default_threshold, OwnThreshold::get)
    }

    /// The context of a decision at `now`.
    pub fn context(&self, now: Timestamp, settle: Millis) -> Context {
        Context {
            now,
            threshold: self.threshold(),
            settle,
            credential_version: self.credential_version,
            watch: self.watch,
        }
    }

    /// The satellite as transitions name it.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            id: self.satellite,
            name: &self.name,
            region: &self.region,
            threshold: self.threshold(),
        }
    }
}

/// What authenticating needs, read together (rule T1).
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Record, thresholds and credential version.
    pub snapshot: ConnectionSnapshot,
    /// False: it is refused like an unknown one.
    pub enabled: bool,
    /// The tokens that it may present.
    pub tokens: Vec<HashedToken>,
    /// What its agent said last, so that only news are written.
    pub agent: ReportedAgent,
}

/// An edge to be written if what was read is still so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeWrite {
    /// What it was decided on: the write holds only while seq and epoch are as read here.
    pub read: ConnectionSnapshot,
    /// What was decided.
    pub change: Change,
    /// What else must still be as read.
    pub guard: Guard,
    /// Where and on whose behalf.
    pub origin: Origin,
    /// Store time of the decision.
    pub now: Timestamp,
}

impl EdgeWrite {
    /// The transition that this write records, as the names were read.
    pub fn transition(&self) -> Transition {
        let subject = self.read.subject();
        Transition::of_edge(subject, &self.read.record, &self.change, self.origin.clone(), self.now)
    }
}

/// What an edge depends on besides seq and epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// T3, T4: nothing more.
    Session,
    /// T1: the credential version is as read.
    Credential,
    /// T5: heartbeat, own and default threshold and the start of the watch span are as read (see
    /// [`SilenceGuard`]), and the watch lease of the pod that writes (`origin.pod`) is alive at
    /// the write's `now`: `now` is not after the lease's end. (A store that knows the time may
    /// compare with its own where that is later.)
    Silence,
}

impl Guard {
    /// What an edge that `command` causes depends on.
    pub const fn of(command: &Command) -> Self {
        match command {
            Command::Heartbeat { .. } | Command::Close { .. } => Self::Session,
            Command::Connect { .. } | Command::Revoke { .. } => Self::Credential,
            Command::Sweep => Self::Silence,
        }
    }
}

/// The part of a snapshot that [`Guard::Silence`] compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SilenceGuard {
    /// The heartbeat time.
    pub heard: Option<Timestamp>,
    /// The satellite's own threshold.
    pub own_threshold: Option<OwnThreshold>,
    /// The default threshold.
    pub default_threshold: Millis,
    /// The start of the watch span.
    pub watching_since: Option<Timestamp>,
}

impl From<&ConnectionSnapshot> for SilenceGuard {
    fn from(read: &ConnectionSnapshot) -> Self {
        Self {
            heard: read.record.last_heartbeat_at,
            own_threshold: read.own_threshold,
            default_threshold: read.default_threshold,
            watching_since: read.watch.map(|span| span.since),
        }
    }
}

/// A heartbeat to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatWrite {
    /// Whose.
    pub satellite: SatelliteId,
    /// The session that sent it.
    pub epoch: Epoch,
    /// Store time of its receipt.
    pub at: Timestamp,
}

/// A change of credentials, with the edge that it causes.
#[derive(Clone, Debug)]
pub struct CredentialChange {
    /// What it was decided on: the write holds only while seq, epoch and credential version are
    /// as read here.
    pub read: ConnectionSnapshot,
    /// The change.
    pub action: CredentialAction,
    /// The close of the session that ends with the credential (rule T8).
    pub edge: Option<Change>,
    /// Where and on whose behalf.
    pub origin: Origin,
    /// Store time of the decision.
    pub now: Timestamp,
}

impl CredentialChange {
    /// The transition that it records, as the names were read; none where no session ends.
    pub fn transition(&self) -> Option<Transition> {
        let (read, origin) = (&self.read, &self.origin);
        self.edge.as_ref().map(|change| {
            Transition::of_edge(read.subject(), &read.record, change, origin.clone(), self.now)
        })
    }
}

/// What changes about a satellite's credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialAction {
    /// The new token replaces all others.
    Replace(HashedToken),
    /// The new token is added; all others end at the given time, or earlier if they would have.
    Overlap {
        /// The new token, which the satellite does not have yet.
        new: HashedToken,
        /// When the others end.
        until: Timestamp,
    },
    /// This token is dropped: its overlap is over.
    Drop(TokenId),
    /// The satellite is enabled or disabled; its tokens stay.
    SetEnabled(bool),
    /// The same token with a faster hash; the credential version stays.
    Rehash {
        /// Which token.
        token: TokenId,
        /// Its new hash.
        hash: TokenHash,
    },
}

impl CredentialAction {
    /// Whether `held` is as this change would make it. Tokens are drawn at random, so one that is
    /// there was put there by this very change, though its answer may have been lost.
    pub fn is_done(&self, held: &Credentials) -> bool {
        let has = |id| held.tokens.iter().any(|token| token.id == id);
        match self {
            Self::Replace(new) | Self::Overlap { new, .. } => has(new.id),
            Self::Drop(token) => !has(*token),
            Self::SetEnabled(enabled) => held.enabled == *enabled,
            Self::Rehash { token, hash } => {
                held.tokens.iter().any(|held| held.id == *token && held.hash == *hash)
            }
        }
    }
}

/// A satellite to be removed.
#[derive(Clone, Debug)]
pub struct Removal {
    /// What it was decided on: the write holds only while seq and epoch are as read here.
    pub read: ConnectionSnapshot,
    /// Where and on whose behalf.
    pub origin: Origin,
    /// Store time of the decision.
    pub now: Timestamp,
}

impl Removal {
    /// The transition that it records, as the names were read.
    pub fn transition(&self) -> Transition {
        let read = &self.read;
        Transition::of_removal(read.subject(), &read.record, self.origin.clone(), self.now)
    }
}

/// The remote address as it is recorded.
pub fn recorded_address(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

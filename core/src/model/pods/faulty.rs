//! Deliberate bugs in a store, around any adapter. Each breaks one promise of the port.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::connection::{LifecycleEvent, Transition, WatchSpan};
use crate::ports::{
    ConnectionSnapshot, CreateOutcome, CredentialChange, Credentials, EdgeWrite, EventCursor,
    Guard, HeartbeatWrite, ListQuery, NewSatellite, RecordedEvent, Removal, SatelliteStore,
    SatelliteUpdate, SilenceGuard, StoreResult, StoredSatellite, UpdateOutcome, WriteOutcome,
};
use crate::satellite::{Liveness, PodName, ReportedAgent, SatelliteId, Seq, TokenId};
use crate::time::{Millis, Timestamp};

/// A promise that a store breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreBug {
    /// An edge is written whatever was written since the reading.
    WritesUnconditionally,
    /// A connect is written though the credential changed since it was checked.
    CredentialNotCompared,
    /// A loss is written though a heartbeat came since the reading.
    LossIgnoresHeartbeat,
    /// A loss is written though the threshold changed since the reading.
    LossIgnoresThreshold,
    /// A loss is written though the span of watching is another one.
    LossIgnoresWatchSpan,
    /// A loss is written by a pod whose lease is over.
    LossIgnoresLease,
    /// The end of a credential closes its session in a second write.
    ClosesInSecondWrite,
    /// The batch applies heartbeats to whatever session is current.
    BatchIgnoresEpoch,
    /// Numbers are taken before the write is known to hold.
    SeqBeforeCommit,
    /// The transition is there before the state, and stays when the state's write does not hold.
    EventBeforeState,
    /// An event is told twice.
    EventTwice,
    /// The transition of a disconnect is not recorded.
    EventLost,
    /// The first connect after a removal makes the row anew.
    ConnectCreates,
    /// A write that did not hold is answered as if it did.
    ConflictUntold,
    /// Online ids are those heard within the threshold, whatever the last event.
    OnlineByHeartbeatAlone,
    /// A look for silence goes by the default threshold for all.
    OverdueByDefaultThreshold,
    /// A look for silence forgets those heard before watching began.
    OverdueForgetsEarlier,
}

impl StoreBug {
    /// Every bug.
    pub const ALL: &'static [Self] = &[
        Self::WritesUnconditionally,
        Self::CredentialNotCompared,
        Self::LossIgnoresHeartbeat,
        Self::LossIgnoresThreshold,
        Self::LossIgnoresWatchSpan,
        Self::LossIgnoresLease,
        Self::ClosesInSecondWrite,
        Self::BatchIgnoresEpoch,
        Self::SeqBeforeCommit,
        Self::EventBeforeState,
        Self::EventTwice,
        Self::EventLost,
        Self::ConnectCreates,
        Self::ConflictUntold,
        Self::OnlineByHeartbeatAlone,
        Self::OverdueByDefaultThreshold,
        Self::OverdueForgetsEarlier,
    ];
}

/// A store with one bug, for one satellite and callers that call one after the other.
pub struct FaultyStore {
    inner: Arc<dyn SatelliteStore>,
    bug: StoreBug,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    created: Option<NewSatellite>,
    second_write: Option<EdgeWrite>,
    phantoms: Vec<Transition>,
    next_seq: Option<Seq>,
}

impl FaultyStore {
    /// `inner` with `bug`.
    pub fn new(inner: Arc<dyn SatelliteStore>, bug: StoreBug) -> Self {
        Self { inner, bug, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, bug: StoreBug) -> bool {
        self.bug == bug
    }

    async fn record_edge(&self, mut write: EdgeWrite) -> StoreResult<WriteOutcome> {
        let stored = self.inner.snapshot(write.read.satellite).await?;
        match &stored {
            Some(stored) => self.mislead(&mut write, stored),
            None if self.has(StoreBug::ConnectCreates) => return self.create_with(write).await,
            None => {}
        }
        let transition = write.transition();
        let outcomes = self.inner.record_edges(vec![write]).await?;
        let outcome = outcomes.first().copied().unwrap_or(WriteOutcome::Conflict);
        if outcome == WriteOutcome::Conflict && self.has(StoreBug::EventBeforeState) {
            self.memory().phantoms.push(transition);
        }
        if outcome == WriteOutcome::Conflict && self.has(StoreBug::ConflictUntold) {
            return Ok(WriteOutcome::Applied);
        }
        Ok(outcome)
    }

    /// Lets the inner store compare less than it should.
    fn mislead(&self, write: &mut EdgeWrite, stored: &ConnectionSnapshot) {
        let (read, now) = (SilenceGuard::from(&write.read), SilenceGuard::from(stored));
        let ignoring = match self.bug {
            StoreBug::LossIgnoresHeartbeat => SilenceGuard { heard: now.heard, ..read } == now,
            StoreBug::LossIgnoresThreshold => {
                let (own_threshold, default_threshold) = (now.own_threshold, now.default_threshold);
                SilenceGuard { own_threshold, default_threshold, ..read } == now
            }
            StoreBug::LossIgnoresWatchSpan => {
                SilenceGuard { watching_since: now.watching_since, ..read } == now
            }
            StoreBug::LossIgnoresLease => read == now,
            _ => false,
        };
        match self.bug {
            _ if ignoring && write.guard == Guard::Silence => write.guard = Guard::Session,
            StoreBug::CredentialNotCompared if write.guard == Guard::Credential => {
                write.guard = Guard::Session;
            }
            StoreBug::WritesUnconditionally => {
                write.guard = Guard::Session;
                write.read.record.seq = stored.record.seq;
                write.read.record.epoch = stored.record.epoch;
            }
            StoreBug::SeqBeforeCommit => {
                let mut memory = self.memory();
                let seq = memory.next_seq.unwrap_or(Seq(1));
                memory.next_seq = Some(seq.next());
                write.change.next.seq = seq;
            }
            _ => {}
        }
    }

    async fn create_with(&self, mut write: EdgeWrite) -> StoreResult<WriteOutcome> {
        let created = self.memory().created.clone();
        let is_connect = write.change.edge.event == LifecycleEvent::Connected;
        let Some(new) = created.filter(|_| is_connect) else { return Ok(WriteOutcome::Gone) };
        let id = new.satellite.id;
        self.inner.create(new).await?;
        if let Some(read) = self.inner.snapshot(id).await? {
            write.guard = Guard::Session;
            write.read = read;
        }
        let outcomes = self.inner.record_edges(vec![write]).await?;
        Ok(outcomes.first().copied().unwrap_or(WriteOutcome::Conflict))
    }

    async fn do_second_write(&self) -> StoreResult<()> {
        let waiting = self.memory().second_write.take();
        if let Some(write) = waiting {
            self.inner.record_edges(vec![write]).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl SatelliteStore for FaultyStore {
    async fn liveness(&self) -> StoreResult<Option<Liveness>> {
        self.inner.liveness().await
    }

    async fn set_liveness(&self, liveness: Liveness) -> StoreResult<Option<Liveness>> {
        self.inner.set_liveness(liveness).await
    }

    async fn create(&self, new: NewSatellite) -> StoreResult<CreateOutcome> {
        self.memory().created = Some(new.clone());
        self.inner.create(new).await
    }

    async fn get(&self, id: SatelliteId) -> StoreResult<Option<StoredSatellite>> {
        self.inner.get(id).await
    }

    async fn get_many(&self, ids: &[SatelliteId]) -> StoreResult<Vec<StoredSatellite>> {
        self.inner.get_many(ids).await
    }

    async fn list(&self, query: &ListQuery) -> StoreResult<Vec<StoredSatellite>> {
        self.inner.list(query).await
    }

    async fn online_ids(&self, now: Timestamp) -> StoreResult<Vec<SatelliteId>> {
        if !self.has(StoreBug::OnlineByHeartbeatAlone) {
            return self.inner.online_ids(now).await;
        }
        let all = self.inner.list(&ListQuery { now, limit: 1_000, ..ListQuery::default() }).await?;
        let heard = |stored: &StoredSatellite| {
            stored.record.last_heartbeat_at.is_some_and(|at| now.since(at) <= stored.threshold)
        };
        Ok(all.into_iter().filter(heard).map(|stored| stored.satellite.id).collect())
    }

    async fn update(&self, id: SatelliteId, update: SatelliteUpdate) -> StoreResult<UpdateOutcome> {
        self.inner.update(id, update).await
    }

    async fn record_agent(&self, id: SatelliteId, agent: ReportedAgent) -> StoreResult<()> {
        self.inner.record_agent(id, agent).await
    }

    async fn credentials(&self, id: SatelliteId) -> StoreResult<Option<Credentials>> {
        self.inner.credentials(id).await
    }

    async fn snapshot(&self, id: SatelliteId) -> StoreResult<Option<ConnectionSnapshot>> {
        self.inner.snapshot(id).await
    }

    async fn record_edges(&self, writes: Vec<EdgeWrite>) -> StoreResult<Vec<WriteOutcome>> {
        self.do_second_write().await?;
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            outcomes.push(self.record_edge(write).await?);
        }
        Ok(outcomes)
    }

    async fn record_heartbeats(
        &self,
        batch: &[HeartbeatWrite],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>> {
        self.do_second_write().await?;
        let mut batch = batch.to_vec();
        if self.has(StoreBug::BatchIgnoresEpoch) {
            for beat in &mut batch {
                if let Some(stored) = self.inner.snapshot(beat.satellite).await? {
                    beat.epoch = stored.record.epoch;
                }
            }
        }
        self.inner.record_heartbeats(&batch, now).await
    }

    async fn overdue(
        &self,
        now: Timestamp,
        settle: Millis,
        watching_since: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<ConnectionSnapshot>> {
        let mut found = self.inner.overdue(now, settle, watching_since, limit).await?;
        match self.bug {
            StoreBug::OverdueByDefaultThreshold => found.retain(|one| {
                let heard = one.record.last_heartbeat_at.unwrap_or(now).max(watching_since);
                now > heard + one.default_threshold + settle
            }),
            StoreBug::OverdueForgetsEarlier => {
                found.retain(|one| one.record.last_heartbeat_at >= Some(watching_since));
            }
            _ => {}
        }
        Ok(found)
    }

    async fn next_threshold(&self) -> StoreResult<Option<Timestamp>> {
        self.inner.next_threshold().await
    }

    async fn smallest_threshold(&self) -> StoreResult<Millis> {
        self.inner.smallest_threshold().await
    }

    async fn change_credentials(&self, mut change: CredentialChange) -> StoreResult<WriteOutcome> {
        self.do_second_write().await?;
        let later = match self.has(StoreBug::ClosesInSecondWrite) {
            true => change.edge.take().map(|edge| EdgeWrite {
                read: change.read.clone(),
                change: edge,
                guard: Guard::Session,
                origin: change.origin.clone(),
                now: change.now,
            }),
            false => None,
        };
        let outcome = self.inner.change_credentials(change).await?;
        if outcome == WriteOutcome::Applied {
            self.memory().second_write = later;
        }
        Ok(outcome)
    }

    async fn expired_tokens(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(SatelliteId, TokenId)>> {
        self.inner.expired_tokens(now, limit).await
    }

    async fn has_slow_hashes(&self) -> StoreResult<bool> {
        self.inner.has_slow_hashes().await
    }

    async fn remove(&self, removal: Removal) -> StoreResult<WriteOutcome> {
        self.inner.remove(removal).await
    }

    async fn renew_watch(
        &self,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<WatchSpan> {
        self.inner.renew_watch(pod, now, lease).await
    }

    async fn end_watch(&self, pod: &PodName, now: Timestamp) -> StoreResult<()> {
        self.inner.end_watch(pod, now).await
    }

    async fn transitions(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> StoreResult<Vec<Transition>> {
        let mut newest_first = self.inner.transitions(id, before, limit).await?;
        newest_first.splice(0..0, self.memory().phantoms.iter().rev().cloned());
        if self.has(StoreBug::EventLost) {
            let ended = Some(crate::connection::TransitionKind::Edge(LifecycleEvent::Disconnected));
            newest_first.retain(|transition| transition.kind != ended);
        }
        Ok(newest_first)
    }

    async fn events_after(
        &self,
        after: Option<EventCursor>,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        let mut events = self.inner.events_after(after, limit).await?;
        if self.has(StoreBug::EventTwice) {
            events.extend(events.last().cloned());
        }
        Ok(events)
    }

    async fn newest_event(&self) -> StoreResult<Option<EventCursor>> {
        self.inner.newest_event().await
    }

    async fn prune_transitions(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        self.inner.prune_transitions(before, limit).await
    }

    async fn probe(&self, now: Timestamp) -> StoreResult<()> {
        self.inner.probe(now).await
    }
}

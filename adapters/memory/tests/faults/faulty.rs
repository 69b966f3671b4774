//! A store that is right but for one fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::assignment::{Configuration, Revision, StoredRevision};
use groundcontrol_core::connection::{Transition, WatchSpan};
use groundcontrol_core::ports::{
    ConnectionSnapshot, CreateOutcome, CredentialChange, Credentials, EdgeWrite, EventCursor,
    HeartbeatWrite, ListQuery, NewSatellite, RecordedEvent, Removal, SatelliteStore,
    SatelliteUpdate, StoreError, StoreResult, StoredSatellite, UpdateOutcome, WriteOutcome,
};
use groundcontrol_core::run::{RunKey, StoredRun};
use groundcontrol_core::satellite::{
    Epoch, Liveness, PodName, ReportedAgent, SatelliteId, Seq, TokenId,
};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_memory::MemoryStore;
use parking_lot::Mutex;

use crate::fault::Fault;
use crate::faulty_packages::PackagesTold;
use crate::faulty_webhooks::WebhooksTold;
use crate::package_fault::PackageFault;
use crate::webhook_fault::WebhookFault;
use crate::work_fault::WorkFault;

/// What a faulty store remembers beside the right one.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) created: BTreeMap<SatelliteId, NewSatellite>,
    pub(crate) last_beats: BTreeMap<SatelliteId, (Epoch, Timestamp)>,
    pub(crate) silently_removed: BTreeSet<SatelliteId>,
    pub(crate) overlaps: BTreeMap<SatelliteId, Timestamp>,
    pub(crate) looks_at_events: BTreeMap<EventCursor, u32>,
    pub(crate) watching_since: Option<Timestamp>,
    pub(crate) configurations: BTreeMap<SatelliteId, Arc<Configuration>>,
    pub(crate) revisions: BTreeMap<SatelliteId, StoredRevision>,
    pub(crate) applied: BTreeMap<SatelliteId, Revision>,
    pub(crate) latest: BTreeMap<RunKey, StoredRun>,
    counted: u64,
}

impl Told {
    /// A number that was not given before.
    pub(crate) fn count(&mut self) -> u64 {
        self.counted += 1;
        self.counted
    }
}

/// Delegates to a right store; `reads` and `writes` bend what the fault is about.
pub(crate) struct Faulty {
    pub(crate) inner: MemoryStore,
    pub(crate) fault: Fault,
    /// What is wrong with the ports of the work.
    pub(crate) work_fault: WorkFault,
    /// What is wrong with the port of packages,
    pub(crate) package_fault: PackageFault,
    /// … and with that of webhooks.
    pub(crate) webhook_fault: WebhookFault,
    pub(crate) told: Mutex<Told>,
    pub(crate) packages: Mutex<PackagesTold>,
    pub(crate) webhooks: Mutex<WebhooksTold>,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        Self::over(MemoryStore::new(), fault)
    }

    pub(crate) fn over(inner: MemoryStore, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            work_fault: WorkFault::Nothing,
            package_fault: PackageFault::Nothing,
            webhook_fault: WebhookFault::Nothing,
            told: Mutex::default(),
            packages: Mutex::default(),
            webhooks: Mutex::default(),
        }
    }

    pub(crate) fn of_work(inner: MemoryStore, work_fault: WorkFault) -> Self {
        Self { work_fault, ..Self::over(inner, Fault::Nothing) }
    }

    pub(crate) fn of_packages(inner: MemoryStore, package_fault: PackageFault) -> Self {
        Self { package_fault, ..Self::over(inner, Fault::Nothing) }
    }

    pub(crate) fn of_webhooks(inner: MemoryStore, webhook_fault: WebhookFault) -> Self {
        Self { webhook_fault, ..Self::over(inner, Fault::Nothing) }
    }
}

#[async_trait]
impl SatelliteStore for Faulty {
    async fn liveness(&self) -> StoreResult<Option<Liveness>> {
        self.inner.liveness().await
    }

    async fn set_liveness(&self, liveness: Liveness) -> StoreResult<Option<Liveness>> {
        let before = self.inner.set_liveness(liveness).await?;
        Ok(if self.fault == Fault::AnswersNewSettings { Some(liveness) } else { before })
    }

    async fn create(&self, new: NewSatellite) -> StoreResult<CreateOutcome> {
        self.bent_create(new).await
    }

    async fn get(&self, id: SatelliteId) -> StoreResult<Option<StoredSatellite>> {
        Ok(self.inner.get(id).await?.map(|stored| self.bent_stored(stored)))
    }

    async fn get_many(&self, ids: &[SatelliteId]) -> StoreResult<Vec<StoredSatellite>> {
        self.bent_get_many(ids).await
    }

    async fn list(&self, query: &ListQuery) -> StoreResult<Vec<StoredSatellite>> {
        self.bent_list(query).await
    }

    async fn online_ids(&self, now: Timestamp) -> StoreResult<Vec<SatelliteId>> {
        self.bent_online_ids(now).await
    }

    async fn update(&self, id: SatelliteId, update: SatelliteUpdate) -> StoreResult<UpdateOutcome> {
        self.bent_update(id, update).await
    }

    async fn record_agent(&self, id: SatelliteId, agent: ReportedAgent) -> StoreResult<()> {
        match self.fault {
            Fault::ForgetsAgents => Ok(()),
            _ => self.inner.record_agent(id, agent).await,
        }
    }

    async fn credentials(&self, id: SatelliteId) -> StoreResult<Option<Credentials>> {
        Ok(self.inner.credentials(id).await?.map(|read| self.bent_tokens(read)))
    }

    async fn snapshot(&self, id: SatelliteId) -> StoreResult<Option<ConnectionSnapshot>> {
        Ok(self.inner.snapshot(id).await?.map(|read| self.bent_snapshot(read)))
    }

    async fn record_edges(&self, writes: Vec<EdgeWrite>) -> StoreResult<Vec<WriteOutcome>> {
        self.bent_edges(writes).await
    }

    async fn record_heartbeats(
        &self,
        batch: &[HeartbeatWrite],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>> {
        self.bent_heartbeats(batch, now).await
    }

    async fn overdue(
        &self,
        now: Timestamp,
        settle: Millis,
        watching_since: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<ConnectionSnapshot>> {
        self.bent_overdue(now, settle, watching_since, limit).await
    }

    async fn next_threshold(&self) -> StoreResult<Option<Timestamp>> {
        self.bent_next_threshold().await
    }

    async fn smallest_threshold(&self) -> StoreResult<Millis> {
        match self.fault {
            Fault::SmallestIsDefault => self.default_threshold().await,
            _ => self.inner.smallest_threshold().await,
        }
    }

    async fn change_credentials(&self, change: CredentialChange) -> StoreResult<WriteOutcome> {
        self.bent_credentials(change).await
    }

    async fn expired_tokens(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(SatelliteId, TokenId)>> {
        match self.fault {
            Fault::ExpiresLate => self.inner.expired_tokens(now.minus(Millis::new(1)), limit).await,
            Fault::ExpiredWithoutLimit => self.inner.expired_tokens(now, usize::MAX).await,
            _ => self.inner.expired_tokens(now, limit).await,
        }
    }

    async fn has_slow_hashes(&self) -> StoreResult<bool> {
        match self.fault {
            Fault::Panics => panic!("a slow hash nobody thought of"),
            Fault::OverlooksSlowHashes => Ok(false),
            _ => self.inner.has_slow_hashes().await,
        }
    }

    async fn remove(&self, mut removal: Removal) -> StoreResult<WriteOutcome> {
        let id = removal.read.satellite;
        if let (Fault::RemovesAnyState, Some(stored)) = (self.fault, self.inner.snapshot(id).await?)
        {
            removal.read = stored;
        }
        let outcome = self.inner.remove(removal).await?;
        if self.fault == Fault::RemovesSilently && outcome == WriteOutcome::Applied {
            self.told.lock().silently_removed.insert(id);
        }
        Ok(outcome)
    }

    async fn renew_watch(
        &self,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<WatchSpan> {
        if self.fault == Fault::SpanNeverLapses {
            let since = *self.told.lock().watching_since.get_or_insert(now);
            self.inner.renew_watch(pod, since, now.since(since)).await?;
        }
        if self.fault == Fault::EveryLeaseIsASpan {
            self.inner.end_watch(pod, now.minus(Millis::new(1))).await?;
        }
        self.inner.renew_watch(pod, now, lease).await
    }

    async fn end_watch(&self, pod: &PodName, now: Timestamp) -> StoreResult<()> {
        match self.fault {
            Fault::LeaseCannotBeEnded => Ok(()),
            _ => self.inner.end_watch(pod, now).await,
        }
    }

    async fn transitions(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> StoreResult<Vec<Transition>> {
        let transitions = self.inner.transitions(id, before, limit).await?;
        self.bent_transitions(transitions).await
    }

    async fn events_after(
        &self,
        after: Option<EventCursor>,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        self.bent_events(after, limit).await
    }

    async fn newest_event(&self) -> StoreResult<Option<EventCursor>> {
        let all = self.bent_events(None, usize::MAX).await?;
        Ok(all.last().map(|event| event.cursor))
    }

    async fn prune_transitions(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        self.inner.prune_transitions(before, limit).await
    }

    async fn probe(&self, now: Timestamp) -> StoreResult<()> {
        match self.fault {
            Fault::Fails => Err(StoreError::RefusesWrites {
                doing: "probe the store",
                detail: "a full disk".to_owned(),
            }),
            Fault::Hangs => std::future::pending().await,
            _ => self.inner.probe(now).await,
        }
    }
}

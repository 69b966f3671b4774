//! The store ports over one lock: every call is one transaction.

mod state;
mod query;
mod connection;
mod credential;
mod watch;
mod history;
mod api_token;
mod work;
mod runs;
mod packages;
mod blobs;
mod secrets;
mod webhooks;
mod rules;
mod sinks;

use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::connection::{Transition, WatchSpan, overdue_at};
use groundcontrol_core::ports::{
    ApiToken, ApiTokenId, ApiTokenStore, ConnectionSnapshot, CreateOutcome, CredentialChange,
    Credentials, EdgeWrite, EventCursor, HeartbeatWrite, ListQuery, NewApiToken, NewSatellite,
    RecordedEvent, Removal, SatelliteStore, SatelliteUpdate, StoreResult, StoredSatellite,
    UpdateOutcome, WriteOutcome,
};
use groundcontrol_core::satellite::{
    Liveness, PodName, ReportedAgent, SatelliteId, Seq, TokenHash, TokenId,
};
use groundcontrol_core::time::{Millis, Timestamp};
use parking_lot::Mutex;

use self::state::State;

/// Satellites, their connections, their history, their work and the API's tokens in
/// memory. Clones are the
/// same store. No call ever fails, and none waits for anything but the lock.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl SatelliteStore for MemoryStore {
    async fn liveness(&self) -> StoreResult<Option<Liveness>> {
        Ok(self.state.lock().liveness)
    }

    async fn set_liveness(&self, liveness: Liveness) -> StoreResult<Option<Liveness>> {
        Ok(self.state.lock().liveness.replace(liveness))
    }

    async fn create(&self, new: NewSatellite) -> StoreResult<CreateOutcome> {
        Ok(self.state.lock().create(new))
    }

    async fn get(&self, id: SatelliteId) -> StoreResult<Option<StoredSatellite>> {
        Ok(self.state.lock().get(id))
    }

    async fn get_many(&self, ids: &[SatelliteId]) -> StoreResult<Vec<StoredSatellite>> {
        Ok(self.state.lock().get_many(ids))
    }

    async fn list(&self, query: &ListQuery) -> StoreResult<Vec<StoredSatellite>> {
        Ok(self.state.lock().list(query))
    }

    async fn online_ids(&self, now: Timestamp) -> StoreResult<Vec<SatelliteId>> {
        Ok(self.state.lock().online_ids(now))
    }

    async fn update(&self, id: SatelliteId, update: SatelliteUpdate) -> StoreResult<UpdateOutcome> {
        Ok(self.state.lock().update(id, update))
    }

    async fn record_agent(&self, id: SatelliteId, agent: ReportedAgent) -> StoreResult<()> {
        self.state.lock().record_agent(id, agent);
        Ok(())
    }

    async fn credentials(&self, id: SatelliteId) -> StoreResult<Option<Credentials>> {
        Ok(self.state.lock().credentials(id))
    }

    async fn snapshot(&self, id: SatelliteId) -> StoreResult<Option<ConnectionSnapshot>> {
        Ok(self.state.lock().snapshot(id))
    }

    async fn record_edges(&self, writes: Vec<EdgeWrite>) -> StoreResult<Vec<WriteOutcome>> {
        let mut state = self.state.lock();
        Ok(writes.into_iter().map(|write| state.record_edge(write)).collect())
    }

    async fn record_heartbeats(
        &self,
        batch: &[HeartbeatWrite],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>> {
        let mut state = self.state.lock();
        let refused = |beat: &HeartbeatWrite| !state.record_heartbeat(beat, now);
        Ok(batch.iter().map(refused).enumerate().filter_map(|(i, not)| not.then_some(i)).collect())
    }

    async fn overdue(
        &self,
        now: Timestamp,
        settle: Millis,
        watching_since: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<ConnectionSnapshot>> {
        let state = self.state.lock();
        let is_overdue =
            |heard, threshold| now > overdue_at(heard, watching_since, threshold, settle);
        Ok(state.overdue(is_overdue, limit))
    }

    async fn next_threshold(&self) -> StoreResult<Option<Timestamp>> {
        Ok(self.state.lock().next_threshold())
    }

    async fn smallest_threshold(&self) -> StoreResult<Millis> {
        Ok(self.state.lock().smallest_threshold())
    }

    async fn change_credentials(&self, change: CredentialChange) -> StoreResult<WriteOutcome> {
        Ok(self.state.lock().change_credentials(change))
    }

    async fn expired_tokens(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(SatelliteId, TokenId)>> {
        Ok(self.state.lock().expired_tokens(now, limit))
    }

    async fn has_slow_hashes(&self) -> StoreResult<bool> {
        Ok(self.state.lock().has_slow_hashes())
    }

    async fn remove(&self, removal: Removal) -> StoreResult<WriteOutcome> {
        Ok(self.state.lock().remove(removal))
    }

    async fn renew_watch(
        &self,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<WatchSpan> {
        Ok(self.state.lock().watch.renew(pod, now, lease))
    }

    async fn end_watch(&self, pod: &PodName, now: Timestamp) -> StoreResult<()> {
        self.state.lock().watch.end(pod, now);
        Ok(())
    }

    async fn transitions(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> StoreResult<Vec<Transition>> {
        Ok(self.state.lock().history.of_satellite(id, before, limit))
    }

    async fn events_after(
        &self,
        after: Option<EventCursor>,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        Ok(self.state.lock().history.after(after, limit))
    }

    async fn newest_event(&self) -> StoreResult<Option<EventCursor>> {
        Ok(self.state.lock().history.newest())
    }

    async fn prune_transitions(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        let state = &mut *self.state.lock();
        let pruned = state.history.prune(before, limit);
        state.webhooks.forget_events(|place| state.history.has(place));
        Ok(pruned)
    }

    async fn probe(&self, _now: Timestamp) -> StoreResult<()> {
        drop(self.state.lock());
        Ok(())
    }
}

#[async_trait]
impl ApiTokenStore for MemoryStore {
    async fn put(&self, new: NewApiToken) -> StoreResult<()> {
        self.state.lock().api_tokens.put(new);
        Ok(())
    }

    async fn find(&self, hash: &TokenHash) -> StoreResult<Option<ApiToken>> {
        Ok(self.state.lock().api_tokens.find(hash))
    }

    async fn list(&self) -> StoreResult<Vec<ApiToken>> {
        Ok(self.state.lock().api_tokens.list())
    }

    async fn delete(&self, id: ApiTokenId) -> StoreResult<bool> {
        Ok(self.state.lock().api_tokens.delete(id))
    }
}

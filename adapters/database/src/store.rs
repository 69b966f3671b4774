//! The store: which port's call goes where.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use groundcontrol_core::connection::{Transition, WatchSpan};
use groundcontrol_core::ports::{
    ApiToken, ApiTokenId, ApiTokenStore, Clock, ConnectionSnapshot, CreateOutcome,
    CredentialChange, Credentials, EdgeWrite, EventCursor, HeartbeatWrite, ListQuery, NewApiToken,
    NewSatellite, RecordedEvent, Removal, SatelliteStore, SatelliteUpdate, StoreResult,
    StoredSatellite, UpdateOutcome, WriteOutcome,
};
use groundcontrol_core::satellite::{
    Liveness, PodName, ReportedAgent, SatelliteId, Seq, TokenHash, TokenId,
};
use groundcontrol_core::time::{Millis, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

use crate::clock::{DatabaseClock, ServerClock};
use crate::database::Database;
use crate::error::Failure;
use crate::open::{self, OpenError, Options};
use crate::read::{self, BatchedReads, Lookups, fleet};
use crate::write::{
    ChangeCredentials, Create, DeleteApiToken, EndWatch, Probe, Prune, PutApiToken, Remove,
    RenewWatch, SetLiveness, Update, Writer,
};

/// Satellites, connections, history and API tokens in a database. Clones are the same store.
///
/// What was answered is on the disk. A call whose caller goes away is finished all the same.
#[derive(Clone)]
pub struct DatabaseStore {
    inner: Arc<Inner>,
}

struct Inner {
    reader: Database,
    writer: Writer,
    batched: BatchedReads,
    lookups: Arc<Lookups>,
    clock: Arc<dyn Clock>,
    /// The task that measures store time, where it is a server's.
    measuring: Option<AbortOnDropHandle<()>>,
    /// The connection that the writer has, for tests that make it fail.
    #[cfg(test)]
    writing: Database,
}

/// What a store did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Calls that write.
    pub writes: u64,
    /// Transactions that they were committed in.
    pub commits: u64,
    /// Calls for what is stored of one satellite.
    pub lookups: u64,
    /// Statements that answered them.
    pub lookup_statements: u64,
}

impl DatabaseStore {
    /// Opens the database at `url`, `sqlite://PATH` or `postgres://USER@HOST/DATABASE`, and brings
    /// its schema up to date. Makes a file where there is none. Must be called on a Tokio runtime, which then carries the store's tasks.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let opened = open::open(url, &options).await?;
        let (clock, measuring) = clock(&opened.reader, options).await?;
        let reader = opened.reader;
        let lookups = Arc::new(Lookups::default());
        let inner = Inner {
            batched: BatchedReads::start(&reader, &lookups),
            lookups,
            #[cfg(test)]
            writing: opened.writer.clone(),
            writer: Writer::start(opened.writer, Arc::clone(&clock), opened.lock),
            reader,
            clock,
            measuring: measuring.map(AbortOnDropHandle::new),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Store time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    /// What the store did since it was opened.
    pub fn stats(&self) -> Stats {
        let counters = self.inner.writer.counters();
        Stats {
            writes: counters.writes.load(Ordering::Relaxed),
            commits: counters.commits.load(Ordering::Relaxed),
            lookups: self.inner.lookups.lookups.load(Ordering::Relaxed),
            lookup_statements: self.inner.lookups.statements.load(Ordering::Relaxed),
        }
    }

    /// Writes what is queued, tidies up, and closes the database for all clones; later calls fail.
    pub async fn close(&self) {
        if let Some(measuring) = &self.inner.measuring {
            measuring.abort();
        }
        self.inner.writer.close().await;
        self.inner.reader.close().await;
    }

    pub(crate) fn lookups(&self) -> &BatchedReads {
        &self.inner.batched
    }

    pub(crate) fn reader(&self) -> &Database {
        &self.inner.reader
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    #[cfg(test)]
    pub(crate) fn writing(&self) -> &Database {
        &self.inner.writing
    }
}

impl fmt::Debug for DatabaseStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseStore").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Store time, and the task that measures it where there is one.
async fn clock(
    reader: &Database,
    options: Options,
) -> Result<(Arc<dyn Clock>, Option<JoinHandle<()>>), OpenError> {
    if let Some(clock) = options.clock {
        return Ok((clock, None));
    }
    if let Some(server) = reader.server() {
        let doing = "ask the database server for the time";
        let started = ServerClock::start(options.machine, server).await;
        let (clock, measuring) =
            started.map_err(|error| OpenError::Database { doing, detail: error.to_string() })?;
        return Ok((clock, Some(measuring)));
    }
    let latest = fleet::latest_time(reader).await;
    let latest = latest.map_err(|failure| OpenError::Database {
        doing: "read the latest time that is stored",
        detail: failure.to_store_error("read it").to_string(),
    })?;
    Ok((Arc::new(DatabaseClock::starting(options.machine, latest)), None))
}

/// Completes "could not …" for an operation that failed.
pub(crate) fn doing<T>(doing: &'static str, result: Result<T, Failure>) -> StoreResult<T> {
    result.map_err(|failure| failure.to_store_error(doing))
}

#[async_trait]
impl SatelliteStore for DatabaseStore {
    async fn liveness(&self) -> StoreResult<Option<Liveness>> {
        doing("read the fleet's settings", fleet::liveness(self.reader()).await)
    }

    async fn set_liveness(&self, liveness: Liveness) -> StoreResult<Option<Liveness>> {
        self.writer().write(SetLiveness(liveness)).await
    }

    async fn create(&self, new: NewSatellite) -> StoreResult<CreateOutcome> {
        self.writer().write(Create(new)).await
    }

    async fn get(&self, id: SatelliteId) -> StoreResult<Option<StoredSatellite>> {
        let found = read::get_many(self.reader(), &[id]).await;
        doing("read a satellite", found.map(|found| found.into_iter().next()))
    }

    async fn get_many(&self, ids: &[SatelliteId]) -> StoreResult<Vec<StoredSatellite>> {
        doing("read satellites", read::get_many(self.reader(), ids).await)
    }

    async fn list(&self, query: &ListQuery) -> StoreResult<Vec<StoredSatellite>> {
        doing("list satellites", read::list(self.reader(), query).await)
    }

    async fn online_ids(&self, now: Timestamp) -> StoreResult<Vec<SatelliteId>> {
        doing("list online satellites", read::online_ids(self.reader(), now).await)
    }

    async fn update(&self, id: SatelliteId, update: SatelliteUpdate) -> StoreResult<UpdateOutcome> {
        self.writer().write(Update { id, update }).await
    }

    async fn record_agent(&self, id: SatelliteId, agent: ReportedAgent) -> StoreResult<()> {
        self.writer().record_agent(id, agent).await
    }

    async fn credentials(&self, id: SatelliteId) -> StoreResult<Option<Credentials>> {
        self.inner.batched.credentials.get(id).await
    }

    async fn snapshot(&self, id: SatelliteId) -> StoreResult<Option<ConnectionSnapshot>> {
        self.inner.batched.snapshots.get(id).await
    }

    async fn record_edges(&self, writes: Vec<EdgeWrite>) -> StoreResult<Vec<WriteOutcome>> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        self.writer().record_edges(writes).await
    }

    async fn record_heartbeats(
        &self,
        batch: &[HeartbeatWrite],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let heard = |beat: &HeartbeatWrite| HeartbeatWrite { at: beat.at.min(now), ..*beat };
        self.writer().record_heartbeats(batch.iter().map(heard).collect()).await
    }

    async fn overdue(
        &self,
        now: Timestamp,
        settle: Millis,
        watching_since: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<ConnectionSnapshot>> {
        let overdue = read::overdue(self.reader(), now, settle, watching_since, limit).await;
        doing("read overdue satellites", overdue)
    }

    async fn next_threshold(&self) -> StoreResult<Option<Timestamp>> {
        doing("read the next threshold", read::next_threshold(self.reader()).await)
    }

    async fn smallest_threshold(&self) -> StoreResult<Millis> {
        doing("read the smallest threshold", read::smallest_threshold(self.reader()).await)
    }

    async fn change_credentials(&self, change: CredentialChange) -> StoreResult<WriteOutcome> {
        self.writer().write(ChangeCredentials(change)).await
    }

    async fn expired_tokens(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(SatelliteId, TokenId)>> {
        doing("read expired tokens", read::expired_tokens(self.reader(), now, limit).await)
    }

    async fn has_slow_hashes(&self) -> StoreResult<bool> {
        doing("look for slow hashes", read::has_slow_hashes(self.reader()).await)
    }

    async fn remove(&self, removal: Removal) -> StoreResult<WriteOutcome> {
        self.writer().write(Remove(removal)).await
    }

    async fn renew_watch(
        &self,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<WatchSpan> {
        self.writer().write(RenewWatch { pod: pod.clone(), now, lease }).await
    }

    async fn end_watch(&self, pod: &PodName, now: Timestamp) -> StoreResult<()> {
        self.writer().write(EndWatch { pod: pod.clone(), now }).await
    }

    async fn transitions(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> StoreResult<Vec<Transition>> {
        doing("read transitions", read::transitions(self.reader(), id, before, limit).await)
    }

    async fn events_after(
        &self,
        after: Option<EventCursor>,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        doing("read events", read::events_after(self.reader(), after, limit).await)
    }

    async fn newest_event(&self) -> StoreResult<Option<EventCursor>> {
        doing("read the newest event", read::newest_event(self.reader()).await)
    }

    async fn prune_transitions(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        self.writer().write(Prune { before, limit }).await
    }

    async fn probe(&self, now: Timestamp) -> StoreResult<()> {
        self.writer().write(Probe(now)).await?;
        doing("read from the store", fleet::probe(self.reader()).await)
    }
}

#[async_trait]
impl ApiTokenStore for DatabaseStore {
    async fn put(&self, new: NewApiToken) -> StoreResult<()> {
        self.writer().write(PutApiToken(new)).await
    }

    async fn find(&self, hash: &TokenHash) -> StoreResult<Option<ApiToken>> {
        doing("find an API token", read::find_api_token(self.reader(), hash).await)
    }

    async fn list(&self) -> StoreResult<Vec<ApiToken>> {
        doing("list API tokens", read::api_tokens(self.reader()).await)
    }

    async fn delete(&self, id: ApiTokenId) -> StoreResult<bool> {
        self.writer().write(DeleteApiToken(id)).await
    }
}

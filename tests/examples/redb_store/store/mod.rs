//! [`SatelliteStore`] on redb. Every call is one transaction, run where blocking is allowed.
//!
//! What the port asks of any adapter, and what gives it here:
//!
//! * *Durable*: a commit returns when the disk has it. This is redb's default; an adapter that
//!   answers earlier loses edges that it confirmed.
//! * *Conditional*: the guard is compared in the transaction that writes. redb has one writer at a
//!   time, so nothing comes between the two. A database with many writers needs a conditional
//!   statement or a lock for it; comparing first and writing later is the commonest mistake.
//! * *Together*: record, indexes and transition are written in that same transaction.
//! * *Concurrent*: readers see the last commit as a whole, whatever is being written.

mod error;
mod tables;
mod encoding;
mod rows;
mod satellites;
mod connections;
mod credentials;
mod watch;
mod history;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::connection::{Transition, WatchSpan};
use groundcontrol_core::ports::{
    ConnectionSnapshot, CreateOutcome, CredentialChange, Credentials, EdgeWrite, EventCursor,
    HeartbeatWrite, ListQuery, NewSatellite, RecordedEvent, Removal, SatelliteStore,
    SatelliteUpdate, StoreError, StoreResult, StoredSatellite, UpdateOutcome, WriteOutcome,
};
use groundcontrol_core::satellite::{Liveness, PodName, ReportedAgent, SatelliteId, Seq, TokenId};
use groundcontrol_core::time::{Millis, Timestamp};
use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

use self::error::{Done, Failure};

/// Satellites, their connections and their history in one file of one process. Clones are the
/// same store.
///
/// After a failed write to its disk redb refuses everything until it is opened anew: every call
/// then answers `Unavailable`, and the process is to be restarted.
#[derive(Clone)]
pub(crate) struct RedbStore {
    database: Arc<Database>,
}

impl RedbStore {
    /// Opens the store in `file`, or makes it. Only one process may have it open.
    pub(crate) async fn open(file: PathBuf) -> StoreResult<Self> {
        blocking("open the store", move || {
            let database = Arc::new(Database::create(file)?);
            let transaction = database.begin_write()?;
            tables::create(&transaction)?;
            transaction.commit()?;
            Ok(Self { database })
        })
        .await
    }

    /// What `look` finds in the last commit.
    async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        look: impl FnOnce(&ReadTransaction) -> Done<T> + Send + 'static,
    ) -> StoreResult<T> {
        let database = Arc::clone(&self.database);
        blocking(doing, move || look(&database.begin_read()?)).await
    }

    /// Does all that `change` does, or nothing where it fails. Other writers wait meanwhile.
    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        change: impl FnOnce(&WriteTransaction) -> Done<T> + Send + 'static,
    ) -> StoreResult<T> {
        let database = Arc::clone(&self.database);
        blocking(doing, move || {
            let transaction = database.begin_write()?;
            let answer = change(&transaction)?;
            transaction.commit().map_err(Failure::Commit)?;
            Ok(answer)
        })
        .await
    }
}

/// Runs what waits for a disk or for another writer, so that no socket waits with it. A caller
/// that gives up ends nothing: what was begun is done, as with a database elsewhere.
async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Done<T> + Send + 'static,
) -> StoreResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|failure| failure.while_doing(doing)),
        // A panic is a mistake of ours and goes on; otherwise the runtime is shutting down, and
        // the work was not begun.
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(ended) => Err(StoreError::Unavailable { doing, detail: ended.to_string() }),
        },
    }
}

#[async_trait]
impl SatelliteStore for RedbStore {
    async fn liveness(&self) -> StoreResult<Option<Liveness>> {
        self.read("read the fleet's settings", rows::liveness).await
    }

    async fn set_liveness(&self, liveness: Liveness) -> StoreResult<Option<Liveness>> {
        self.write("store the fleet's settings", move |t| rows::set_liveness(t, liveness)).await
    }

    async fn create(&self, new: NewSatellite) -> StoreResult<CreateOutcome> {
        self.write("create a satellite", move |t| satellites::create(t, new)).await
    }

    async fn get(&self, id: SatelliteId) -> StoreResult<Option<StoredSatellite>> {
        let found = self.get_many(&[id]).await?;
        Ok(found.into_iter().next())
    }

    async fn get_many(&self, ids: &[SatelliteId]) -> StoreResult<Vec<StoredSatellite>> {
        let ids = ids.iter().copied().collect();
        self.read("read satellites", move |t| satellites::get_many(t, ids)).await
    }

    async fn list(&self, query: &ListQuery) -> StoreResult<Vec<StoredSatellite>> {
        let query = query.clone();
        self.read("list satellites", move |t| satellites::list(t, &query)).await
    }

    async fn online_ids(&self, now: Timestamp) -> StoreResult<Vec<SatelliteId>> {
        self.read("read who is online", move |t| connections::online_ids(t, now)).await
    }

    async fn update(&self, id: SatelliteId, update: SatelliteUpdate) -> StoreResult<UpdateOutcome> {
        self.write("change a satellite", move |t| satellites::update(t, id, update)).await
    }

    async fn record_agent(&self, id: SatelliteId, agent: ReportedAgent) -> StoreResult<()> {
        let doing = "store what an agent says of itself";
        self.write(doing, move |t| satellites::record_agent(t, id, agent)).await
    }

    async fn credentials(&self, id: SatelliteId) -> StoreResult<Option<Credentials>> {
        self.read("read credentials", move |t| credentials::read(t, id)).await
    }

    async fn snapshot(&self, id: SatelliteId) -> StoreResult<Option<ConnectionSnapshot>> {
        self.read("read a connection", move |t| connections::snapshot(t, id)).await
    }

    async fn record_edges(&self, writes: Vec<EdgeWrite>) -> StoreResult<Vec<WriteOutcome>> {
        self.write("record edges", move |t| connections::record_edges(t, writes)).await
    }

    async fn record_heartbeats(
        &self,
        batch: &[HeartbeatWrite],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>> {
        let batch = batch.to_vec();
        let doing = "record heartbeats";
        self.write(doing, move |t| connections::record_heartbeats(t, &batch, now)).await
    }

    async fn overdue(
        &self,
        now: Timestamp,
        settle: Millis,
        watching_since: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<ConnectionSnapshot>> {
        self.read("read who is overdue", move |t| {
            connections::overdue(t, now, settle, watching_since, limit)
        })
        .await
    }

    async fn next_threshold(&self) -> StoreResult<Option<Timestamp>> {
        self.read("read the next threshold", connections::next_threshold).await
    }

    async fn smallest_threshold(&self) -> StoreResult<Millis> {
        self.read("read the smallest threshold", connections::smallest_threshold).await
    }

    async fn change_credentials(&self, change: CredentialChange) -> StoreResult<WriteOutcome> {
        self.write("change credentials", move |t| credentials::change(t, change)).await
    }

    async fn expired_tokens(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<(SatelliteId, TokenId)>> {
        self.read("read expired tokens", move |t| credentials::expired(t, now, limit)).await
    }

    async fn has_slow_hashes(&self) -> StoreResult<bool> {
        self.read("look for slow hashes", credentials::any_slow_hash).await
    }

    async fn remove(&self, removal: Removal) -> StoreResult<WriteOutcome> {
        self.write("remove a satellite", move |t| connections::remove(t, &removal)).await
    }

    async fn renew_watch(
        &self,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<WatchSpan> {
        let pod = pod.clone();
        self.write("renew a watch lease", move |t| watch::renew(t, &pod, now, lease)).await
    }

    async fn end_watch(&self, pod: &PodName, now: Timestamp) -> StoreResult<()> {
        let pod = pod.clone();
        self.write("end a watch lease", move |t| watch::end(t, &pod, now)).await
    }

    async fn transitions(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> StoreResult<Vec<Transition>> {
        self.read("read transitions", move |t| history::of_satellite(t, id, before, limit)).await
    }

    async fn events_after(
        &self,
        after: Option<EventCursor>,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        self.read("read events", move |t| history::after(t, after, limit)).await
    }

    async fn newest_event(&self) -> StoreResult<Option<EventCursor>> {
        self.read("read the newest event", history::newest).await
    }

    async fn prune_transitions(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        self.write("delete old transitions", move |t| history::prune(t, before, limit)).await
    }

    async fn probe(&self, now: Timestamp) -> StoreResult<()> {
        self.write("probe the store", move |t| tables::probe(t, now)).await
    }
}

//! A store that fails on demand, around any other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use groundcontrol_core::connection::{Transition, WatchSpan};
use groundcontrol_core::ports::{
    ConnectionSnapshot, CreateOutcome, CredentialChange, Credentials, EdgeWrite, EventCursor,
    HeartbeatWrite, ListQuery, NewSatellite, RecordedEvent, Removal, SatelliteStore,
    SatelliteUpdate, StoreError, StoreResult, StoredSatellite, UpdateOutcome, WriteOutcome,
};
use groundcontrol_core::satellite::{Liveness, PodName, ReportedAgent, SatelliteId, Seq, TokenId};
use groundcontrol_core::time::{Millis, Timestamp};
use parking_lot::Mutex;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    Nothing,
    /// The store cannot be reached.
    Away,
    /// The next write is made, and its answer is lost.
    LostReply,
    /// The next change of credentials gets no answer, and is made when the one after it arrives.
    MadeLate,
}

pub struct FaultyStore {
    inner: Arc<dyn SatelliteStore>,
    fault: AtomicU8,
    hides_next_threshold: AtomicBool,
    meanwhile: Mutex<Option<BoxFuture<'static, ()>>>,
    late: Mutex<Option<CredentialChange>>,
}

impl FaultyStore {
    pub fn around(inner: Arc<dyn SatelliteStore>) -> Arc<Self> {
        let fault = AtomicU8::new(Fault::Nothing as u8);
        Arc::new(Self {
            inner,
            fault,
            hides_next_threshold: AtomicBool::new(false),
            meanwhile: Mutex::default(),
            late: Mutex::default(),
        })
    }

    pub fn set(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// From now on the store says that nobody can be overdue.
    pub fn hide_the_next_threshold(&self) {
        self.hides_next_threshold.store(true, Ordering::SeqCst);
    }

    /// The next write is made, then this happens, then its answer is lost.
    pub fn lose_a_reply_while(&self, meanwhile: impl Future<Output = ()> + Send + 'static) {
        *self.meanwhile.lock() = Some(Box::pin(meanwhile));
        self.set(Fault::LostReply);
    }

    fn before(&self) -> StoreResult<()> {
        if self.fault.load(Ordering::SeqCst) == Fault::Away as u8 {
            let detail = "planned".to_owned();
            return Err(StoreError::Unavailable { doing: "do anything", detail });
        }
        Ok(())
    }

    /// Whether `fault` was set; it happens once.
    fn happens(&self, fault: Fault) -> bool {
        let (set, fine) = (fault as u8, Fault::Nothing as u8);
        self.fault.compare_exchange(set, fine, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    async fn after(&self) -> StoreResult<()> {
        if self.happens(Fault::LostReply) {
            let meanwhile = self.meanwhile.lock().take();
            if let Some(meanwhile) = meanwhile {
                meanwhile.await;
            }
            return Err(no_answer());
        }
        Ok(())
    }
}

fn no_answer() -> StoreError {
    StoreError::OutcomeUnknown { doing: "a write", detail: "planned".to_owned() }
}

macro_rules! faulty {
    (
        reads { $(fn $read:ident($($ra:ident: $rt:ty),*) -> $rr:ty;)* }
        writes { $(fn $write:ident($($wa:ident: $wt:ty),*) -> $wr:ty;)* }
    ) => {
        #[async_trait]
        impl SatelliteStore for FaultyStore {
            $(async fn $read(&self, $($ra: $rt),*) -> StoreResult<$rr> {
                self.before()?;
                self.inner.$read($($ra),*).await
            })*
            $(async fn $write(&self, $($wa: $wt),*) -> StoreResult<$wr> {
                self.before()?;
                let answer = self.inner.$write($($wa),*).await;
                self.after().await?;
                answer
            })*

            async fn next_threshold(&self) -> StoreResult<Option<Timestamp>> {
                self.before()?;
                match self.hides_next_threshold.load(Ordering::SeqCst) {
                    true => Ok(None),
                    false => self.inner.next_threshold().await,
                }
            }

            async fn change_credentials(
                &self,
                change: CredentialChange,
            ) -> StoreResult<WriteOutcome> {
                self.before()?;
                if self.happens(Fault::MadeLate) {
                    *self.late.lock() = Some(change);
                    return Err(no_answer());
                }
                let late = self.late.lock().take();
                if let Some(late) = late {
                    self.inner.change_credentials(late).await?;
                }
                let answer = self.inner.change_credentials(change).await;
                self.after().await?;
                answer
            }
        }
    };
}

faulty! {
    reads {
        fn liveness() -> Option<Liveness>;
        fn set_liveness(liveness: Liveness) -> Option<Liveness>;
        fn get(id: SatelliteId) -> Option<StoredSatellite>;
        fn get_many(ids: &[SatelliteId]) -> Vec<StoredSatellite>;
        fn list(query: &ListQuery) -> Vec<StoredSatellite>;
        fn online_ids(now: Timestamp) -> Vec<SatelliteId>;
        fn credentials(id: SatelliteId) -> Option<Credentials>;
        fn snapshot(id: SatelliteId) -> Option<ConnectionSnapshot>;
        fn overdue(now: Timestamp, settle: Millis, since: Timestamp, limit: usize)
            -> Vec<ConnectionSnapshot>;
        fn smallest_threshold() -> Millis;
        fn expired_tokens(now: Timestamp, limit: usize) -> Vec<(SatelliteId, TokenId)>;
        fn has_slow_hashes() -> bool;
        fn renew_watch(pod: &PodName, now: Timestamp, lease: Millis) -> WatchSpan;
        fn end_watch(pod: &PodName, now: Timestamp) -> ();
        fn transitions(id: SatelliteId, before: Option<Seq>, limit: usize) -> Vec<Transition>;
        fn events_after(after: Option<EventCursor>, limit: usize) -> Vec<RecordedEvent>;
        fn newest_event() -> Option<EventCursor>;
        fn prune_transitions(before: Timestamp, limit: usize) -> u64;
        fn probe(now: Timestamp) -> ();
        fn record_heartbeats(batch: &[HeartbeatWrite], now: Timestamp) -> Vec<usize>;
        fn record_agent(id: SatelliteId, agent: ReportedAgent) -> ();
    }
    writes {
        fn create(new: NewSatellite) -> CreateOutcome;
        fn update(id: SatelliteId, update: SatelliteUpdate) -> UpdateOutcome;
        fn record_edges(writes: Vec<EdgeWrite>) -> Vec<WriteOutcome>;
        fn remove(removal: Removal) -> WriteOutcome;
    }
}

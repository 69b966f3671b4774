//! One pod's connection to the store: what can go wrong with a call goes wrong here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use groundcontrol_core::connection::{Transition, WatchSpan};
use groundcontrol_core::ports::{
    Broadcast as _, ConnectionSnapshot, CreateOutcome, CredentialChange, Credentials, EdgeWrite,
    EventCursor, Guard, HeartbeatWrite, ListQuery, NewSatellite, Nudge, RecordedEvent, Removal,
    SatelliteStore, SatelliteUpdate, StoreError, StoreResult, StoredSatellite, UpdateOutcome,
    WriteOutcome,
};
use groundcontrol_core::satellite::{Liveness, PodName, ReportedAgent, SatelliteId, Seq, TokenId};
use groundcontrol_core::time::{Millis, Timestamp};
use parking_lot::Mutex;
use tokio::time::sleep;

use super::dice::Dice;
use super::host::Host;
use super::planted::PlantedBug;
use super::process::Process;
use super::violation::Property;
use super::world::World;

/// A write that did not end in time may be made up to this much later.
pub(super) const WRITTEN_WITHIN: Millis = Millis::from_secs(8);
/// A slow call takes up to this long, in milliseconds.
const SLOW: u64 = 4_000;
/// Percent of the conditional writes that give others time to change what was read.
const OVERTAKEN: u64 = 20;
/// They take up to this many milliseconds more.
const OVERTAKING: u64 = 400;
/// A delayed call takes up to this long each way, in milliseconds.
const DELAYED: u64 = 8;

/// The store as one process of one pod reaches it.
pub(super) struct PodStore {
    world: Arc<World>,
    host: Arc<Host>,
    process: Process,
    dice: Dice,
    planted: Planted,
}

/// What planted bugs remember.
#[derive(Default)]
struct Planted {
    status: Mutex<BTreeMap<SatelliteId, (Timestamp, StoredSatellite)>>,
    uncommitted: Mutex<Option<Transition>>,
    stopped: AtomicBool,
}

/// What becomes of one write.
enum Fate {
    Fine,
    Unavailable,
    NotMade,
    MadeUnseen,
    MadeLater(Millis),
    Conflict,
    DiesBefore,
    DiesAfter,
}

/// What a call to the memory store, which never waits, answers.
pub(super) fn at_once<T>(call: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
    let detail = "the memory store waited".to_owned();
    call.now_or_never().unwrap_or(Err(StoreError::Corrupt { doing: "call the store", detail }))
}

fn unavailable(doing: &'static str) -> StoreError {
    StoreError::Unavailable { doing, detail: "simulated".to_owned() }
}

fn unknown(doing: &'static str) -> StoreError {
    StoreError::OutcomeUnknown { doing, detail: "simulated".to_owned() }
}

impl PodStore {
    /// The store, for `process` on `host`.
    pub(super) fn new(world: Arc<World>, host: Arc<Host>, process: Process, dice: Dice) -> Self {
        Self { world, host, process, dice, planted: Planted::default() }
    }

    fn has(&self, bug: PlantedBug) -> bool {
        self.world.planted == Some(bug)
    }

    /// The way to the store.
    async fn arrive(&self, doing: &'static str, writes: bool) -> StoreResult<()> {
        if !self.host.faults.count() {
            let words = format!("{} calls the store again and again without waiting", self.host);
            self.world.judge.object_to_delay(Property::NothingStuck, None, words);
            std::future::pending::<()>().await;
        }
        self.host.faults.pass(doing, writes).await?;
        self.take_a_while().await;
        Ok(())
    }

    /// One way of a call.
    async fn take_a_while(&self) {
        let parameters = &self.world.parameters;
        if self.dice.percent(parameters.call_delayed) {
            sleep(self.dice.span(0..=DELAYED).into()).await;
        }
        if self.world.is_stormy() && self.dice.in_a_million(parameters.call_slow) {
            self.host.faults.trouble();
            sleep(self.dice.span(0..=SLOW).into()).await;
            self.host.faults.trouble();
        }
    }

    fn fate(&self, conflicts: bool, later: bool) -> Fate {
        if !self.world.is_stormy() {
            return Fate::Fine;
        }
        let parameters = &self.world.parameters;
        let fate = if self.dice.in_a_million(parameters.call_unavailable) {
            Fate::Unavailable
        } else if self.dice.in_a_million(parameters.call_unknown) {
            match self.dice.number(0..=2) {
                0 => Fate::NotMade,
                1 if later => Fate::MadeLater(self.dice.span(1..=WRITTEN_WITHIN.get())),
                _ => Fate::MadeUnseen,
            }
        } else if conflicts && self.dice.in_a_million(parameters.call_conflict) {
            Fate::Conflict
        } else if self.dice.in_a_million(parameters.call_crash) {
            if self.dice.percent(50) { Fate::DiesBefore } else { Fate::DiesAfter }
        } else {
            return Fate::Fine;
        };
        self.host.faults.trouble();
        fate
    }

    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        conflict: Option<T>,
        later: bool,
        commit: impl FnOnce() -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.arrive(doing, true).await?;
        if conflict.is_some() && self.world.is_stormy() && self.dice.percent(OVERTAKEN) {
            sleep(self.dice.span(0..=OVERTAKING).into()).await;
        }
        let fate = self.fate(conflict.is_some(), later);
        let answer = match (fate, conflict) {
            (Fate::Unavailable, _) => Err(unavailable(doing)),
            (Fate::NotMade, _) => Err(unknown(doing)),
            (Fate::MadeUnseen, _) => commit().and_then(|_| Err(unknown(doing))),
            (Fate::MadeLater(span), _) => {
                tokio::spawn(async move {
                    sleep(span.into()).await;
                    drop(commit());
                });
                Err(unknown(doing))
            }
            (Fate::Conflict, Some(conflict)) => Ok(conflict),
            (Fate::DiesBefore, _) => self.die(doing, "before").await,
            (Fate::DiesAfter, _) => {
                drop(commit());
                self.die(doing, "after").await
            }
            (Fate::Fine | Fate::Conflict, _) => commit(),
        };
        if let Err(error) = &answer {
            self.world.step(None, || format!("{}: {error}", self.host));
        }
        self.take_a_while().await;
        answer
    }

    async fn die<T>(&self, doing: &'static str, when: &'static str) -> T {
        self.world.step(None, || format!("{} dies {when} the commit ({doing})", self.host));
        self.host.crash(&self.world, &self.process);
        std::future::pending().await
    }
}

macro_rules! pod_store {
    (
        reads { $($doing:literal: $read:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* }
        $($rest:tt)*
    ) => {
        #[async_trait]
        impl SatelliteStore for PodStore {
            $(async fn $read(&self, $($arg: $type),*) -> StoreResult<$answer> {
                self.arrive($doing, false).await?;
                if self.read_fails() {
                    return Err(unavailable($doing));
                }
                let answer = self.world.memory.$read($($arg),*).await;
                self.take_a_while().await;
                answer
            })*
            $($rest)*
        }
    };
}

pod_store! {
    reads {
        "read the settings": liveness() -> Option<Liveness>;
        "read satellites": get_many(ids: &[SatelliteId]) -> Vec<StoredSatellite>;
        "read a satellite": get(id: SatelliteId) -> Option<StoredSatellite>;
        "read who is online": online_ids(now: Timestamp) -> Vec<SatelliteId>;
        "read a credential": credentials(id: SatelliteId) -> Option<Credentials>;
        "read a connection": snapshot(id: SatelliteId) -> Option<ConnectionSnapshot>;
        "read who is overdue": overdue(now: Timestamp, settle: Millis, since: Timestamp, limit: usize)
            -> Vec<ConnectionSnapshot>;
        "read the next threshold": next_threshold() -> Option<Timestamp>;
        "read the smallest threshold": smallest_threshold() -> Millis;
        "read expired tokens": expired_tokens(now: Timestamp, limit: usize)
            -> Vec<(SatelliteId, TokenId)>;
        "read hashes": has_slow_hashes() -> bool;
        "read a history": transitions(id: SatelliteId, before: Option<Seq>, limit: usize)
            -> Vec<Transition>;
        "read the newest event": newest_event() -> Option<EventCursor>;
    }

    async fn list(&self, query: &ListQuery) -> StoreResult<Vec<StoredSatellite>> {
        self.arrive("list satellites", false).await?;
        if self.read_fails() {
            return Err(unavailable("list satellites"));
        }
        let mut page = self.world.memory.list(query).await?;
        if self.has(PlantedBug::StatusFromMemory) {
            self.planted.remember(query.now, &mut page);
        }
        self.take_a_while().await;
        Ok(page)
    }

    async fn events_after(
        &self,
        after: Option<EventCursor>,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        let stops = self.has(PlantedBug::DispatcherStops);
        if stops && self.planted.stopped.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let arrived = self.arrive("read events", false).await;
        if arrived.is_err() || self.read_fails() {
            self.planted.stopped.store(true, Ordering::Relaxed);
            return Err(unavailable("read events"));
        }
        let mut page = self.world.memory.events_after(after, limit).await?;
        if let Some(transition) = self.planted.uncommitted.lock().take() {
            let newest = page.last().map(|last| last.cursor).or(after).unwrap_or_default();
            let cursor = EventCursor { position: newest.position + 1, ..newest };
            page.push(RecordedEvent::of(cursor, transition));
        }
        self.take_a_while().await;
        Ok(page)
    }

    async fn set_liveness(&self, liveness: Liveness) -> StoreResult<Option<Liveness>> {
        let world = self.world.clone();
        self.write("store the settings", None, false, move || {
            let before = at_once(world.memory.set_liveness(liveness))?;
            world.judge.liveness_set(liveness);
            Ok(before)
        })
        .await
    }

    async fn create(&self, new: NewSatellite) -> StoreResult<CreateOutcome> {
        let world = self.world.clone();
        self.write("make a satellite", None, false, move || {
            let outcome = at_once(world.memory.create(new.clone()))?;
            world.judge.created(&new, outcome);
            Ok(outcome)
        })
        .await
    }

    async fn update(&self, id: SatelliteId, update: SatelliteUpdate) -> StoreResult<UpdateOutcome> {
        let world = self.world.clone();
        self.write("describe a satellite", None, false, move || {
            let outcome = at_once(world.memory.update(id, update.clone()))?;
            world.judge.updated(id, &update);
            Ok(outcome)
        })
        .await
    }

    async fn record_agent(&self, id: SatelliteId, agent: ReportedAgent) -> StoreResult<()> {
        let world = self.world.clone();
        self.write("store an agent's version", None, true, move || {
            at_once(world.memory.record_agent(id, agent))
        })
        .await
    }

    async fn record_edges(&self, mut writes: Vec<EdgeWrite>) -> StoreResult<Vec<WriteOutcome>> {
        self.plant(&mut writes).await;
        let (world, conflict) = (self.world.clone(), vec![WriteOutcome::Conflict; writes.len()]);
        self.write("record edges", Some(conflict), true, move || {
            let commit = |write: EdgeWrite| {
                let outcome = at_once(world.memory.record_edges(vec![write.clone()]))?;
                let outcome = outcome.first().copied().unwrap_or(WriteOutcome::Gone);
                world.tell_edge(&write, outcome);
                Ok(outcome)
            };
            writes.into_iter().map(commit).collect()
        })
        .await
    }

    async fn record_heartbeats(
        &self,
        batch: &[HeartbeatWrite],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>> {
        let (world, beats) = (self.world.clone(), batch.to_vec());
        let answer = self
            .write("store heartbeats", None, true, move || {
                let refused = at_once(world.memory.record_heartbeats(&beats, now))?;
                world.judge.heartbeats_answered(&beats, &refused);
                Ok(refused)
            })
            .await;
        match answer {
            Err(_) if self.has(PlantedBug::HeartbeatsDropped) => Ok(Vec::new()),
            answer => answer,
        }
    }

    async fn change_credentials(&self, change: CredentialChange) -> StoreResult<WriteOutcome> {
        let (world, repeated) = (self.world.clone(), change.clone());
        let commit = move || world.commit_credentials(change);
        let conflict = Some(WriteOutcome::Conflict);
        let answer = self.write("change credentials", conflict, true, commit).await;
        let is_unknown = matches!(answer, Err(StoreError::OutcomeUnknown { .. }));
        if is_unknown && self.has(PlantedBug::CredentialChangeRepeated) {
            let id = repeated.read.satellite;
            if let Some(read) = self.world.memory.snapshot(id).await? {
                return self.world.commit_credentials(CredentialChange { read, ..repeated });
            }
        }
        answer
    }

    async fn remove(&self, removal: Removal) -> StoreResult<WriteOutcome> {
        let world = self.world.clone();
        self.write("remove a satellite", Some(WriteOutcome::Conflict), true, move || {
            let outcome = at_once(world.memory.remove(removal.clone()))?;
            world.tell_removal(&removal, outcome);
            Ok(outcome)
        })
        .await
    }

    async fn renew_watch(
        &self,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<WatchSpan> {
        let (world, pod) = (self.world.clone(), pod.clone());
        self.write("renew the watch lease", None, true, move || {
            let span = at_once(world.memory.renew_watch(&pod, now, lease))?;
            world.judge.watch_renewed(&pod, now, lease);
            Ok(span)
        })
        .await
    }

    async fn end_watch(&self, pod: &PodName, now: Timestamp) -> StoreResult<()> {
        let (world, pod) = (self.world.clone(), pod.clone());
        self.write("end the watch lease", None, false, move || {
            at_once(world.memory.end_watch(&pod, now))?;
            world.judge.watch_ended(&pod, now);
            Ok(())
        })
        .await
    }

    async fn prune_transitions(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        let world = self.world.clone();
        self.write("prune the history", None, false, move || {
            at_once(world.memory.prune_transitions(before, limit))
        })
        .await
    }

    async fn probe(&self, now: Timestamp) -> StoreResult<()> {
        let world = self.world.clone();
        self.write("probe the store", None, false, move || at_once(world.memory.probe(now))).await
    }
}

impl PodStore {
    fn read_fails(&self) -> bool {
        let often = self.world.parameters.call_unavailable;
        let fails = self.world.is_stormy() && self.dice.in_a_million(often);
        if fails {
            self.host.faults.trouble();
        }
        fails
    }

    /// What planted bugs do to edges that are to be written.
    async fn plant(&self, writes: &mut [EdgeWrite]) {
        let forgotten = match self.world.planted {
            Some(PlantedBug::CredentialNotCompared) => Guard::Credential,
            Some(PlantedBug::SilenceNotCompared) => Guard::Silence,
            Some(PlantedBug::EventBeforeState) => {
                *self.planted.uncommitted.lock() = writes.first().map(EdgeWrite::transition);
                self.world.nudges.send(Nudge::Events);
                sleep(Millis::new(DELAYED).into()).await;
                return;
            }
            _ => return,
        };
        for write in writes.iter_mut().filter(|write| write.guard == forgotten) {
            write.guard = Guard::Session;
        }
    }
}

impl Planted {
    /// Puts in `page` what was remembered of its satellites, for up to ten minutes.
    fn remember(&self, now: Timestamp, page: &mut [StoredSatellite]) {
        let mut status = self.status.lock();
        for stored in page {
            let known = status.entry(stored.satellite.id).or_insert((now, stored.clone()));
            if now.since(known.0) > Millis::from_secs(600) {
                *known = (now, stored.clone());
            }
            *stored = known.1.clone();
        }
    }
}

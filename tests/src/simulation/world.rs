//! Everything that a run consists of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use groundcontrol_core::connection::TransitionKind;
use groundcontrol_core::ports::{
    CredentialChange, EdgeWrite, Removal, SatelliteStore as _, StoreResult, WriteOutcome,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_memory::MemoryStore;
use parking_lot::Mutex;

use super::agent::Agent;
use super::clock::StoreTime;
use super::desk::Desk;
use super::follower::Followers;
use super::host::Host;
use super::jobs::Jobs;
use super::judge::Judge;
use super::nudges::Nudges;
use super::parameters::Parameters;
use super::planted::PlantedBug;
use super::store::at_once;
use super::trace::{Trace, Tracing};

/// One run's pods, satellites, store, network, operators, and judge.
pub(super) struct World {
    /// What everything is derived from.
    pub seed: u64,
    /// What the seed decided beforehand.
    pub parameters: Parameters,
    /// The bug that is planted, if one is.
    pub planted: Option<PlantedBug>,
    /// True store time.
    pub time: StoreTime,
    /// What happened.
    pub trace: Trace,
    /// The store itself, behind all connections.
    pub memory: MemoryStore,
    /// The broadcast between pods.
    pub nudges: Arc<Nudges>,
    /// The recurring work that pods share.
    pub jobs: Arc<Jobs>,
    /// What must hold.
    pub judge: Judge,
    /// Where pods run.
    pub hosts: Vec<Arc<Host>>,
    /// The satellites' agents, those of removed satellites included.
    pub agents: Mutex<Vec<Arc<Agent>>>,
    /// What operators know and want.
    pub desk: Desk,
    /// Who listens to events.
    pub followers: Followers,
    connections: AtomicU64,
    stormy: AtomicBool,
}

impl World {
    /// A world in which nothing happened yet. On a runtime whose time is paused.
    pub(super) fn new(seed: u64, planted: Option<PlantedBug>, tracing: Tracing) -> Arc<Self> {
        let parameters = Parameters::of(seed);
        let (time, memory) = (StoreTime::start(), MemoryStore::new());
        Arc::new(Self {
            seed,
            planted,
            time,
            trace: Trace::new(tracing),
            nudges: Arc::new(Nudges::new(seed, &parameters)),
            jobs: Arc::new(Jobs::new(seed, time, &parameters)),
            judge: Judge::new(memory.clone(), time, parameters.clock_error),
            hosts: (0..parameters.pods).map(Host::new).collect(),
            agents: Mutex::default(),
            desk: Desk::default(),
            followers: Followers::default(),
            connections: AtomicU64::new(0),
            stormy: AtomicBool::new(true),
            memory,
            parameters,
        })
    }

    /// Whether things go wrong.
    pub(super) fn is_stormy(&self) -> bool {
        self.stormy.load(Ordering::Relaxed)
    }

    /// From now on nothing goes wrong by itself.
    pub(super) fn calm_down(&self) {
        self.stormy.store(false, Ordering::Relaxed);
    }

    /// A number that no other connection of the run has.
    pub(super) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes a step of the trace.
    pub(super) fn step(&self, satellite: Option<SatelliteId>, text: impl FnOnce() -> String) {
        self.trace.step(|| self.time.elapsed(), satellite, text);
    }

    /// Takes a step of a satellite's.
    pub(super) fn step_of(&self, id: SatelliteId, text: impl FnOnce() -> String) {
        self.step(Some(id), || format!("{}: {}", self.judge.name(id), text()));
    }

    /// The agents that exist.
    pub(super) fn agents(&self) -> Vec<Arc<Agent>> {
        self.agents.lock().clone()
    }

    /// An edge was written, or not.
    pub(super) fn tell_edge(&self, write: &EdgeWrite, outcome: WriteOutcome) {
        let change = &write.change;
        self.step_of(write.read.satellite, || {
            format!(
                "{} ({}), epoch {} seq {}, by {}: {outcome:?}",
                change.edge.event,
                change.edge.cause,
                change.next.epoch,
                change.next.seq,
                write.origin.pod
            )
        });
        self.judge.edge_written(write, outcome);
    }

    /// Changes credentials, or does not.
    pub(super) fn commit_credentials(&self, change: CredentialChange) -> StoreResult<WriteOutcome> {
        let outcome = at_once(self.memory.change_credentials(change.clone()))?;
        self.step_of(change.read.satellite, || {
            let ends = change.edge.as_ref().map_or("ends no session".to_owned(), |edge| {
                format!("{} ({}), seq {}", edge.edge.event, edge.edge.cause, edge.next.seq)
            });
            format!("credentials: {:?}, {ends}: {outcome:?}", change.action)
        });
        self.judge.credentials_changed(&change, outcome);
        Ok(outcome)
    }

    /// A satellite was removed, or not.
    pub(super) fn tell_removal(&self, removal: &Removal, outcome: WriteOutcome) {
        self.step_of(removal.read.satellite, || {
            format!("{}: {outcome:?}", TransitionKind::Removed.name())
        });
        self.judge.removed(removal, outcome);
    }

    /// Lets go of everything that holds this world.
    pub(super) fn dissolve(&self) {
        self.hosts.iter().for_each(|host| host.clear());
        self.agents.lock().clear();
    }
}

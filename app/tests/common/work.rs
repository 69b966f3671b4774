//! Work for satellites in tests: counted reads, a store that is away, systems and checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use groundcontrol::pod::{GroundControl, RunPorts, WorkPorts};
use groundcontrol_core::assignment::{
    Assignment, Check, Collectors, Configuration, Interval, Json, Revision, Selector,
    StoredRevision, Target,
};
use groundcontrol_core::ports::{
    AssignmentRequest, AssignmentSource, CheckRequest, RevisionStore, RevisionWrite, RunSink,
    StoreError, StoreResult, SystemRequest, WorkService as _,
};
use groundcontrol_core::run::{Run, StrategyError};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_memory::MemoryStore;

/// What satellites run, counted and sometimes out of reach.
pub struct CountedWork {
    memory: MemoryStore,
    reads: AtomicUsize,
    writes: AtomicUsize,
    away: AtomicBool,
}

impl CountedWork {
    pub fn over(memory: MemoryStore) -> Arc<Self> {
        let (reads, writes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { memory, reads, writes, away: AtomicBool::new(false) })
    }

    pub fn ports(self: &Arc<Self>) -> WorkPorts {
        WorkPorts {
            store: Arc::new(self.memory.clone()),
            source: self.clone(),
            revisions: self.clone(),
        }
    }

    pub fn run_ports(self: &Arc<Self>) -> RunPorts {
        RunPorts { sink: self.clone(), store: Arc::new(self.memory.clone()) }
    }

    /// Calls that read, and calls that write.
    pub fn calls(&self) -> (usize, usize) {
        (self.reads.load(Ordering::Relaxed), self.writes.load(Ordering::Relaxed))
    }

    /// From now on what satellites run is out of reach, or no longer.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    fn read(&self) -> StoreResult<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match self.away.load(Ordering::Relaxed) {
            true => Err(StoreError::Unavailable { doing: "read work", detail: "away".into() }),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl AssignmentSource for CountedWork {
    async fn configurations(
        &self,
        satellites: &[SatelliteId],
    ) -> StoreResult<Vec<Arc<Configuration>>> {
        self.read()?;
        self.memory.configurations(satellites).await
    }
}

#[async_trait]
impl RevisionStore for CountedWork {
    async fn revisions(&self, satellites: &[SatelliteId]) -> StoreResult<Vec<StoredRevision>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.memory.revisions(satellites).await
    }

    async fn record_revisions(&self, writes: &[RevisionWrite]) -> StoreResult<Vec<bool>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.memory.record_revisions(writes).await
    }

    async fn record_applied(&self, applied: &[(SatelliteId, Revision)]) -> StoreResult<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.memory.record_applied(applied).await
    }
}

#[async_trait]
impl RunSink for CountedWork {
    async fn record_runs(&self, runs: &[Run]) -> StoreResult<()> {
        self.read()?;
        self.memory.record_runs(runs).await
    }

    async fn record_strategy_errors(&self, errors: &[StrategyError]) -> StoreResult<()> {
        self.memory.record_strategy_errors(errors).await
    }
}

/// Makes a check called `name`.
pub async fn check(pod: &GroundControl, name: &str) -> Check {
    let request = CheckRequest {
        name: name.parse().unwrap(),
        strategy: "healthcheck-http.http".parse().unwrap(),
        config: Json::empty_object(),
        collectors: Collectors::default(),
        interval: Interval::new(60).unwrap(),
        managed_by: None,
    };
    pod.create_check(request).await.unwrap()
}

/// Makes a check of a new system, run by `target`.
pub async fn assign(pod: &GroundControl, name: &str, target: Target) -> Assignment {
    let check = check(pod, name).await.id;
    let (name, metadata) = (name.parse().unwrap(), Json::empty_object());
    let request = SystemRequest { name, metadata, managed_by: None };
    let system = pod.create_system(request).await.unwrap().id;
    let request = AssignmentRequest { check, system, target, managed_by: None };
    pod.create_assignment(request).await.unwrap()
}

pub fn named(ids: &[SatelliteId]) -> Target {
    Target::Satellites(ids.iter().copied().collect())
}

pub fn selected(tags: &str) -> Target {
    Target::Selected(Selector { region: None, tags: tags.parse().unwrap() })
}

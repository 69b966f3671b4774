//! The checks fire: bugs in the decisions, in what pods do around them, and in the store are
//! caught by schedules of pods, and this prints for breaking which property.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::sync::Arc;

use groundcontrol_core::model::pods::{
    Action, BrokenRun, FaultyStore, PodBug, Pods, StoreBug, actions,
};
use groundcontrol_core::model::{PlantedBug, Rules, SoundRules};
use groundcontrol_core::ports::SatelliteStore;
use groundcontrol_memory::MemoryStore;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

const SCHEDULES: u32 = 4_000;
const LENGTH: usize = 80;

/// Bugs in decisions that a sound store undoes: it moves no heartbeat back or ahead, hands out
/// only who is overdue, and writes no loss for a pod without a lease. The proofs of the core
/// catch them.
const HARMLESS: [PlantedBug; 6] = [
    PlantedBug::HeartbeatMovesBack,
    PlantedBug::HeartbeatAheadOfTime,
    PlantedBug::SweepWithoutSettle,
    PlantedBug::SweepAfterLease,
    PlantedBug::SweepTooEarly,
    PlantedBug::ClosedSessionLost,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bug {
    Decision(PlantedBug),
    Pod(PodBug),
    Store(StoreBug),
}

impl Bug {
    fn all() -> Vec<Self> {
        let decisions = PlantedBug::ALL.iter().copied().map(Self::Decision);
        let pods = PodBug::ALL.iter().copied().map(Self::Pod);
        let stores = StoreBug::ALL.iter().copied().map(Self::Store);
        decisions.chain(pods).chain(stores).collect()
    }

    fn run(self, actions: &[Action]) -> Result<(), BrokenRun> {
        let rules: Arc<dyn Rules> = match self {
            Self::Decision(bug) => Arc::new(bug),
            Self::Pod(_) | Self::Store(_) => Arc::new(SoundRules),
        };
        let sound = Arc::new(MemoryStore::new());
        let store: Arc<dyn SatelliteStore> = match self {
            Self::Store(bug) => Arc::new(FaultyStore::new(sound, bug)),
            Self::Decision(_) | Self::Pod(_) => sound,
        };
        let bug = if let Self::Pod(bug) = self { Some(bug) } else { None };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            Pods::misbehaving(store, 2, rules, bug).await.unwrap().run(actions).await
        })
    }

    /// The fault of the shortest schedule that proptest finds, and its length.
    fn find(self) -> Option<(usize, BrokenRun)> {
        let config = Config { cases: SCHEDULES, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let found = runner.run(&vec(actions(), 0..LENGTH), |actions| {
            self.run(&actions).map_err(|broken| TestCaseError::fail(broken.to_string()))
        });
        match found {
            Ok(()) => None,
            Err(TestError::Fail(_, actions)) => {
                self.run(&actions).err().map(|broken| (actions.len(), broken))
            }
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
    }
}

#[test]
fn every_planted_bug_is_caught_by_schedules_of_pods() {
    let mut missed = Vec::new();
    for bug in Bug::all() {
        let find = bug.find();
        let cell = match &find {
            Some((length, broken)) => format!("{} in {length}", broken.fault.property),
            None => "–".to_owned(),
        };
        println!("{:<34} {cell}", format!("{bug:?}"));
        if find.is_none() {
            missed.push(bug);
        }
    }
    assert_eq!(missed, HARMLESS.map(Bug::Decision), "not caught");
}

//! Simulated pods on the memory store keep every property. Each property has a test of its own,
//! with schedules that are about it; all properties are checked in all of them.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::sync::Arc;

use groundcontrol_core::model::pods::{Action, BrokenRun, Pods};
use groundcontrol_memory::MemoryStore;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

fn run(count: usize, actions: &[Action]) -> Result<(), BrokenRun> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut pods = Pods::on(Arc::new(MemoryStore::new()), count).await.unwrap();
        pods.run(actions).await
    })
}

groundcontrol_core::prove_pods!(config(), run);

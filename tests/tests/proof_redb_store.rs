//! Simulated pods on the third party's adapter of `examples/redb_store` keep every property: the
//! model proves an adapter that Ground Control never saw as it proves its own.

#[path = "../examples/redb_store/store/mod.rs"]
mod store;
#[path = "../examples/redb_store/folder.rs"]
mod folder;

use std::sync::Arc;

use groundcontrol_core::model::pods::{Action, BrokenRun, Pods};
use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

use crate::store::RedbStore;

/// A schedule takes some hundred commits; `PROPTEST_CASES` asks for more of them.
const CASES: u32 = 8;

fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    config
}

fn run(count: usize, actions: &[Action]) -> Result<(), BrokenRun> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let folder = folder::folder();
        let store = RedbStore::open(folder.path().join("store.redb")).await;
        let store = Arc::new(store.expect("the store opens"));
        let mut pods = Pods::on(store, count).await.expect("the store works");
        pods.run(actions).await
    })
}

groundcontrol_core::prove_pods!(config(), run);

//! Simulated pods on SQLite keep every property.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::path::Path;
use std::sync::Arc;

use groundcontrol_core::model::pods::{Action, BrokenRun, Pods, StoreTime};
use groundcontrol_database::{DatabaseStore, Options};
use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

/// A schedule takes some hundred commits; `PROPTEST_CASES` asks for more of them.
const CASES: u32 = 16;

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

/// In memory where there is such a place: what a disk would add is proved elsewhere.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

fn run(count: usize, actions: &[Action]) -> Result<(), BrokenRun> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (folder, time) = (folder(), StoreTime::default());
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        let options = Options { clock: Some(Arc::new(time.clone())), ..Options::default() };
        let store = DatabaseStore::open(&url, options).await.unwrap();
        let pods = Pods::on(Arc::new(store.clone()), count).await.unwrap();
        let ran = pods.with_time(time).run(actions).await;
        store.close().await;
        ran
    })
}

groundcontrol_core::prove_pods!(config(), run);

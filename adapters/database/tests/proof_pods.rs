//! Simulated pods on SQLite, and on PostgreSQL with connections of their own, keep every property.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::path::Path;
use std::sync::Arc;

use groundcontrol_core::model::pods::{Action, BrokenRun, Pods, StoreTime};
use groundcontrol_database::{DatabaseStore, Options};
use groundcontrol_testpostgres::Schema;
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

fn on_a_file(count: usize, actions: &[Action]) -> Result<(), BrokenRun> {
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

/// As many handles as pods, each with connections of its own, and every call goes through another
/// one than the call before.
fn on_a_server(count: usize, actions: &[Action]) -> Result<(), BrokenRun> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (schema, time) = (Schema::make().await, StoreTime::default());
        let mut stores = Vec::new();
        for _ in 0..count {
            let options = Options { clock: Some(Arc::new(time.clone())), ..Options::default() };
            stores.push(DatabaseStore::open(&schema.url(), options).await.unwrap());
        }
        let pods = Pods::on(Arc::new(stores[0].clone()), count).await.unwrap();
        let others = stores[1..].iter().cloned();
        let pods = others.fold(pods, |pods, store| pods.with_handle(Arc::new(store)));
        let ran = pods.with_time(time).run(actions).await;
        for store in stores {
            store.close().await;
        }
        ran
    })
}

mod sqlite {
    groundcontrol_core::prove_pods!(super::config(), super::on_a_file);
}

mod postgresql {
    groundcontrol_core::prove_pods!(super::config(), super::on_a_server);
}

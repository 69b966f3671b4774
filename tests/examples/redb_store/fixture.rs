//! A fresh store for each case of the suite, and how it crashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use groundcontrol_core::conformance::Fixture;
use groundcontrol_core::ports::SatelliteStore;

use crate::folder::folder;
use crate::store::RedbStore;

/// More than any case takes, unless the adapter never answers.
const LIMIT: Duration = Duration::from_secs(60);

/// An empty store in a folder of its own, which goes away with the fixture.
pub(crate) async fn fresh() -> Fixture<dyn SatelliteStore> {
    let folder = folder();
    let store = open(&folder.path().join("0.redb")).await;
    let crashing = Arc::new(Crashing {
        folder: folder.path().to_owned(),
        running: Mutex::new((0, store.clone())),
    });
    // redb is one process, so what other pods have here is a clone. Where yours are connections,
    // hand over several: cases that race spread over them.
    Fixture::<dyn SatelliteStore>::new(Arc::new(store.clone()))
        .with_handle(Arc::new(store.clone()))
        .with_handle(Arc::new(store))
        .reopened_by(move || {
            let crashing = Arc::clone(&crashing);
            async move { crashing.reopen().await }
        })
        .giving_up_after(|| tokio::time::sleep(LIMIT))
        .keeping(folder)
}

/// Makes a drop of all handles what `kill -9` is. Closing a database properly writes what was
/// held back, and so would hide that an answer was given too early; therefore the store that
/// "crashed" stays open here, and what is opened instead is its file as it is at this moment.
struct Crashing {
    folder: PathBuf,
    /// How often it crashed, and what runs since.
    running: Mutex<(u32, RedbStore)>,
}

impl Crashing {
    async fn reopen(&self) -> Arc<dyn SatelliteStore> {
        let file = |crashes| self.folder.join(format!("{crashes}.redb"));
        let crashes = self.running.lock().unwrap_or_else(PoisonError::into_inner).0;
        fs::copy(file(crashes), file(crashes + 1)).expect("the file can be copied");
        let store = open(&file(crashes + 1)).await;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = (crashes + 1, store.clone());
        Arc::new(store)
    }
}

async fn open(file: &Path) -> RedbStore {
    RedbStore::open(file.to_owned()).await.expect("the store opens")
}

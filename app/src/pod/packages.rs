//! Script packages: the ports that know them, and what this pod tells its sockets of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundcontrol_core::limits::{BLOB_UPLOADS, BLOBS_IN_MEMORY};
use groundcontrol_core::packages::{Lockfile, LockfileHash, SyncState};
use groundcontrol_core::ports::{BlobStore, PackageStore};
use groundcontrol_core::satellite::SatelliteId;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

/// The ports of script packages.
#[derive(Clone)]
pub struct PackagePorts {
    /// Which there shall be.
    pub store: Arc<dyn PackageStore>,
    /// Their bytes.
    pub blobs: Arc<dyn BlobStore>,
}

/// The ports, with what this pod tells and what waits.
pub struct Packages {
    pub(crate) ports: PackagePorts,
    /// Told when a satellite said where it stands.
    pub(crate) said: Notify,
    /// Whose turn it is to have a blob in memory on its way to a satellite, …
    pub(crate) outgoing: Arc<Semaphore>,
    /// … and on its way in.
    pub(crate) incoming: Arc<Semaphore>,
    told: Mutex<Option<LockfileHash>>,
    /// The lockfile that was read last: after a change all satellites ask for the same one.
    latest: Mutex<Option<Arc<Lockfile>>>,
    states: Mutex<BTreeMap<SatelliteId, SyncState>>,
}

impl Packages {
    /// The packages of a pod that begins, with the lockfile that is desired.
    pub fn new(ports: PackagePorts, desired: Option<LockfileHash>) -> Self {
        Self {
            ports,
            said: Notify::new(),
            outgoing: Arc::new(Semaphore::new(BLOBS_IN_MEMORY)),
            incoming: Arc::new(Semaphore::new(BLOB_UPLOADS)),
            told: Mutex::new(desired),
            latest: Mutex::default(),
            states: Mutex::default(),
        }
    }

    /// The lockfile that satellites are told of.
    pub fn told(&self) -> Option<LockfileHash> {
        *self.told.lock()
    }

    /// Sets the lockfile that satellites are told of; answers whether it is another.
    pub fn tell(&self, desired: Option<LockfileHash>) -> bool {
        std::mem::replace(&mut *self.told.lock(), desired) != desired
    }

    /// A lockfile, if it is the one that was read last.
    pub fn known(&self, hash: LockfileHash) -> Option<Arc<Lockfile>> {
        self.latest.lock().as_ref().filter(|known| known.hash() == hash).cloned()
    }

    /// A lockfile was read.
    pub fn know(&self, lockfile: Arc<Lockfile>) {
        *self.latest.lock() = Some(lockfile);
    }

    /// A satellite said where it stands: the latest word counts.
    pub fn said(&self, state: SyncState) {
        self.states.lock().insert(state.satellite, state);
        self.said.notify_one();
    }

    /// Takes what satellites said.
    pub fn take_said(&self) -> Vec<SyncState> {
        std::mem::take(&mut *self.states.lock()).into_values().collect()
    }

    /// Puts back what could not be stored, unless they said something since.
    pub fn put_back_said(&self, states: Vec<SyncState>) {
        let mut waiting = self.states.lock();
        for state in states {
            waiting.entry(state.satellite).or_insert(state);
        }
    }
}

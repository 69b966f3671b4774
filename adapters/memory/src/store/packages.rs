//! Script packages.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use groundcontrol_core::packages::{
    BlobHash, BlobName, HeldBlob, Integrity, Lockfile, LockfileHash, SyncState,
};
use groundcontrol_core::ports::{
    Desired, DesiredChange, DesiredOutcome, PackageStore, StoreResult,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;

use super::MemoryStore;

/// What is stored of packages.
#[derive(Default)]
pub(super) struct Packages {
    desired: Desired,
    lockfiles: BTreeMap<LockfileHash, Kept>,
    /// Blobs that are held, and when somebody wanted them last.
    blobs: BTreeMap<BlobHash, (HeldBlob, Timestamp)>,
    states: BTreeMap<SatelliteId, SyncState>,
}

/// A lockfile.
struct Kept {
    lockfile: Lockfile,
    /// Since when it is desired, or was last.
    desired_at: Timestamp,
    /// Since when it is not desired any more.
    retired_at: Option<Timestamp>,
}

impl Packages {
    pub(super) fn forget(&mut self, satellite: SatelliteId) {
        self.states.remove(&satellite);
    }

    fn set_desired(&mut self, change: DesiredChange) -> DesiredOutcome {
        if let Some(settled) = change.settled_by(&self.desired) {
            return settled;
        }
        let DesiredChange { expected, lockfile, now } = change;
        let wanted = lockfile.as_ref().map(Lockfile::hash);
        let blobs = lockfile.iter().flat_map(Lockfile::entries).map(|entry| entry.blob);
        let missing: Vec<_> = blobs.filter(|blob| !self.blobs.contains_key(blob)).collect();
        if !missing.is_empty() {
            return DesiredOutcome::Missing(missing);
        }
        if let Some(old) = expected.and_then(|hash| self.lockfiles.get_mut(&hash)) {
            old.retired_at = Some(now);
        }
        if let Some(lockfile) = lockfile {
            let kept = Kept { lockfile, desired_at: now, retired_at: None };
            self.lockfiles.insert(kept.lockfile.hash(), kept);
        }
        self.desired = Desired { lockfile: wanted, since: Some(now) };
        DesiredOutcome::Set
    }

    fn want(&mut self, blob: &BlobHash, now: Timestamp) -> Option<HeldBlob> {
        let (held, wanted_at) = self.blobs.get_mut(blob)?;
        *wanted_at = now.max(*wanted_at);
        Some(*held)
    }

    fn blob_of(&self, integrity: &Integrity) -> Option<HeldBlob> {
        let mut latest_first: Vec<_> = self.lockfiles.values().collect();
        latest_first.sort_by_key(|kept| (kept.retired_at.is_some(), -kept.desired_at.as_millis()));
        let mut entries = latest_first.into_iter().flat_map(|kept| kept.lockfile.entries());
        let entry = entries.find(|entry| entry.integrity == *integrity)?;
        self.blobs.get(&entry.blob).map(|(held, _)| *held)
    }

    fn forget_unneeded(&mut self, before: Timestamp) -> u64 {
        self.lockfiles.retain(|_, kept| kept.retired_at.is_none_or(|since| since >= before));
        let entries = self.lockfiles.values().flat_map(|kept| kept.lockfile.entries());
        let named: BTreeSet<_> = entries.map(|entry| entry.blob).collect();
        let held = self.blobs.len();
        self.blobs.retain(|hash, (_, wanted_at)| named.contains(hash) || *wanted_at >= before);
        (held - self.blobs.len()) as u64
    }
}

#[async_trait]
impl PackageStore for MemoryStore {
    async fn desired(&self) -> StoreResult<Desired> {
        Ok(self.state.lock().packages.desired)
    }

    async fn lockfile(&self, hash: LockfileHash) -> StoreResult<Option<Lockfile>> {
        let state = self.state.lock();
        Ok(state.packages.lockfiles.get(&hash).map(|kept| kept.lockfile.clone()))
    }

    async fn set_desired(&self, change: DesiredChange) -> StoreResult<DesiredOutcome> {
        Ok(self.state.lock().packages.set_desired(change))
    }

    async fn want_blobs(
        &self,
        blobs: &[BlobHash],
        now: Timestamp,
    ) -> StoreResult<Vec<Option<HeldBlob>>> {
        let mut state = self.state.lock();
        Ok(blobs.iter().map(|blob| state.packages.want(blob, now)).collect())
    }

    async fn record_blob(&self, blob: HeldBlob, now: Timestamp) -> StoreResult<HeldBlob> {
        let blobs = &mut self.state.lock().packages.blobs;
        let (held, wanted_at) = blobs.entry(blob.hash()).or_insert((blob, now));
        *wanted_at = now.max(*wanted_at);
        Ok(*held)
    }

    async fn blob_of(&self, integrity: &Integrity) -> StoreResult<Option<HeldBlob>> {
        Ok(self.state.lock().packages.blob_of(integrity))
    }

    async fn forget_unneeded(&self, before: Timestamp) -> StoreResult<u64> {
        Ok(self.state.lock().packages.forget_unneeded(before))
    }

    async fn unheld(&self, names: &[BlobName]) -> StoreResult<Vec<BlobName>> {
        let state = self.state.lock();
        let blobs = &state.packages.blobs;
        let is_held = |name: &BlobName| blobs.get(&name.hash).is_some_and(|(b, _)| b.name == *name);
        Ok(names.iter().copied().filter(|name| !is_held(name)).collect())
    }

    async fn record_sync_states(&self, states: &[SyncState]) -> StoreResult<()> {
        let mut state = self.state.lock();
        for said in states {
            if state.satellites.contains_key(&said.satellite) {
                state.packages.states.insert(said.satellite, said.clone());
            }
        }
        Ok(())
    }

    async fn sync_states(
        &self,
        after: Option<SatelliteId>,
        limit: usize,
    ) -> StoreResult<Vec<SyncState>> {
        let state = self.state.lock();
        let states = state.packages.states.values();
        let later = states.filter(|said| after.is_none_or(|after| said.satellite > after));
        Ok(later.take(limit).cloned().collect())
    }

    async fn sync_state(&self, satellite: SatelliteId) -> StoreResult<Option<SyncState>> {
        Ok(self.state.lock().packages.states.get(&satellite).cloned())
    }
}

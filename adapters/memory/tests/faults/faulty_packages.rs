//! The port of packages, right but for one fault.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use groundcontrol_core::packages::{
    BlobHash, BlobName, Entry, HeldBlob, Integrity, Lockfile, LockfileHash, SyncState,
};
use groundcontrol_core::ports::{
    Desired, DesiredChange, DesiredOutcome, PackageStore, SatelliteStore as _, StoreResult,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::{Millis, Timestamp};

use crate::faulty::Faulty;
use crate::package_fault::PackageFault as Fault;

/// Long ago, so that asking keeps nothing.
const LONG_AGO: Timestamp = Timestamp::from_millis(0);

/// What a faulty store remembers of packages beside the right one.
#[derive(Default)]
pub(crate) struct PackagesTold {
    set_at: Option<Timestamp>,
    replaced: BTreeSet<LockfileHash>,
    keys: BTreeMap<String, BlobHash>,
    states: BTreeMap<SatelliteId, SyncState>,
}

impl Faulty {
    fn packs(&self, fault: Fault) -> bool {
        self.package_fault == fault
    }

    async fn held(&self, blob: BlobHash) -> StoreResult<Option<HeldBlob>> {
        Ok(self.inner.want_blobs(&[blob], LONG_AGO).await?.into_iter().flatten().next())
    }

    async fn hold_all(&self, lockfile: &Lockfile, now: Timestamp) -> StoreResult<()> {
        for Entry { blob: hash, .. } in lockfile.entries() {
            if self.held(*hash).await?.is_none() {
                let name = BlobName { hash: *hash, upload: Default::default() };
                let blob = HeldBlob { name, bytes: 0, unpacked_bytes: 0, files: 0 };
                self.inner.record_blob(blob, now).await?;
            }
        }
        Ok(())
    }

    /// Lets nothing be desired any more, as of long ago.
    async fn retire(&self) -> StoreResult<()> {
        let expected = self.inner.desired().await?.lockfile;
        let nothing = DesiredChange { expected, lockfile: None, now: LONG_AGO };
        self.inner.set_desired(nothing).await.map(drop)
    }
}

#[async_trait]
impl PackageStore for Faulty {
    async fn desired(&self) -> StoreResult<Desired> {
        let mut desired = self.inner.desired().await?;
        match self.package_fault {
            Fault::SinceAlways => desired.since = desired.since.or(Some(LONG_AGO)),
            Fault::RestampsRepetitions => desired.since = self.packages.lock().set_at,
            _ => {}
        }
        Ok(desired)
    }

    async fn lockfile(&self, hash: LockfileHash) -> StoreResult<Option<Lockfile>> {
        let found = self.inner.lockfile(hash).await?;
        let is_desired = self.inner.desired().await?.lockfile == Some(hash);
        Ok(match (self.package_fault, found) {
            (Fault::ForgetsReplaced, _) if !is_desired => None,
            (Fault::SortsVersions, Some(found)) => {
                let mut entries = found.entries().to_vec();
                entries.sort_by_cached_key(|entry| entry.version.to_string());
                Lockfile::new(entries).ok()
            }
            (_, found) => found,
        })
    }

    async fn set_desired(&self, mut change: DesiredChange) -> StoreResult<DesiredOutcome> {
        let desired = self.inner.desired().await?.lockfile;
        match (self.package_fault, &change.lockfile) {
            (Fault::IgnoresExpected, _) => change.expected = desired,
            (Fault::PublishesHalf, Some(lockfile)) => self.hold_all(lockfile, change.now).await?,
            _ => {}
        }
        let (lockfile, now) = (change.lockfile.clone(), change.now);
        let outcome = self.inner.set_desired(change).await?;
        let told = &mut self.packages.lock();
        if outcome == DesiredOutcome::Set {
            told.set_at = Some(now);
            told.replaced.extend(desired);
            for entry in lockfile.iter().flat_map(Lockfile::entries) {
                told.keys.entry(entry.integrity.to_string()).or_insert(entry.blob);
            }
        }
        Ok(match (self.package_fault, outcome) {
            (Fault::OvertakenByNothing, DesiredOutcome::Overtaken(_)) => {
                DesiredOutcome::Overtaken(None)
            }
            (Fault::TellsOneMissing, DesiredOutcome::Missing(mut missing)) => {
                missing.truncate(1);
                DesiredOutcome::Missing(missing)
            }
            (_, outcome) => outcome,
        })
    }

    async fn want_blobs(
        &self,
        blobs: &[BlobHash],
        now: Timestamp,
    ) -> StoreResult<Vec<Option<HeldBlob>>> {
        let now = if self.packs(Fault::WantingKeepsNothing) { LONG_AGO } else { now };
        let mut found = self.inner.want_blobs(blobs, now).await?;
        match self.package_fault {
            Fault::AnswersInAnotherOrder => found.sort_by_key(|blob| blob.map(|blob| blob.bytes)),
            Fault::LeavesOut => found.retain(Option::is_some),
            _ => {}
        }
        Ok(found)
    }

    async fn record_blob(&self, blob: HeldBlob, now: Timestamp) -> StoreResult<HeldBlob> {
        let held = self.inner.record_blob(blob, now).await?;
        Ok(if self.packs(Fault::LastUploadCounts) { blob } else { held })
    }

    async fn blob_of(&self, integrity: &Integrity) -> StoreResult<Option<HeldBlob>> {
        if self.packs(Fault::FirstKeyStays) {
            let first = self.packages.lock().keys.get(&integrity.to_string()).copied();
            return match first {
                Some(first) => self.held(first).await,
                None => Ok(None),
            };
        }
        self.inner.blob_of(integrity).await
    }

    async fn forget_unneeded(&self, before: Timestamp) -> StoreResult<u64> {
        let desired = self.inner.desired().await?.lockfile;
        let again = desired.is_some_and(|hash| self.packages.lock().replaced.contains(&hash));
        match self.package_fault {
            Fault::NeverForgets => return Ok(0),
            Fault::ForgetsAtItsTime => {
                return self.inner.forget_unneeded(before + Millis::new(1)).await;
            }
            Fault::ForgetsDesired => self.retire().await?,
            Fault::ForgetsDesiredAgain if again => self.retire().await?,
            _ => {}
        }
        self.inner.forget_unneeded(before).await
    }

    async fn unheld(&self, names: &[BlobName]) -> StoreResult<Vec<BlobName>> {
        if self.packs(Fault::UnheldByHash) {
            let mut unheld = Vec::new();
            for name in names {
                unheld.extend(self.held(name.hash).await?.is_none().then_some(*name));
            }
            return Ok(unheld);
        }
        self.inner.unheld(names).await
    }

    async fn record_sync_states(&self, states: &[SyncState]) -> StoreResult<()> {
        let mut states = states.to_vec();
        for said in &states {
            let known = self.inner.get(said.satellite).await?.is_some();
            let kept = match self.package_fault {
                Fault::ListensToStrangers => !known,
                Fault::StatesOutlive => known,
                _ => false,
            };
            if kept {
                self.packages.lock().states.insert(said.satellite, said.clone());
            }
        }
        if self.packs(Fault::FirstWordStays) {
            let known = self.inner.sync_states(None, usize::MAX).await?;
            let known: BTreeSet<_> = known.into_iter().map(|said| said.satellite).collect();
            states.retain(|said| !known.contains(&said.satellite));
        }
        self.inner.record_sync_states(&states).await
    }

    async fn sync_states(
        &self,
        after: Option<SatelliteId>,
        limit: usize,
    ) -> StoreResult<Vec<SyncState>> {
        let mut all = self.inner.sync_states(None, usize::MAX).await?;
        let overlap = self.packs(Fault::PagesOverlap);
        all.retain(|said| {
            after.is_none_or(|after| said.satellite > after)
                || overlap && Some(said.satellite) == after
        });
        if self.packs(Fault::ListsBackwards) {
            all.reverse();
        }
        all.truncate(limit);
        Ok(all)
    }

    async fn sync_state(&self, satellite: SatelliteId) -> StoreResult<Option<SyncState>> {
        let found = self.inner.sync_state(satellite).await?;
        Ok(found.or_else(|| self.packages.lock().states.get(&satellite).cloned()))
    }
}

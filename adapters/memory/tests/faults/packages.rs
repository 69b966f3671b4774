//! The port of packages, right: the suites of the work need all of a store.

use async_trait::async_trait;
use groundcontrol_core::packages::{
    BlobHash, BlobName, HeldBlob, Integrity, Lockfile, LockfileHash, SyncState,
};
use groundcontrol_core::ports::{
    Desired, DesiredChange, DesiredOutcome, PackageStore, StoreResult,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;

use crate::faulty::Faulty;

#[async_trait]
impl PackageStore for Faulty {
    async fn desired(&self) -> StoreResult<Desired> {
        self.inner.desired().await
    }

    async fn lockfile(&self, hash: LockfileHash) -> StoreResult<Option<Lockfile>> {
        self.inner.lockfile(hash).await
    }

    async fn set_desired(&self, change: DesiredChange) -> StoreResult<DesiredOutcome> {
        self.inner.set_desired(change).await
    }

    async fn want_blobs(
        &self,
        blobs: &[BlobHash],
        now: Timestamp,
    ) -> StoreResult<Vec<Option<HeldBlob>>> {
        self.inner.want_blobs(blobs, now).await
    }

    async fn record_blob(&self, blob: HeldBlob, now: Timestamp) -> StoreResult<HeldBlob> {
        self.inner.record_blob(blob, now).await
    }

    async fn blob_of(&self, integrity: &Integrity) -> StoreResult<Option<HeldBlob>> {
        self.inner.blob_of(integrity).await
    }

    async fn forget_unneeded(&self, before: Timestamp) -> StoreResult<u64> {
        self.inner.forget_unneeded(before).await
    }

    async fn unheld(&self, names: &[BlobName]) -> StoreResult<Vec<BlobName>> {
        self.inner.unheld(names).await
    }

    async fn record_sync_states(&self, states: &[SyncState]) -> StoreResult<()> {
        self.inner.record_sync_states(states).await
    }

    async fn sync_states(
        &self,
        after: Option<SatelliteId>,
        limit: usize,
    ) -> StoreResult<Vec<SyncState>> {
        self.inner.sync_states(after, limit).await
    }

    async fn sync_state(&self, satellite: SatelliteId) -> StoreResult<Option<SyncState>> {
        self.inner.sync_state(satellite).await
    }
}

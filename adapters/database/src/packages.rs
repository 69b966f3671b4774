//! The ports of script packages: which call goes where.

use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::packages::{
    Blob, BlobHash, BlobName, HeldBlob, Integrity, Lockfile, LockfileHash, SyncState,
};
use groundcontrol_core::ports::{
    BlobStore, Desired, DesiredChange, DesiredOutcome, PackageStore, StoreResult,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;

use crate::read::{blobs, packages as read};
use crate::store::{DatabaseStore, doing};
use crate::write::{
    DeleteBlobs, ForgetPackages, PutPiece, RecordBlob, RecordSyncStates, SetDesired, WantBlobs,
};

#[async_trait]
impl PackageStore for DatabaseStore {
    async fn desired(&self) -> StoreResult<Desired> {
        doing("read which packages are desired", read::desired(self.reader()).await)
    }

    async fn lockfile(&self, hash: LockfileHash) -> StoreResult<Option<Lockfile>> {
        doing("read a lockfile", read::lockfile(self.reader(), hash).await)
    }

    async fn set_desired(&self, change: DesiredChange) -> StoreResult<DesiredOutcome> {
        self.writer().write(SetDesired(change)).await
    }

    async fn want_blobs(
        &self,
        blobs: &[BlobHash],
        now: Timestamp,
    ) -> StoreResult<Vec<Option<HeldBlob>>> {
        if blobs.is_empty() {
            return Ok(Vec::new());
        }
        self.writer().write(WantBlobs { blobs: blobs.to_vec(), now }).await
    }

    async fn record_blob(&self, blob: HeldBlob, now: Timestamp) -> StoreResult<HeldBlob> {
        self.writer().write(RecordBlob { blob, now }).await
    }

    async fn blob_of(&self, integrity: &Integrity) -> StoreResult<Option<HeldBlob>> {
        doing("find a blob by its key", read::blob_of(self.reader(), integrity).await)
    }

    async fn forget_unneeded(&self, before: Timestamp) -> StoreResult<u64> {
        self.writer().write(ForgetPackages { before }).await
    }

    async fn unheld(&self, names: &[BlobName]) -> StoreResult<Vec<BlobName>> {
        doing("look which blobs are held", read::unheld(self.reader(), names).await)
    }

    async fn record_sync_states(&self, states: &[SyncState]) -> StoreResult<()> {
        if states.is_empty() {
            return Ok(());
        }
        self.writer().write(RecordSyncStates(states.to_vec())).await
    }

    async fn sync_states(
        &self,
        after: Option<SatelliteId>,
        limit: usize,
    ) -> StoreResult<Vec<SyncState>> {
        doing("list sync states", read::sync_states(self.reader(), after, limit).await)
    }

    async fn sync_state(&self, satellite: SatelliteId) -> StoreResult<Option<SyncState>> {
        doing("read a sync state", read::sync_state(self.reader(), satellite).await)
    }
}

/// Bytes travel in pieces, each a statement of its own, so that no write waits long behind them.
#[async_trait]
impl BlobStore for DatabaseStore {
    async fn put(&self, name: BlobName, blob: Arc<Blob>, now: Timestamp) -> StoreResult<()> {
        for number in 0..blob.pieces().len() {
            let blob = Arc::clone(&blob);
            self.writer().write(PutPiece { name, blob, number, now }).await?;
        }
        Ok(())
    }

    async fn get(&self, name: BlobName) -> StoreResult<Option<Blob>> {
        doing("read a blob", blobs::get(self.reader(), name).await)
    }

    async fn delete(&self, names: &[BlobName]) -> StoreResult<()> {
        if names.is_empty() {
            return Ok(());
        }
        self.writer().write(DeleteBlobs(names.to_vec())).await
    }

    async fn put_before(
        &self,
        before: Timestamp,
        after: Option<BlobName>,
        limit: usize,
    ) -> StoreResult<Vec<BlobName>> {
        let found = blobs::put_before(self.reader(), before, after, limit).await;
        doing("list blobs", found)
    }
}

//! The bytes of blobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::packages::{Blob, BlobName};
use groundcontrol_core::ports::{BlobStore, StoreResult};
use groundcontrol_core::time::Timestamp;

use super::MemoryStore;

/// Bytes by name, and when they were put.
pub(super) type Blobs = BTreeMap<BlobName, (Arc<Blob>, Timestamp)>;

#[async_trait]
impl BlobStore for MemoryStore {
    async fn put(&self, name: BlobName, blob: Arc<Blob>, now: Timestamp) -> StoreResult<()> {
        self.state.lock().blobs.insert(name, (blob, now));
        Ok(())
    }

    async fn get(&self, name: BlobName) -> StoreResult<Option<Blob>> {
        let found = self.state.lock().blobs.get(&name).map(|(blob, _)| Arc::clone(blob));
        Ok(found.map(|blob| Blob::clone(&blob)))
    }

    async fn delete(&self, names: &[BlobName]) -> StoreResult<()> {
        let blobs = &mut self.state.lock().blobs;
        names.iter().for_each(|name| drop(blobs.remove(name)));
        Ok(())
    }

    async fn put_before(
        &self,
        before: Timestamp,
        after: Option<BlobName>,
        limit: usize,
    ) -> StoreResult<Vec<BlobName>> {
        let state = self.state.lock();
        let found = state.blobs.iter().filter(|(_, (_, put_at))| *put_at < before);
        let names = found.map(|(name, _)| *name);
        Ok(names.filter(|name| after.is_none_or(|after| *name > after)).take(limit).collect())
    }
}

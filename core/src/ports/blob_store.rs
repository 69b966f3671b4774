//! Where the bytes of blobs are.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreResult;
use crate::packages::{Blob, BlobName};
use crate::time::Timestamp;

/// The bytes of blobs, each upload under a name of its own ([`BlobName`]), never changed.
///
/// Every promise below has a case in `conformance::blob_store`.
///
/// * **Durable**: what was answered is stored, also after a crash.
/// * **Whole**: bytes are read as they were put, or not at all.
///
/// May be wrong about: when something was put, by minutes. May fail: any call; what a failed
/// [`put`](Self::put) left behind is found by [`put_before`](Self::put_before). Every call may be
/// repeated.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores bytes under a name that was never used before. `now` is store time.
    async fn put(&self, name: BlobName, blob: Arc<Blob>, now: Timestamp) -> StoreResult<()>;

    /// The bytes under a name, in pieces of [`BLOB_PIECE`](crate::limits::BLOB_PIECE) bytes and a
    /// last one that may be shorter; none where there are none.
    async fn get(&self, name: BlobName) -> StoreResult<Option<Blob>>;

    /// Deletes what is under these names; those that are not there are ignored. Any number.
    async fn delete(&self, names: &[BlobName]) -> StoreResult<()>;

    /// At most `limit` names under which something was put before `before`, whole or in part,
    /// that come after `after`, in their order.
    async fn put_before(
        &self,
        before: Timestamp,
        after: Option<BlobName>,
        limit: usize,
    ) -> StoreResult<Vec<BlobName>>;
}

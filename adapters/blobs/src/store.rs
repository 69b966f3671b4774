//! The port, on whatever holds objects.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use groundcontrol_core::limits::BLOB_PIECE;
use groundcontrol_core::packages::{Blob, BlobName};
use groundcontrol_core::ports::{BlobStore, StoreError, StoreResult};
use groundcontrol_core::time::Timestamp;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutPayload};

/// Blobs as objects: one an upload, named after it.
pub struct ObjectBlobs {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// A piece of a blob that is being sent, without a copy.
struct Piece(Arc<Blob>, usize);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        self.0.pieces().get(self.1).map(AsRef::as_ref).unwrap_or_default()
    }
}

impl ObjectBlobs {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { store, prefix: prefix.join("blobs") }
    }

    fn path(&self, name: BlobName) -> Path {
        self.prefix.clone().join(name.to_string())
    }
}

impl fmt::Debug for ObjectBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectBlobs({}, {})", self.store, self.prefix)
    }
}

fn failed(doing: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            StoreError::RefusesWrites { doing, detail: error.to_string() }
        }
        error => StoreError::Unavailable { doing, detail: error.to_string() },
    }
}

#[async_trait]
impl BlobStore for ObjectBlobs {
    async fn put(&self, name: BlobName, blob: Arc<Blob>, _now: Timestamp) -> StoreResult<()> {
        let piece = |number| Bytes::from_owner(Piece(Arc::clone(&blob), number));
        let payload: PutPayload = (0..blob.pieces().len()).map(piece).collect();
        let put = self.store.put(&self.path(name), payload).await;
        put.map(drop).map_err(failed("store a blob"))
    }

    async fn get(&self, name: BlobName) -> StoreResult<Option<Blob>> {
        let failed = failed("read a blob");
        let found = match self.store.get(&self.path(name)).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(&failed)?,
        };
        let (mut bytes, mut pieces, mut last) = (found.into_stream(), Vec::new(), Vec::new());
        while let Some(mut some) = bytes.try_next().await.map_err(&failed)? {
            while !some.is_empty() {
                last.reserve_exact(BLOB_PIECE - last.len());
                let fits = some.split_to(some.len().min(BLOB_PIECE - last.len()));
                last.extend_from_slice(&fits);
                if last.len() == BLOB_PIECE {
                    pieces.push(std::mem::take(&mut last).into());
                }
            }
        }
        if !last.is_empty() {
            pieces.push(last.into());
        }
        Ok(Some(Blob::new(pieces)))
    }

    async fn delete(&self, names: &[BlobName]) -> StoreResult<()> {
        let paths: Vec<_> = names.iter().map(|name| Ok(self.path(*name))).collect();
        let mut deleted = self.store.delete_stream(stream::iter(paths).boxed());
        while let Some(one) = deleted.next().await {
            match one {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(failed("delete blobs")(error)),
            }
        }
        Ok(())
    }

    /// Objects that are named otherwise are somebody else's, and left alone.
    async fn put_before(
        &self,
        before: Timestamp,
        after: Option<BlobName>,
        limit: usize,
    ) -> StoreResult<Vec<BlobName>> {
        let mut objects = match after {
            Some(after) => self.store.list_with_offset(Some(&self.prefix), &self.path(after)),
            None => self.store.list(Some(&self.prefix)),
        };
        // No order is promised: the first ones are kept of all.
        let mut first = BTreeSet::new();
        while let Some(object) = objects.try_next().await.map_err(failed("list blobs"))? {
            let put_at = object.last_modified.timestamp_millis();
            let name = object.location.filename().and_then(|name| name.parse::<BlobName>().ok());
            if let Some(name) = name.filter(|_| put_at < before.as_millis()) {
                first.insert(name);
                if first.len() > limit {
                    first.pop_last();
                }
            }
        }
        Ok(first.into_iter().collect())
    }
}

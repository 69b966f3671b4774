//! What operators ask about script packages.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::fleet::FleetError;
use super::package_store::Desired;
use super::{FieldError, StoreError};
use crate::limits::{MAX_BLOB, MAX_UNPACKED_BLOB};
use crate::packages::{Blob, BlobHash, Entry, HeldBlob, Lockfile, LockfileHash, SyncState};
use crate::satellite::SatelliteId;

/// Implemented by the app, called by the adapters that operators and programs talk to.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PackageService: Send + Sync {
    /// What is desired, with its entries.
    async fn desired_packages(&self) -> Result<(Desired, Option<Lockfile>), PackageError>;

    /// A lockfile that is desired, or was not long ago.
    async fn lockfile(&self, hash: LockfileHash) -> Result<Lockfile, PackageError>;

    /// Makes `entries` the desired packages in place of `expected`, and tells all satellites.
    async fn publish_packages(
        &self,
        expected: Option<LockfileHash>,
        entries: Vec<Entry>,
    ) -> Result<Lockfile, PackageError>;

    /// There shall be no packages any more; tells all satellites.
    async fn clear_packages(&self) -> Result<(), PackageError>;

    /// Those of `blobs` that are not held, in their order. The others stay for a grace time.
    async fn missing_blobs(&self, blobs: Vec<BlobHash>) -> Result<Vec<BlobHash>, PackageError>;

    /// Stores a blob, once all of it has arrived and was found to be what it should be.
    async fn store_blob(
        &self,
        hash: BlobHash,
        content: Box<dyn BlobStream>,
    ) -> Result<StoredBlob, PackageError>;

    /// The bytes of a blob.
    async fn load_blob(&self, hash: BlobHash) -> Result<LoadedBlob, PackageError>;

    /// At most `limit` sync states of satellites whose id comes after `after`, in the order of ids.
    async fn sync_states(
        &self,
        after: Option<SatelliteId>,
        limit: usize,
    ) -> Result<Vec<SyncState>, PackageError>;

    /// What a satellite said last of its packages; none where it said nothing.
    async fn sync_state(&self, satellite: SatelliteId) -> Result<Option<SyncState>, PackageError>;
}

/// A blob as it arrives.
#[async_trait]
pub trait BlobStream: Send {
    /// The next bytes, any number; none at the end. Nothing is asked for after an error.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, BlobFault>;
}

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// What is held.
    pub held: HeldBlob,
    /// Whether it was not held before.
    pub is_new: bool,
}

/// A blob on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedBlob {
    /// Its bytes.
    pub blob: Arc<Blob>,
    /// To be kept for as long as the bytes are in memory.
    pub room: Room,
}

/// Room for one blob in memory; others wait until it is dropped.
#[derive(Clone)]
pub struct Room(Arc<dyn Any + Send + Sync>);

impl Room {
    /// What gives the room back when it is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self(Arc::new(guard))
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}

impl PartialEq for Room {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Room {}

/// Why a request about packages was not done. Nothing was changed, except where the store says
/// that it cannot tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// As for any other request.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// Somebody else published meanwhile.
    #[error(
        "the desired lockfile is {}, not the one that this was to replace; look at what was \
         published, and publish again on top of it", named(.0)
    )]
    Overtaken(Option<LockfileHash>),
    /// An upload is not what it should be.
    #[error(transparent)]
    Blob(#[from] BlobFault),
}

/// Why an upload was not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobFault {
    /// More bytes than a blob may have.
    #[error("a blob has at most {MAX_BLOB} bytes")]
    TooLarge,
    /// It ended too early.
    #[error("it broke off: {0}")]
    BrokenOff(String),
    /// It took too long.
    #[error("it did not arrive in time: {0}")]
    TooSlow(String),
    /// It has another hash than its path says.
    #[error("its SHA-256 is {found}, not {expected}")]
    Differs {
        /// The one in the path.
        expected: BlobHash,
        /// That of what arrived.
        found: BlobHash,
    },
    /// It cannot be read as a gzipped tar.
    #[error("it is no gzipped tar: {0}")]
    NotAnArchive(String),
    /// It holds a path that leads elsewhere.
    #[error("it holds {0:?}, which leads out of its folder")]
    Outside(String),
    /// It holds a link, a device or the like.
    #[error("it holds {path:?}, which is neither a file nor a folder but a {kind}")]
    NotPlain {
        /// Where.
        path: String,
        /// What.
        kind: String,
    },
    /// It is unpacked to more than a blob may be.
    #[error("it unpacks to more than {MAX_UNPACKED_BLOB} bytes")]
    Bomb,
    /// It holds more files and folders than a lockfile may.
    #[error("it holds more than {} files and folders", crate::limits::MAX_PACKAGE_FILES)]
    TooManyFiles,
    /// It holds no file at all.
    #[error("it holds no file")]
    Empty,
}

fn named(lockfile: &Option<LockfileHash>) -> String {
    lockfile.map_or_else(|| "none".to_owned(), |hash| hash.to_string())
}

impl From<StoreError> for PackageError {
    fn from(error: StoreError) -> Self {
        Self::Fleet(error.into())
    }
}

impl PackageError {
    /// Fields break their limits.
    pub fn invalid(pointer: impl Into<String>, detail: impl ToString) -> Self {
        let fault = FieldError { pointer: pointer.into(), detail: detail.to_string() };
        Self::Fleet(FleetError::Invalid(vec![fault]))
    }
}

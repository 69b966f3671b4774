//! Which script packages there shall be, and where satellites stand with them.

use async_trait::async_trait;

use super::StoreResult;
use crate::packages::{BlobHash, BlobName, HeldBlob, Integrity, Lockfile, LockfileHash, SyncState};
use crate::satellite::SatelliteId;
use crate::time::Timestamp;

/// Lockfiles, one of which is desired; what is known of blobs; and what satellites say. The bytes
/// of blobs are in a [`BlobStore`](super::BlobStore).
///
/// Every promise below has a case in `conformance::package_store`.
///
/// * **Durable**: what was answered is stored, also after a crash.
/// * **Conditional**: a lockfile is desired only in place of the one that was read, and only while
///   all blobs that it names are held.
/// * **Kept**: what the desired lockfile names is never forgotten.
/// * **Gone**: with its satellite a sync state goes too; none is stored for one that is not there.
///
/// May be wrong about: nothing. May fail: any call. Every call may be repeated.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PackageStore: Send + Sync {
    /// What is desired.
    async fn desired(&self) -> StoreResult<Desired>;

    /// A lockfile: the desired one, or one that was and is not forgotten yet.
    async fn lockfile(&self, hash: LockfileHash) -> StoreResult<Option<Lockfile>>;

    /// Makes a lockfile the desired one, or none.
    async fn set_desired(&self, change: DesiredChange) -> StoreResult<DesiredOutcome>;

    /// What is held of `blobs`, in their order; any number. What is held stays for a grace time
    /// from `now` on, so that whoever asks can publish a lockfile which names it.
    async fn want_blobs(
        &self,
        blobs: &[BlobHash],
        now: Timestamp,
    ) -> StoreResult<Vec<Option<HeldBlob>>>;

    /// A blob's bytes are stored under its name: from now on it is held. Where it is held already
    /// under another name, that stays; it is answered.
    async fn record_blob(&self, blob: HeldBlob, now: Timestamp) -> StoreResult<HeldBlob>;

    /// The blob for which `integrity` is the key: in the desired lockfile, else in the latest that
    /// knows it.
    async fn blob_of(&self, integrity: &Integrity) -> StoreResult<Option<HeldBlob>>;

    /// Forgets lockfiles that have not been desired since `before`, and blobs that no lockfile
    /// names and nobody wanted since `before`. Answers how many blobs.
    async fn forget_unneeded(&self, before: Timestamp) -> StoreResult<u64>;

    /// Those of `names` under which no blob is held, in their order. Any number.
    async fn unheld(&self, names: &[BlobName]) -> StoreResult<Vec<BlobName>>;

    /// Stores what satellites said of their packages, in place of what they said before. Unknown
    /// satellites are ignored. A satellite appears at most once. Any number.
    async fn record_sync_states(&self, states: &[SyncState]) -> StoreResult<()>;

    /// At most `limit` sync states of satellites whose id comes after `after`, in the order of ids.
    async fn sync_states(
        &self,
        after: Option<SatelliteId>,
        limit: usize,
    ) -> StoreResult<Vec<SyncState>>;

    /// What a satellite said last; none where it said nothing.
    async fn sync_state(&self, satellite: SatelliteId) -> StoreResult<Option<SyncState>>;
}

/// Which packages there shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The lockfile; none: no packages.
    pub lockfile: Option<LockfileHash>,
    /// Since when, store time; none where it was never said.
    pub since: Option<Timestamp>,
}

/// A lockfile to be desired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredChange {
    /// The one that must be desired at that moment, or none.
    pub expected: Option<LockfileHash>,
    /// The one to be desired then, or none.
    pub lockfile: Option<Lockfile>,
    /// Store time.
    pub now: Timestamp,
}

impl DesiredChange {
    /// What becomes of it where `desired` is so; none where it is to be made, if all blobs that it
    /// names are held.
    pub fn settled_by(&self, desired: &Desired) -> Option<DesiredOutcome> {
        let wanted = self.lockfile.as_ref().map(Lockfile::hash);
        if desired.since.is_some() && desired.lockfile == wanted {
            return Some(DesiredOutcome::Set);
        }
        let overtaken = desired.lockfile != self.expected;
        overtaken.then_some(DesiredOutcome::Overtaken(desired.lockfile))
    }
}

/// What became of a [`DesiredChange`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesiredOutcome {
    /// It is desired; also when it was already.
    Set,
    /// Another one than expected is.
    Overtaken(Option<LockfileHash>),
    /// It names blobs that are not held, in the order of its entries.
    Missing(Vec<BlobHash>),
}

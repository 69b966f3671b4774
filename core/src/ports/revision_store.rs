//! Which configuration a satellite was last told of, and which it runs.

use async_trait::async_trait;

use super::StoreResult;
use crate::assignment::{Fingerprint, Revision, StoredRevision};
use crate::satellite::SatelliteId;

/// The revisions of satellites' configurations.
///
/// Every promise below has a case in `conformance::revision_store`.
///
/// * **Durable**: what was answered is stored, also after a crash.
/// * **Conditional**: a revision is stored only in place of the one that was read.
/// * **Gone**: with its satellite a revision goes too; nothing is stored for one that is not
///   there.
///
/// May be wrong about: nothing. May fail: any call.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RevisionStore: Send + Sync {
    /// The revisions of `satellites`, in their order; of one that never had work, or is unknown,
    /// [`StoredRevision::default`]. Any number.
    async fn revisions(&self, satellites: &[SatelliteId]) -> StoreResult<Vec<StoredRevision>>;

    /// The revision of one satellite. Where many ask at the same time, they may be answered
    /// together.
    async fn revision(&self, satellite: SatelliteId) -> StoreResult<StoredRevision> {
        let found = self.revisions(&[satellite]).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    /// Stores revisions; answers in the order of `writes` which were stored. One is not where the
    /// stored one is not the one before it, or the satellite is gone; it hinders no other. The
    /// same write again counts as stored. A satellite appears at most once. Any number.
    async fn record_revisions(&self, writes: &[RevisionWrite]) -> StoreResult<Vec<bool>>;

    /// Stores what agents said they run, unless something later is stored. What cannot be is
    /// ignored: of unknown satellites, or beyond the latest revision. A satellite appears at most once. Any number.
    async fn record_applied(&self, applied: &[(SatelliteId, Revision)]) -> StoreResult<()>;
}

/// A revision to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionWrite {
    /// Whose.
    pub satellite: SatelliteId,
    /// The one to be stored, in place of the one before it.
    pub revision: Revision,
    /// What it says.
    pub fingerprint: Fingerprint,
}

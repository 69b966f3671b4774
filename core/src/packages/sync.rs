//! Where a satellite stands with its packages.

use crate::limits::{MAX_LOCKFILE_HASH_CHARS, MAX_SYNC_ERROR_CHARS};
use crate::satellite::SatelliteId;
use crate::satellite::text::clean;
use crate::time::Timestamp;

/// What a satellite said last of its packages. It is kept for operators, and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// The satellite.
    pub satellite: SatelliteId,
    /// The lockfile that it is about; none: no packages. At most 200 characters.
    pub lockfile: Option<String>,
    /// How far it got.
    pub status: SyncStatus,
    /// What went wrong. At most 2000 characters.
    pub error: Option<String>,
    /// When it said so, store time.
    pub at: Timestamp,
}

/// How far a satellite got with its packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyncStatus {
    /// Not begun.
    Pending,
    /// Under way.
    Syncing,
    /// Installed.
    Ready,
    /// Failed.
    Error,
}

impl SyncState {
    /// What `satellite` said at `at`, cut to its limits and without control characters.
    pub fn said(
        satellite: SatelliteId,
        lockfile: Option<&str>,
        status: SyncStatus,
        error: Option<&str>,
        at: Timestamp,
    ) -> Self {
        let lockfile = lockfile.map(|text| clean(text, MAX_LOCKFILE_HASH_CHARS));
        let error = error.map(|text| clean(text, MAX_SYNC_ERROR_CHARS));
        Self { satellite, lockfile, status, error, at }
    }
}

impl SyncStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Syncing, Self::Ready, Self::Error];

    /// Its name, on the wire and wherever it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Syncing => "syncing",
            Self::Ready => "ready",
            Self::Error => "error",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_satellite_says_is_cut_to_its_limits() {
        let long = format!("a\u{7}\n{}", "x".repeat(3_000));
        let id = SatelliteId(uuid::Uuid::nil());
        let at = Timestamp::from_millis(1);
        let said = SyncState::said(id, Some(&long), SyncStatus::Error, Some(&long), at);
        assert_eq!(said.lockfile.unwrap().chars().count(), MAX_LOCKFILE_HASH_CHARS);
        let error = said.error.unwrap();
        assert_eq!(error.chars().count(), MAX_SYNC_ERROR_CHARS);
        assert!(error.starts_with("axx"), "{error}");
    }

    #[test]
    fn every_status_is_found_by_its_name() {
        for status in SyncStatus::ALL {
            assert_eq!(SyncStatus::from_name(status.name()), Some(status));
        }
        assert_eq!(SyncStatus::from_name("Ready"), None);
    }
}

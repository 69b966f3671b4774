//! Script packages.

use groundcontrol_core::packages as core;
use groundcontrol_core::ports::{Desired, StoredBlob};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::word::{Instant, PackageSyncStatus};

/// The packages that satellites shall have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DesiredPackages {
    /// The lockfile's name, the SHA-256 of its canonical form; null: no packages.
    pub lockfile_hash: Option<String>,
    /// Since when; absent where nobody ever said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub since: Option<Instant>,
    /// Its entries, in the order of names.
    pub entries: Vec<PackageEntry>,
}

/// A lockfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lockfile {
    /// Its name: the SHA-256 of its canonical form.
    pub lockfile_hash: String,
    /// Its entries, in the order of names.
    pub entries: Vec<PackageEntry>,
}

/// One version of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageEntry {
    /// The package, `name` or `@scope/name`.
    #[schema(max_length = 214, example = "left-pad")]
    pub name: String,
    /// Its version.
    #[schema(min_length = 1, max_length = 256, example = "1.3.0")]
    pub version: String,
    /// The key by which satellites ask for its blob. Opaque.
    #[schema(min_length = 1, max_length = 512)]
    pub integrity: String,
    /// The SHA-256 of its blob, a gzipped tar: 64 hexadecimal digits.
    #[schema(min_length = 64, max_length = 64)]
    pub blob_sha256: String,
}

/// What satellites shall have from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "expectedLockfileHash": null,
    "entries": [{
        "name": "left-pad", "version": "1.3.0", "integrity": "sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2HrNcqQGsdot8ghrjyrvMCoEA==",
        "blobSha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }],
}))]
pub struct PublishPackages {
    /// The lockfile that this is to replace, as it was read; null where there was none. Where it
    /// is another by now, nothing is changed.
    #[schema(required = true)]
    pub expected_lockfile_hash: Option<String>,
    /// One to 2000 entries, whose blobs are all held. Of several versions of a package the first
    /// is the one that scripts import.
    #[schema(min_items = 1, max_items = 2000)]
    pub entries: Vec<PackageEntry>,
}

/// Blobs that somebody wants to name in a lockfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "blobs": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
}))]
pub struct FindMissingBlobs {
    /// Their SHA-256.
    #[schema(max_items = 2000)]
    pub blobs: Vec<String>,
}

/// Blobs that are not held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingBlobs {
    /// Their SHA-256.
    pub missing: Vec<String>,
}

/// A blob that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageBlob {
    /// Its SHA-256.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many bytes it unpacks to.
    pub unpacked_bytes: u64,
    /// How many files and folders it holds.
    pub files: u64,
}

/// Where a satellite stands with its packages, as it said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageSyncState {
    /// The satellite.
    pub satellite_id: Uuid,
    /// The lockfile that it is about; null: no packages.
    pub lockfile_hash: Option<String>,
    /// How far it got.
    pub status: PackageSyncStatus,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error_message: Option<String>,
    /// When it said so.
    pub reported_at: Instant,
}

impl From<&core::Entry> for PackageEntry {
    fn from(entry: &core::Entry) -> Self {
        Self {
            name: entry.name.to_string(),
            version: entry.version.to_string(),
            integrity: entry.integrity.to_string(),
            blob_sha256: entry.blob.to_string(),
        }
    }
}

impl From<&core::Lockfile> for Lockfile {
    fn from(lockfile: &core::Lockfile) -> Self {
        let entries = lockfile.entries().iter().map(Into::into).collect();
        Self { lockfile_hash: lockfile.hash().to_string(), entries }
    }
}

impl From<&(Desired, Option<core::Lockfile>)> for DesiredPackages {
    fn from((desired, lockfile): &(Desired, Option<core::Lockfile>)) -> Self {
        let entries = lockfile.iter().flat_map(core::Lockfile::entries).map(Into::into).collect();
        Self {
            lockfile_hash: desired.lockfile.map(|hash| hash.to_string()),
            since: desired.since.map(Instant),
            entries,
        }
    }
}

impl From<&StoredBlob> for PackageBlob {
    fn from(stored: &StoredBlob) -> Self {
        let held = stored.held;
        Self {
            sha256: held.hash().to_string(),
            bytes: held.bytes,
            unpacked_bytes: held.unpacked_bytes,
            files: held.files,
        }
    }
}

impl From<&core::SyncState> for PackageSyncState {
    fn from(state: &core::SyncState) -> Self {
        Self {
            satellite_id: state.satellite.0,
            lockfile_hash: state.lockfile.clone(),
            status: PackageSyncStatus(state.status),
            error_message: state.error.clone(),
            reported_at: Instant(state.at),
        }
    }
}

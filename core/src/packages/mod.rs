//! Script packages: which versions of which packages scripts may import, and where the satellites
//! stand with them.
//!
//! A [`Lockfile`] lists entries; each names a *blob*, a gzipped tar, by the SHA-256 of its bytes
//! ([`BlobHash`]). The lockfile itself is named by the SHA-256 of its canonical form
//! ([`LockfileHash`]). A satellite asks for a blob by the entry's [`Integrity`], which is a key to
//! it and nothing else.

mod hash;
mod text;
mod lockfile;
mod blob;
mod sync;

pub use blob::{Blob, BlobName, HeldBlob, NotABlobName};
pub use hash::{BlobHash, LockfileHash, NotAHash};
pub use lockfile::{Changes, Entry, InvalidLockfile, Lockfile};
pub use sync::{SyncState, SyncStatus};
pub use text::{Integrity, NotAPackageName, PackageName, PackageVersion, is_folder_name};

//! The bytes of script packages' blobs in a directory, or in an S3-compatible bucket.
//!
//! [`ObjectBlobs`] implements [`BlobStore`] on the `object_store` crate. `store` is the port,
//! `place` where objects are, `client` how a bucket is spoken to.
//!
//! [`BlobStore`]: groundcontrol_core::ports::BlobStore

#![deny(missing_docs)]

mod store;
mod place;
mod client;

pub use place::OpenError;
pub use store::ObjectBlobs;

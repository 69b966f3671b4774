//! The cases of the packages' ports.

pub(super) mod store;
pub(super) mod blobs;

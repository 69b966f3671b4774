//! The cases of the work's ports.

pub(super) mod store;
pub(super) mod source;
pub(super) mod revisions;
mod bench;

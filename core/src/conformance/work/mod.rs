//! The cases of the work's ports.

pub(super) mod store;
pub(super) mod source;
pub(super) mod revisions;
pub(super) mod runs;
pub(super) mod quiet;
pub(super) mod bench;

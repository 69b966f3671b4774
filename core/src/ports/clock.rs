//! Store time, as this pod knows it.

use crate::time::{Millis, Timestamp};

/// The clock that all pods share (property P11).
///
/// Promises: never runs backwards; is within [`error`](Self::error) of the store's own clock
/// whatever this machine's wall clock says. May be wrong by that error, and no more.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// Store time now. Costs no I/O.
    fn now(&self) -> Timestamp;

    /// The error e of [`now`](Self::now).
    fn error(&self) -> Millis;

    /// By how many milliseconds this machine's wall clock is ahead of store time, negative where it
    /// is behind; none where that is not known. For people: no rule depends on it.
    fn wall_ahead(&self) -> Option<i64> {
        None
    }
}

//! The decision functions that a proof runs on.

use std::fmt::Debug;

use crate::connection::{Command, ConnectionRecord, Context, Decision, Status, decide, status};
use crate::time::{Millis, Timestamp};

/// The decisions under proof: the real ones, or a [`PlantedBug`](super::PlantedBug) that a suite
/// must catch.
pub trait Rules: Debug + Send + Sync {
    /// [`decide`].
    fn decide(&self, record: &ConnectionRecord, command: &Command, context: &Context) -> Decision {
        decide(record, command, context)
    }

    /// [`status`].
    fn status(&self, record: &ConnectionRecord, threshold: Millis, now: Timestamp) -> Status {
        status(record, threshold, now)
    }
}

/// The real rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SoundRules;

impl Rules for SoundRules {}

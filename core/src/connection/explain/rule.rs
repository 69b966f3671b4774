//! The numbers of the rules that an explanation can name.

use super::Reason;
use crate::connection::record::{Cause, LifecycleEvent, named};

/// A rule of ARCHITECTURE.md, "The rules".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// What online means.
    S1,
    /// A satellite that never connected has no state.
    S4,
    /// A session authenticates.
    T1,
    /// A heartbeat on the current session.
    T2,
    /// A lost session is heard again.
    T3,
    /// A session ends.
    T4,
    /// A silence is recorded.
    T5,
    /// A satellite is removed.
    T7,
    /// A credential ends.
    T8,
    /// An edge that is not known derives nothing.
    E4,
}

named!(Rule {
    S1 => "S1",
    S4 => "S4",
    T1 => "T1",
    T2 => "T2",
    T3 => "T3",
    T4 => "T4",
    T5 => "T5",
    T7 => "T7",
    T8 => "T8",
    E4 => "E4",
});

impl Rule {
    /// The rule that makes a satellite what it is for this reason.
    pub(super) const fn behind(reason: Reason) -> Self {
        match reason {
            Reason::Heard | Reason::Silent => Self::S1,
            Reason::Lost => Self::T5,
            Reason::Ended => Self::T4,
            Reason::Revoked | Reason::Disabled => Self::T8,
            Reason::NeverConnected => Self::S4,
            Reason::Unknown => Self::E4,
        }
    }

    /// The rule that records `edge` with this cause.
    pub(super) const fn recording(edge: LifecycleEvent, cause: Option<Cause>) -> Self {
        match (edge, cause) {
            (LifecycleEvent::Connected, Some(Cause::HeartbeatResumed)) => Self::T3,
            (LifecycleEvent::Connected, _) => Self::T1,
            (LifecycleEvent::Disconnected, Some(Cause::Revoked)) => Self::T8,
            (LifecycleEvent::Disconnected, _) => Self::T4,
            (LifecycleEvent::HeartbeatLost, _) => Self::T5,
        }
    }
}

//! What happens in a model, and what comes of it.

use crate::connection::{Command, Decision, Edge, Fence, Rejection, RevokeScope, Unchanged};
use crate::satellite::CredentialVersion;
use crate::time::{Millis, Timestamp};

/// Something that happens to a model's satellite. It is concrete, so that the same message can
/// arrive again later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A pod learned of something (T1–T5). Not `Command::Revoke`, which is part of
    /// [`EndCredential`](Self::EndCredential).
    Command(Command),
    /// A credential ends, and the session on it (T8); it holds only while the credential
    /// version is as read.
    EndCredential {
        /// Which sessions end.
        scope: RevokeScope,
        /// The credential version on which this was decided.
        read: CredentialVersion,
    },
    /// A token is added beside the others; nothing ends. It holds only while the credential
    /// version is as read.
    AddToken {
        /// The credential version on which this was decided.
        read: CredentialVersion,
    },
    /// The satellite is removed (T7).
    Remove,
    /// The satellite gets another threshold (S2).
    SetThreshold(Millis),
    /// Store time passes.
    Pass {
        /// How much of it.
        span: Millis,
        /// Whether pods renew their watch lease all the while, from its beginning to its end.
        watched: bool,
    },
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// An edge was recorded.
    Recorded(Edge),
    /// The heartbeat time moved to here.
    Beat(Timestamp),
    /// Nothing to do.
    Unchanged(Unchanged),
    /// The session's words count for nothing (T6).
    Fenced(Fence),
    /// The connect is refused (T1).
    Rejected(Rejection),
    /// What was read is no longer so; nothing was written.
    Conflict,
    /// Done; it causes no edge.
    Done,
}

impl Outcome {
    /// What comes of `decision` when its write holds.
    pub fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Record(change) => Self::Recorded(change.edge),
            Decision::Beat { heard } => Self::Beat(*heard),
            Decision::Unchanged(why) => Self::Unchanged(*why),
            Decision::Fenced(fence) => Self::Fenced(*fence),
            Decision::Rejected(why) => Self::Rejected(*why),
        }
    }

    /// Whether the record is another one after it.
    pub const fn changes_the_record(self) -> bool {
        match self {
            Self::Recorded(_) | Self::Beat(_) => true,
            Self::Unchanged(_)
            | Self::Fenced(_)
            | Self::Rejected(_)
            | Self::Conflict
            | Self::Done => false,
        }
    }
}

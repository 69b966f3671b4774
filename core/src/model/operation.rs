//! Steps in words that mean something in any world, so that lists of them can be generated,
//! enumerated and shrunk.

use super::{LEASE, SETTLE, THRESHOLD};
use crate::connection::CloseReason;
use crate::time::Millis;

/// Something that may happen next, whatever happened before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A new socket authenticates. What it was checked against may have been read a while ago.
    Connect {
        /// By how many its `seen_epoch` is older than the record's.
        epochs_ago: u8,
        /// By how many its credential version is older than the satellite's.
        versions_ago: u8,
        /// Which of the tokens that were valid then, counted from the oldest.
        token: u8,
    },
    /// A message that took effect arrives once more; 0 is the latest.
    Again {
        /// Counted back from the latest.
        which: u8,
    },
    /// A heartbeat arrives.
    Heartbeat {
        /// How many sessions ago the one that sent it was; 0 is the current one.
        sessions_ago: u8,
        /// How long ago it was received.
        ago: Millis,
    },
    /// A socket ends.
    Close {
        /// How many sessions ago; 0 is the current one.
        sessions_ago: u8,
        /// How it ended.
        reason: CloseReason,
    },
    /// A new token replaces all others at once.
    ReplaceToken,
    /// A new token is added; the others stay for now.
    AddToken,
    /// The overlap of one token is over.
    EndToken {
        /// Which of those that are valid, counted from the oldest; the last stays.
        token: u8,
    },
    /// The satellite is removed.
    Remove,
    /// The satellite gets this threshold.
    SetThreshold(Millis),
    /// A pod looks for silence.
    Sweep,
    /// Time passes.
    Pass {
        /// How much of it.
        span: Millis,
        /// Whether anybody watches meanwhile.
        watched: bool,
    },
}

impl Operation {
    /// A socket authenticates with the oldest valid token, against what is stored now.
    pub const CONNECT: Self = Self::Connect { epochs_ago: 0, versions_ago: 0, token: 0 };
    /// A heartbeat of the current session is received and stored now.
    pub const HEARTBEAT: Self = Self::Heartbeat { sessions_ago: 0, ago: Millis::ZERO };
    /// The current session ends politely.
    pub const CLOSE: Self = Self::Close { sessions_ago: 0, reason: CloseReason::ClientClosed };
    /// Exactly the threshold passes, watched.
    pub const THRESHOLD: Self = Self::Pass { span: THRESHOLD, watched: true };
    /// Enough for a loss passes, watched.
    pub const SILENCE: Self =
        Self::Pass { span: Millis::new(THRESHOLD.get() + SETTLE.get() + 1), watched: true };
    /// Watching lapses.
    pub const LAPSE: Self = Self::Pass { span: Millis::new(LEASE.get() + 1), watched: false };
}

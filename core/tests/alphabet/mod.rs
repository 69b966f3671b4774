//! The operations that are enumerated.

use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::model::{Operation, THRESHOLD};
use groundcontrol_core::time::Millis;

/// One of each kind, and the variants of it that the rules tell apart.
pub(crate) const ALPHABET: &[Operation] = &[
    Operation::CONNECT,
    Operation::Connect { epochs_ago: 1, versions_ago: 0, token: 0 },
    Operation::Connect { epochs_ago: 0, versions_ago: 1, token: 0 },
    Operation::Connect { epochs_ago: 0, versions_ago: 0, token: 1 },
    Operation::Again { which: 0 },
    Operation::Again { which: 1 },
    Operation::HEARTBEAT,
    Operation::Heartbeat { sessions_ago: 0, ago: Millis::new(1) },
    Operation::Heartbeat { sessions_ago: 0, ago: THRESHOLD },
    Operation::Heartbeat { sessions_ago: 0, ago: Millis::new(THRESHOLD.get() + 1) },
    Operation::Heartbeat { sessions_ago: 1, ago: Millis::ZERO },
    Operation::CLOSE,
    Operation::Close { sessions_ago: 0, reason: CloseReason::ConnectionLost },
    Operation::Close { sessions_ago: 0, reason: CloseReason::Drained },
    Operation::Close { sessions_ago: 1, reason: CloseReason::ClientClosed },
    Operation::ReplaceToken,
    Operation::AddToken,
    Operation::EndToken { token: 0 },
    Operation::Remove,
    Operation::SetThreshold(THRESHOLD.times(2)),
    Operation::Sweep,
    Operation::Pass { span: Millis::new(1), watched: true },
    Operation::THRESHOLD,
    Operation::SILENCE,
    Operation::LAPSE,
];

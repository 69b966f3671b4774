//! What an agent is told, and how it ends.

use std::fmt;
use std::time::Duration;

use groundcontrol_core::limits::{HEARTBEAT_INTERVAL, IDLE_LIMIT, RECONNECT_FIRST, RECONNECT_MOST};
use groundcontrol_core::satellite::{SatelliteId, Token};

/// Who a satellite is: what it authenticates with.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its id, the protocol's `clientId`.
    pub client_id: SatelliteId,
    /// Its token.
    pub token: Token,
}

/// How long an agent waits for what. The defaults are those of the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Time for TCP, TLS and upgrade together: 10 s.
    pub dial: Duration,
    /// Time for the answer to `authenticate`: 30 s.
    pub answer: Duration,
    /// Between heartbeats, where the server names no interval: 15 s.
    pub heartbeat: Duration,
    /// A server that is silent for longer is given up: 90 s.
    pub idle: Duration,
    /// Time for the server's echo of a close frame: 2 s.
    pub close: Duration,
    /// A session that was authenticated for this long resets the back-off: 30 s.
    pub lasting: Duration,
    /// The first delay before dialling again: 1 s.
    pub first_delay: Duration,
    /// The longest delay, before jitter: 30 s.
    pub longest_delay: Duration,
}

/// How an agent ended for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was asked to, and closed its connection first where there was one.
    Stopped,
    /// The server refused its credentials; dialling again would be refused again.
    AuthFailed {
        /// What the server said.
        reason: String,
    },
    /// The server told it to stop: removed, disabled, or its token revoked.
    ShutDown {
        /// What the server said.
        reason: String,
    },
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            dial: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            heartbeat: HEARTBEAT_INTERVAL.into(),
            idle: IDLE_LIMIT.into(),
            close: Duration::from_secs(2),
            lasting: RECONNECT_MOST.into(),
            first_delay: RECONNECT_FIRST.into(),
            longest_delay: RECONNECT_MOST.into(),
        }
    }
}

impl Exit {
    /// The exit code of a process that ends so: 0 stopped, 3 refused, 4 told to stop. A service
    /// manager should not restart it after 3 or 4.
    pub fn code(&self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::AuthFailed { .. } => 3,
            Self::ShutDown { .. } => 4,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::AuthFailed { reason } => write!(
                f,
                "the server refused this satellite ({}); check the client id, and if the token \
                 may be old, make a new one with `groundcontrol satellites rotate-token`",
                reason.escape_debug()
            ),
            Self::ShutDown { reason } => write!(
                f,
                "the server told this satellite to stop ({}); it was removed or disabled, or its \
                 token was revoked",
                reason.escape_debug()
            ),
        }
    }
}

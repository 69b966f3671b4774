//! What is stored of a satellite's connection (rules R1–R3).

use crate::satellite::{Epoch, Seq, SessionId, TokenId};
use crate::time::Timestamp;

/// The durable state of one satellite's connection: made with the satellite and gone with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionRecord {
    /// Number of the current session; 0 before the first.
    pub epoch: Epoch,
    /// The current session, also after it was closed (rule R3).
    pub session: Option<SessionId>,
    /// The token that session authenticated with, so that the end of one token ends no session
    /// of another (rule T8).
    pub token: Option<TokenId>,
    /// When the satellite was last heard; none after a clean end (rules R2, S5).
    pub last_heartbeat_at: Option<Timestamp>,
    /// The last edge.
    pub last_event: Option<LifecycleEvent>,
    /// When the last edge was recorded.
    pub last_event_at: Option<Timestamp>,
    /// Why the last edge was recorded.
    pub last_cause: Option<Cause>,
    /// Number of the last edge; 0 before the first.
    pub seq: Seq,
}

/// An edge of the connection state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LifecycleEvent {
    /// A session authenticated, or one that had been lost was heard again.
    Connected,
    /// The session ended.
    Disconnected,
    /// The session fell silent for longer than the threshold.
    HeartbeatLost,
}

/// Why an edge was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A session authenticated.
    Authenticated,
    /// A session authenticated while the previous one still counted as connected.
    TookOver,
    /// A lost session was heard again on the same socket (rule T3).
    HeartbeatResumed,
    /// The satellite closed the connection.
    ClientClosed,
    /// The transport broke without a close.
    ConnectionLost,
    /// No frame within the idle limit.
    IdleTimeout,
    /// A message too large, or a binary frame.
    ProtocolError,
    /// The satellite does not read.
    SlowConsumer,
    /// The credential ended (rule T8).
    Revoked,
    /// Silence for longer than threshold and settle (rule T5).
    HeartbeatTimeout,
}

/// One name for one thing: the same text in store, API and events.
macro_rules! named {
    ($type:ident { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in store, API and events.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The value called `name`; none where it is unknown (rule E4).
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use named;

named!(LifecycleEvent {
    Connected => "connected",
    Disconnected => "disconnected",
    HeartbeatLost => "heartbeat_lost",
});

named!(Cause {
    Authenticated => "authenticated",
    TookOver => "took_over",
    HeartbeatResumed => "heartbeat_resumed",
    ClientClosed => "client_closed",
    ConnectionLost => "connection_lost",
    IdleTimeout => "idle_timeout",
    ProtocolError => "protocol_error",
    SlowConsumer => "slow_consumer",
    Revoked => "revoked",
    HeartbeatTimeout => "heartbeat_timeout",
});

//! How a socket ends: what the peer is told, and what is put on record.

use super::message::Reply;
use crate::connection::{CloseReason, Fence};
use crate::ports::SessionRef;

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The peer sent a close frame, which is echoed.
    PeerClosed,
    /// The transport broke without one.
    TransportLost,
    /// Nothing came within the idle limit.
    Idle,
    /// A message was too large.
    TooLarge,
    /// A binary message came.
    Binary,
    /// A text message was not UTF-8.
    NotUtf8,
    /// A frame broke RFC 6455.
    BadFrame,
    /// The peer does not read.
    SlowConsumer,
    /// The satellite was removed or disabled, or its token revoked.
    Shutdown {
        /// What the satellite is told.
        reason: &'static str,
    },
    /// What the session says no longer counts (rule T6).
    Fenced(Fence),
    /// This pod is stopping.
    Drained,
    /// No `authenticate` came in time, or the room for those that wait ran out.
    NoAuthenticate,
    /// Something else came first.
    NotAuthenticated,
    /// `authenticate` was refused.
    Refused {
        /// What the satellite is told.
        reason: &'static str,
    },
    /// Two agents fight over one credential.
    Fight,
    /// Ground Control cannot serve just now.
    Unavailable,
}

/// The code of a close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

/// The end of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub ending: Ending,
    /// The session to record as closed, and how; none where there is no session, or none whose
    /// end is this socket's to tell.
    pub closed: Option<(SessionRef, CloseReason)>,
}

impl End {
    /// The end of a socket that carries `session`.
    pub(super) fn of(ending: Ending, session: Option<SessionRef>) -> Self {
        Self { ending, closed: session.zip(ending.close_reason()) }
    }
}

impl Ending {
    /// The code of the close frame to send; none where there is none to send, or the peer's is
    /// echoed.
    pub const fn close_code(self) -> Option<CloseCode> {
        match self {
            Self::PeerClosed | Self::TransportLost => None,
            Self::Idle | Self::NoAuthenticate => Some(CloseCode(4408)),
            Self::TooLarge => Some(CloseCode(1009)),
            Self::Binary => Some(CloseCode(1003)),
            Self::NotUtf8 => Some(CloseCode(1007)),
            Self::BadFrame => Some(CloseCode(1002)),
            Self::SlowConsumer => Some(CloseCode(1008)),
            Self::Shutdown { .. } | Self::Fenced(Fence::Gone) => Some(CloseCode(4403)),
            Self::Fenced(Fence::Superseded | Fence::Closed) => Some(CloseCode(4409)),
            Self::Drained => Some(CloseCode(1012)),
            Self::NotAuthenticated | Self::Refused { .. } => Some(CloseCode(4401)),
            Self::Fight => Some(CloseCode(4429)),
            Self::Unavailable => Some(CloseCode(1013)),
        }
    }

    /// How the session's end is recorded; none where somebody else recorded it already, or there
    /// never was one.
    pub const fn close_reason(self) -> Option<CloseReason> {
        match self {
            Self::PeerClosed => Some(CloseReason::ClientClosed),
            Self::TransportLost => Some(CloseReason::ConnectionLost),
            Self::Idle => Some(CloseReason::IdleTimeout),
            Self::TooLarge | Self::Binary | Self::NotUtf8 | Self::BadFrame => {
                Some(CloseReason::ProtocolError)
            }
            Self::SlowConsumer => Some(CloseReason::SlowConsumer),
            Self::Drained => Some(CloseReason::Drained),
            Self::Shutdown { .. }
            | Self::Fenced(_)
            | Self::NoAuthenticate
            | Self::NotAuthenticated
            | Self::Refused { .. }
            | Self::Fight
            | Self::Unavailable => None,
        }
    }

    /// The last message before the close frame.
    pub const fn farewell(self) -> Option<Reply> {
        match self {
            Self::Shutdown { reason } => Some(Reply::Shutdown { reason }),
            Self::NotAuthenticated => Some(Reply::AuthFailed { reason: "Must authenticate first" }),
            Self::Refused { reason } => Some(Reply::AuthFailed { reason }),
            Self::PeerClosed
            | Self::TransportLost
            | Self::Idle
            | Self::TooLarge
            | Self::Binary
            | Self::NotUtf8
            | Self::BadFrame
            | Self::SlowConsumer
            | Self::Fenced(_)
            | Self::Drained
            | Self::NoAuthenticate
            | Self::Fight
            | Self::Unavailable => None,
        }
    }

    /// A word for logs and the text of the close frame.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PeerClosed => "closed by peer",
            Self::TransportLost => "connection lost",
            Self::Idle => "idle for too long",
            Self::TooLarge => "message too large",
            Self::Binary => "binary message",
            Self::NotUtf8 => "text is not UTF-8",
            Self::BadFrame => "invalid frame",
            Self::SlowConsumer => "peer does not read",
            Self::Shutdown { .. } => "shut down",
            Self::Fenced(Fence::Superseded) => "superseded by a newer connection",
            Self::Fenced(Fence::Closed) => "session was closed",
            Self::Fenced(Fence::Gone) => "satellite was removed",
            Self::Drained => "server is stopping",
            Self::NoAuthenticate => "no authenticate in time",
            Self::NotAuthenticated => "not authenticated",
            Self::Refused { .. } => "authentication refused",
            Self::Fight => "two agents use one credential",
            Self::Unavailable => "try again later",
        }
    }
}

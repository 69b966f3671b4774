//! What an operator may set about the satellites' sockets.

use groundcontrol_core::limits;
use groundcontrol_core::session::SessionSettings;
use groundcontrol_core::time::Millis;

/// The limits of a server's sockets. The defaults are those of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketSettings {
    /// What the session machine goes by.
    pub session: SessionSettings,
    /// Messages that wait to be written to one socket before its peer is too slow.
    pub outgoing_messages: usize,
    /// Bytes that wait to be written to one socket before its peer is too slow.
    pub outgoing_bytes: usize,
    /// A socket that takes nothing of what waits for this long is too slow as well.
    pub stalled_after: Millis,
    /// How long a closing handshake may take before the socket is dropped.
    pub closing_within: Millis,
    /// Sockets that may wait for their `authenticate` at once; the oldest gives way.
    pub most_waiting: usize,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            session: SessionSettings::default(),
            outgoing_messages: limits::OUTGOING_MESSAGES,
            outgoing_bytes: limits::OUTGOING_BYTES,
            stalled_after: limits::IDLE_LIMIT,
            closing_within: Millis::from_secs(2),
            most_waiting: 16_384,
        }
    }
}

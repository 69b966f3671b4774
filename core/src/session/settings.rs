//! What an operator may set about sockets.

use crate::limits;
use crate::time::Millis;

/// The limits of every socket of a server. The defaults are those of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// Time between the upgrade and `authenticate`.
    pub authenticate_within: Millis,
    /// The server sends a ping this often.
    pub ping_interval: Millis,
    /// A socket that sends nothing for this long is closed, see [`Self::idle_limit`].
    pub least_idle_limit: Millis,
    /// Bytes of the largest message before authentication.
    pub max_message_before_auth: usize,
    /// Bytes of the largest message after authentication.
    pub max_message: usize,
    /// Messages a second that one socket may send without being slowed down; at least 1.
    pub messages_per_second: u64,
    /// Messages that a socket may send at once, having been quiet before; at least 1.
    pub messages_burst: u64,
    /// Bytes a minute that one socket may send without being slowed down; at least 1.
    pub bytes_per_minute: u64,
}

impl SessionSettings {
    /// How long a socket of a satellite with this threshold may send nothing: never less than
    /// two thresholds.
    ///
    /// ```
    /// use groundcontrol_core::session::SessionSettings;
    /// use groundcontrol_core::time::Millis;
    /// let settings = SessionSettings::default();
    /// assert_eq!(settings.idle_limit(Millis::from_secs(30)), Millis::from_secs(90));
    /// assert_eq!(settings.idle_limit(Millis::from_secs(600)), Millis::from_secs(1200));
    /// ```
    pub fn idle_limit(&self, threshold: Millis) -> Millis {
        self.least_idle_limit.max(threshold.times(limits::IDLE_LIMIT_THRESHOLDS))
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            authenticate_within: limits::AUTHENTICATE_WITHIN,
            ping_interval: limits::PING_INTERVAL,
            least_idle_limit: limits::IDLE_LIMIT,
            max_message_before_auth: limits::MAX_MESSAGE_BEFORE_AUTH,
            max_message: limits::MAX_MESSAGE,
            messages_per_second: limits::READ_MESSAGES_PER_SECOND,
            messages_burst: limits::READ_MESSAGES_BURST,
            bytes_per_minute: limits::READ_BYTES_PER_MINUTE,
        }
    }
}

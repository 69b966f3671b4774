//! What can happen to a connection, and what a decision about it depends on.

use super::record::Cause;
use crate::satellite::{CredentialVersion, Epoch, SessionId, TokenId};
use crate::time::{Millis, Timestamp};

/// Something that happened, as a pod learned of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// A socket authenticated (rule T1). `seen_epoch` and `credential_version` were read
    /// together with the credential that was checked.
    Connect {
        /// The new session.
        session: SessionId,
        /// The token that it presented.
        token: TokenId,
        /// The record's epoch when the credential was read.
        seen_epoch: Epoch,
        /// The credential version when the credential was read.
        credential_version: CredentialVersion,
    },
    /// A heartbeat was received (rules T2, T3).
    Heartbeat {
        /// The session that sent it.
        epoch: Epoch,
        /// Store time of its receipt.
        at: Timestamp,
    },
    /// A session's socket ended (rule T4).
    Close {
        /// The session that ended.
        epoch: Epoch,
        /// How.
        reason: CloseReason,
    },
    /// A credential ended (rule T8).
    Revoke {
        /// Which sessions it ends.
        scope: RevokeScope,
    },
    /// Somebody looks whether the satellite has been silent for too long (rule T5).
    Sweep,
}

/// How a session's socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// The peer sent a close frame.
    ClientClosed,
    /// The transport broke without one.
    ConnectionLost,
    /// No frame within the idle limit.
    IdleTimeout,
    /// A message too large, or a binary frame.
    ProtocolError,
    /// The peer does not read.
    SlowConsumer,
    /// This pod closes the socket because it is stopping: nothing is recorded (rule T4).
    Drained,
}

/// Which sessions the end of a credential ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevokeScope {
    /// Whatever the session authenticated with.
    AnyToken,
    /// Only a session that authenticated with this token: its overlap is over.
    OnlyToken(TokenId),
}

/// What was read together with the record and decides with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// Store time.
    pub now: Timestamp,
    /// The threshold in force for the satellite (rule S2).
    pub threshold: Millis,
    /// How long a received heartbeat may need to be stored.
    pub settle: Millis,
    /// The satellite's credential version.
    pub credential_version: CredentialVersion,
    /// The present span of watching; none when nobody watches, and then nobody is lost.
    pub watch: Option<WatchSpan>,
}

/// The unbroken span in which pods could receive and store heartbeats (rule T5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WatchSpan {
    /// Its start: `watching_since`.
    pub since: Timestamp,
    /// The end of the last lease in it.
    pub until: Timestamp,
}

impl WatchSpan {
    /// The span after a lease of `lease` is renewed at `now`: it goes on while leases overlap,
    /// and starts anew after a lapse.
    ///
    /// ```
    /// use groundcontrol_core::connection::WatchSpan;
    /// use groundcontrol_core::time::{Millis, Timestamp};
    /// let at = Timestamp::from_millis;
    /// let first = WatchSpan::renewed(None, at(0), Millis::new(15));
    /// let on = WatchSpan::renewed(Some(first), at(15), Millis::new(15));
    /// assert_eq!(on, WatchSpan { since: at(0), until: at(30) });
    /// let anew = WatchSpan::renewed(Some(on), at(31), Millis::new(15));
    /// assert_eq!(anew.since, at(31));
    /// ```
    #[must_use]
    pub fn renewed(previous: Option<Self>, now: Timestamp, lease: Millis) -> Self {
        let until = now + lease;
        match previous {
            Some(span) if now <= span.until => {
                Self { since: span.since, until: span.until.max(until) }
            }
            Some(_) | None => Self { since: now, until },
        }
    }

    /// Whether somebody watches at `now`.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now <= self.until
    }
}

impl CloseReason {
    /// Every reason, in declaration order.
    pub const ALL: &'static [Self] = &[
        Self::ClientClosed,
        Self::ConnectionLost,
        Self::IdleTimeout,
        Self::ProtocolError,
        Self::SlowConsumer,
        Self::Drained,
    ];

    /// The cause that is recorded; none for a drained socket, of which nothing is.
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::ClientClosed => Some(Cause::ClientClosed),
            Self::ConnectionLost => Some(Cause::ConnectionLost),
            Self::IdleTimeout => Some(Cause::IdleTimeout),
            Self::ProtocolError => Some(Cause::ProtocolError),
            Self::SlowConsumer => Some(Cause::SlowConsumer),
            Self::Drained => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn t5_a_span_goes_on_up_to_the_very_end_of_its_last_lease_and_then_begins_anew() {
        let span = WatchSpan { since: at(100), until: at(200) };
        let renewed = |now| WatchSpan::renewed(Some(span), at(now), Millis::new(50));
        assert_eq!(renewed(200), WatchSpan { since: at(100), until: at(250) });
        assert_eq!(renewed(201), WatchSpan { since: at(201), until: at(251) });
        let first = WatchSpan::renewed(None, at(200), Millis::new(50));
        assert_eq!(first, WatchSpan { since: at(200), until: at(250) });
    }

    #[test]
    fn t5_a_shorter_lease_of_another_pod_ends_no_span_earlier() {
        let span = WatchSpan { since: at(100), until: at(200) };
        assert_eq!(WatchSpan::renewed(Some(span), at(110), Millis::new(50)), span);
    }

    #[test]
    fn t5_somebody_watches_up_to_the_very_end_of_the_last_lease() {
        let span = WatchSpan { since: at(100), until: at(200) };
        assert!(span.is_alive(at(200)));
        assert!(!span.is_alive(at(201)));
    }
}

//! What must come of a step, found slowly in a list of what happened.
//!
//! The oracle keeps no state but that list and shares no code with `decide`: every answer is
//! looked up in the list anew, in the words of the rules.

use super::step::{Outcome, Step};
use super::{LEASE, SETTLE, THRESHOLD};
use crate::connection::{
    Cause, CloseReason, Command, ConnectionRecord, Edge, Fence, LifecycleEvent, Rejection,
    RevokeScope, Status, Unchanged,
};
use crate::satellite::{CredentialVersion, Epoch, Seq, SessionId, TokenId};
use crate::time::{Millis, Timestamp};

/// The list of what happened to one satellite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Oracle {
    happened: Vec<Fact>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fact {
    Edge { event: LifecycleEvent, cause: Cause, at: Timestamp },
    Opened { session: SessionId, token: TokenId },
    Heard { at: Timestamp },
    CredentialChanged,
    Threshold(Millis),
    Watched { from: Timestamp, to: Timestamp },
    Removed,
}

use Fact::{CredentialChanged, Heard, Opened, Removed, Watched};
use LifecycleEvent::{Connected, Disconnected, HeartbeatLost};

impl Oracle {
    /// What must come of `step` when a pod that takes `stamp` for the store time performs it.
    /// `now` is the store time itself.
    pub fn judge(&mut self, step: &Step, stamp: Timestamp, now: Timestamp) -> Outcome {
        match step {
            Step::SetThreshold(threshold) => self.note(Fact::Threshold(*threshold)),
            Step::Pass { span, watched: true } => {
                self.note(Watched { from: now, to: now + *span + LEASE })
            }
            Step::Pass { watched: false, .. } => Outcome::Done,
            _ if self.is_removed() => Outcome::Fenced(Fence::Gone),
            Step::Command(command) => self.command(command, stamp, now),
            Step::EndCredential { read, .. } | Step::AddToken { read }
                if *read != self.credential_version() =>
            {
                Outcome::Conflict
            }
            Step::AddToken { .. } => self.note(CredentialChanged),
            Step::EndCredential { scope, .. } => {
                self.happened.push(CredentialChanged);
                self.end_credential(*scope, stamp)
            }
            Step::Remove => self.note(Removed),
        }
    }

    /// What must come of a sweep where the span of watching is known from elsewhere.
    pub fn judge_silence(&mut self, watching_since: Timestamp, stamp: Timestamp) -> Outcome {
        if self.is_overdue(watching_since, stamp) {
            self.record_edge(HeartbeatLost, Cause::HeartbeatTimeout, stamp)
        } else {
            Outcome::Unchanged(Unchanged::NotOverdue)
        }
    }

    /// Rule T5's condition, where the span of watching is known from elsewhere.
    pub fn is_overdue(&self, watching_since: Timestamp, stamp: Timestamp) -> bool {
        let heard = self.heard().filter(|_| self.last_event() == Some(Connected));
        heard
            .is_some_and(|heard| stamp.since(heard.max(watching_since)) > self.threshold() + SETTLE)
    }

    /// The record that must be stored; none once the satellite was removed.
    pub fn record(&self) -> Option<ConnectionRecord> {
        if self.is_removed() {
            return None;
        }
        let edge = self.last_edge();
        let opened = self.last_opened();
        Some(ConnectionRecord {
            epoch: self.epoch(),
            session: opened.map(|(session, _)| session),
            token: opened.map(|(_, token)| token),
            last_heartbeat_at: self.heard(),
            last_event: edge.map(|(event, ..)| event),
            last_event_at: edge.map(|(.., at)| at),
            last_cause: edge.map(|(_, cause, _)| cause),
            seq: Seq(self.edges().count() as u64),
        })
    }

    /// Rule S1, at `now`.
    pub fn status(&self, now: Timestamp) -> Status {
        let fresh = self.heard().is_some_and(|heard| now.since(heard) <= self.threshold());
        if self.last_event() == Some(Connected) && fresh && !self.is_removed() {
            Status::Online
        } else {
            Status::Offline
        }
    }

    /// The number of sessions that were opened, which is the current one's.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.happened.iter().filter(|fact| matches!(fact, Opened { .. })).count() as u64)
    }

    /// Whether the current session exists and no end of it was recorded.
    pub fn is_open(&self) -> bool {
        matches!(self.last_event(), Some(Connected | HeartbeatLost)) && !self.is_removed()
    }

    /// When the present span of watching began, if somebody watches at `now`.
    pub fn watching_since(&self, now: Timestamp) -> Option<Timestamp> {
        let mut since = None;
        for fact in self.happened.iter().rev() {
            if let Watched { from, to } = *fact {
                if to < since.unwrap_or(now) {
                    break;
                }
                since = Some(from);
            }
        }
        since
    }

    /// The threshold in force.
    pub fn threshold(&self) -> Millis {
        let set = self.happened.iter().rev().find_map(|fact| match fact {
            Fact::Threshold(threshold) => Some(*threshold),
            _ => None,
        });
        set.unwrap_or(THRESHOLD)
    }

    /// How often the credential changed.
    pub fn credential_version(&self) -> CredentialVersion {
        let changes = self.happened.iter().filter(|fact| **fact == CredentialChanged).count();
        CredentialVersion(changes as u64)
    }

    /// Whether the satellite was removed.
    pub fn is_removed(&self) -> bool {
        self.happened.contains(&Removed)
    }

    fn command(&mut self, command: &Command, stamp: Timestamp, now: Timestamp) -> Outcome {
        match *command {
            Command::Connect { session, token, seen_epoch, credential_version } => {
                self.connect((session, token), seen_epoch, credential_version, stamp)
            }
            Command::Heartbeat { epoch, at } => {
                self.fence(epoch).unwrap_or_else(|| self.heartbeat(at.min(stamp), stamp))
            }
            Command::Close { epoch, reason } => {
                self.fence(epoch).unwrap_or_else(|| self.close(reason, stamp))
            }
            Command::Revoke { scope } => self.end_credential(scope, stamp),
            Command::Sweep => self.sweep(stamp, now),
        }
    }

    /// "The same session again: nothing, or fenced if it has been closed meanwhile. Otherwise,
    /// if `seen_epoch` is still the record's epoch and the credential version is still the
    /// satellite's: epoch + 1, heartbeat = store time of the write, edge `connected`."
    fn connect(
        &mut self,
        (session, token): (SessionId, TokenId),
        seen_epoch: Epoch,
        version: CredentialVersion,
        stamp: Timestamp,
    ) -> Outcome {
        if self.last_opened().is_some_and(|(last, _)| last == session) {
            return match self.is_open() {
                true => Outcome::Unchanged(Unchanged::AlreadyConnected),
                false => Outcome::Fenced(Fence::Closed),
            };
        }
        if seen_epoch != self.epoch() {
            return Outcome::Rejected(Rejection::EpochMoved);
        }
        if version != self.credential_version() {
            return Outcome::Rejected(Rejection::CredentialChanged);
        }
        let cause = match self.last_event() == Some(Connected) {
            true => Cause::TookOver,
            false => Cause::Authenticated,
        };
        self.happened.push(Opened { session, token });
        let outcome = self.record_edge(Connected, cause, stamp);
        let at = self.last_edge().map_or(stamp, |(.., at)| at);
        self.happened.push(Heard { at });
        outcome
    }

    /// "Connected: heartbeat = max(old, min(at, now)), no edge. Lost: `at` later than
    /// `last_event_at` and fresh enough to be online: edge `connected`. Any other changes
    /// nothing."
    fn heartbeat(&mut self, at: Timestamp, stamp: Timestamp) -> Outcome {
        if self.last_event() == Some(Connected) {
            if self.heard().is_some_and(|heard| at <= heard) {
                return Outcome::Unchanged(Unchanged::StaleHeartbeat);
            }
            self.happened.push(Heard { at });
            return Outcome::Beat(at);
        }
        let after_the_loss = self.last_edge().is_some_and(|(.., lost)| lost < at);
        if after_the_loss && stamp.since(at) <= self.threshold() {
            self.happened.push(Heard { at });
            self.record_edge(Connected, Cause::HeartbeatResumed, stamp)
        } else {
            Outcome::Unchanged(Unchanged::StaleHeartbeat)
        }
    }

    /// "Edge `disconnected`, except when the pod itself closes the socket because it stops."
    fn close(&mut self, reason: CloseReason, stamp: Timestamp) -> Outcome {
        let cause = match reason {
            CloseReason::Drained => return Outcome::Unchanged(Unchanged::Drained),
            CloseReason::ClientClosed => Cause::ClientClosed,
            CloseReason::ConnectionLost => Cause::ConnectionLost,
            CloseReason::IdleTimeout => Cause::IdleTimeout,
            CloseReason::ProtocolError => Cause::ProtocolError,
            CloseReason::SlowConsumer => Cause::SlowConsumer,
        };
        self.record_edge(Disconnected, cause, stamp)
    }

    /// "Closes the current session. With overlap only sessions on the old token end."
    fn end_credential(&mut self, scope: RevokeScope, stamp: Timestamp) -> Outcome {
        let used = self.last_opened().map(|(_, token)| token);
        let ends = match scope {
            RevokeScope::AnyToken => true,
            RevokeScope::OnlyToken(token) => used == Some(token),
        };
        if ends && self.is_open() {
            self.record_edge(Disconnected, Cause::Revoked, stamp)
        } else {
            Outcome::Unchanged(Unchanged::NoSession)
        }
    }

    /// "`now − max(last_heartbeat_at, watching_since) > threshold + settle`: edge
    /// `heartbeat_lost`." The write holds only while somebody watches.
    fn sweep(&mut self, stamp: Timestamp, now: Timestamp) -> Outcome {
        let lapsed = self.watching_since(now).is_none();
        match self.watching_since(stamp) {
            Some(since) if self.is_overdue(since, stamp) && lapsed => Outcome::Conflict,
            Some(since) => self.judge_silence(since, stamp),
            None => Outcome::Unchanged(Unchanged::NotOverdue),
        }
    }

    /// A session other than the newest is superseded; the newest is fenced once it was closed.
    fn fence(&self, epoch: Epoch) -> Option<Outcome> {
        if epoch != self.epoch() {
            Some(Outcome::Fenced(Fence::Superseded))
        } else if !self.is_open() {
            Some(Outcome::Fenced(Fence::Closed))
        } else {
            None
        }
    }

    /// The latest heartbeat of the current session, if that is open.
    fn heard(&self) -> Option<Timestamp> {
        if !self.is_open() {
            return None;
        }
        let of_this_session =
            self.happened.iter().rev().take_while(|fact| !matches!(fact, Opened { .. }));
        of_this_session
            .filter_map(|fact| if let Heard { at } = fact { Some(*at) } else { None })
            .max()
    }

    fn edges(&self) -> impl DoubleEndedIterator<Item = (LifecycleEvent, Cause, Timestamp)> {
        self.happened.iter().filter_map(|fact| match fact {
            Fact::Edge { event, cause, at } => Some((*event, *cause, *at)),
            _ => None,
        })
    }

    fn last_edge(&self) -> Option<(LifecycleEvent, Cause, Timestamp)> {
        self.edges().next_back()
    }

    fn last_event(&self) -> Option<LifecycleEvent> {
        self.last_edge().map(|(event, ..)| event)
    }

    fn last_opened(&self) -> Option<(SessionId, TokenId)> {
        self.happened.iter().rev().find_map(|fact| match fact {
            Opened { session, token } => Some((*session, *token)),
            _ => None,
        })
    }

    /// Edges are stamped with the store time of the write, and never before the edge before.
    fn record_edge(&mut self, event: LifecycleEvent, cause: Cause, stamp: Timestamp) -> Outcome {
        let at = self.edges().map(|(.., at)| at).fold(stamp, Timestamp::max);
        self.happened.push(Fact::Edge { event, cause, at });
        Outcome::Recorded(Edge { event, cause })
    }

    fn note(&mut self, fact: Fact) -> Outcome {
        self.happened.push(fact);
        Outcome::Done
    }
}

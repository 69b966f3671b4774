//! What the judge knows of one satellite.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use groundcontrol_core::connection::Transition;
use groundcontrol_core::ports::CredentialAction;
use groundcontrol_core::satellite::{HashedToken, OwnThreshold, SessionId, TokenId};
use groundcontrol_core::session::Ending;
use groundcontrol_core::time::{Millis, Timestamp};

/// One satellite's account.
pub(super) struct Account {
    pub(super) name: String,
    pub(super) own_threshold: Option<OwnThreshold>,
    pub(super) enabled: bool,
    /// The tokens whose end is not recorded.
    pub(super) tokens: Vec<TokenId>,
    /// The tokens that were ever given to it.
    given: BTreeSet<TokenId>,
    pub(super) removed: bool,
    pub(super) history: Vec<Transition>,
    pub(super) sockets: BTreeMap<SessionId, Socket>,
    /// True store time at which anybody last received a heartbeat, or recorded a session.
    pub(super) heard: Option<Timestamp>,
}

/// What the judge knows of one session.
#[derive(Default)]
pub(super) struct Socket {
    /// Heartbeats that were received and are not known to be stored: the stamp that the pod gave
    /// them, and true store time.
    pub(super) received: VecDeque<(Timestamp, Timestamp)>,
    /// The pod that received them.
    pub(super) host: usize,
    /// The latest stamp that is stored.
    pub(super) stored: Option<Timestamp>,
    /// How its socket ended, as the machine said.
    pub(super) ending: Option<Ending>,
}

impl Account {
    pub(super) fn new(name: String, own: Option<OwnThreshold>, token: &HashedToken) -> Self {
        Self {
            name,
            own_threshold: own,
            enabled: true,
            tokens: vec![token.id],
            given: BTreeSet::from([token.id]),
            removed: false,
            history: Vec::new(),
            sockets: BTreeMap::new(),
            heard: None,
        }
    }

    pub(super) fn threshold(&self, default: Millis) -> Millis {
        self.own_threshold.map_or(default, OwnThreshold::get)
    }

    pub(super) fn heard_at(&mut self, now: Timestamp) {
        self.heard = self.heard.max(Some(now));
    }

    /// The credentials after `action` (rule T8). False when it gives a token that it gave before:
    /// the same change was made twice (P1).
    pub(super) fn credentials_changed(&mut self, action: &CredentialAction) -> bool {
        match action {
            CredentialAction::Replace(new) => {
                self.tokens = vec![new.id];
                self.given.insert(new.id)
            }
            CredentialAction::Overlap { new, .. } => {
                self.tokens.push(new.id);
                self.given.insert(new.id)
            }
            CredentialAction::Drop(token) => {
                self.tokens.retain(|held| held != token);
                true
            }
            CredentialAction::SetEnabled(enabled) => {
                self.enabled = *enabled;
                true
            }
            CredentialAction::Rehash { .. } => true,
        }
    }

    /// Whether a session that authenticated with `token` may still have an effect.
    pub(super) fn honours(&self, token: Option<TokenId>) -> bool {
        self.enabled && token.is_some_and(|token| self.tokens.contains(&token))
    }

    /// The latest heartbeat that was stored of a session, whatever its record says.
    pub(super) fn stored_stamp(&self, session: Option<SessionId>) -> Option<Timestamp> {
        self.sockets.get(&session?)?.stored
    }

    /// A stamp was stored; none of the pending ones up to it is owed any more. False when no
    /// such heartbeat was received.
    pub(super) fn stamp_stored(&mut self, session: SessionId, at: Timestamp) -> bool {
        let socket = self.sockets.entry(session).or_default();
        if socket.stored >= Some(at) {
            return true;
        }
        let known = socket.received.iter().any(|(stamp, _)| *stamp == at);
        socket.stored = Some(at);
        socket.received.retain(|(stamp, _)| *stamp > at);
        known
    }
}

//! What really happened, as nobody in the run knows it, and what the store said last.

use std::collections::BTreeSet;

use crate::connection::{Command, RevokeScope, Transition};
use crate::model::{Oracle, THRESHOLD};
use crate::ports::{CredentialChange, EdgeWrite, HeartbeatWrite, Removal, WriteOutcome};
use crate::satellite::{CredentialVersion, Epoch, TokenId};
use crate::time::{Millis, Timestamp};

pub(super) struct Truth {
    pub(super) oracle: Oracle,
    /// The satellite's history when it was last read, oldest first.
    pub(super) history: Vec<Transition>,
    pub(super) threshold: Millis,
    /// What the satellite sent: the session, and the receiving pod's stamp.
    pub(super) sent: BTreeSet<(Epoch, Timestamp)>,
    /// The token of session 1, 2, 3 …
    pub(super) opened_with: Vec<TokenId>,
    /// The tokens that the agents have, oldest first.
    pub(super) tokens: Vec<TokenId>,
    /// Tokens whose end is recorded.
    pub(super) ended: BTreeSet<TokenId>,
    /// The last credential version under which everything was ended.
    pub(super) ended_version: Option<CredentialVersion>,
    /// When pods renewed their leases, store time as it is.
    pub(super) renewals: Vec<Timestamp>,
}

/// What a pod just asked the store to do, and the answer.
pub(super) enum Did {
    Edge { command: Command, write: Box<EdgeWrite>, decided: Timestamp, outcome: WriteOutcome },
    Beats { batch: Vec<HeartbeatWrite>, stamp: Timestamp, refused: Vec<usize> },
    Change { change: Box<CredentialChange>, ends: Option<RevokeScope>, outcome: WriteOutcome },
    Removal { removal: Box<Removal>, outcome: WriteOutcome },
}

impl Default for Truth {
    fn default() -> Self {
        Self {
            oracle: Oracle::default(),
            history: Vec::new(),
            threshold: THRESHOLD,
            sent: BTreeSet::new(),
            opened_with: Vec::new(),
            tokens: Vec::new(),
            ended: BTreeSet::new(),
            ended_version: None,
            renewals: Vec::new(),
        }
    }
}

impl Truth {
    pub(super) fn begin(&mut self, token: TokenId) {
        self.tokens.push(token);
    }

    pub(super) fn token_of(&self, epoch: Epoch) -> Option<TokenId> {
        let index = usize::try_from(epoch.0).ok()?.checked_sub(1)?;
        self.opened_with.get(index).copied()
    }

    /// When the satellite last sent something on this session.
    pub(super) fn last_sent(&self, session: Epoch) -> Option<Timestamp> {
        self.sent.iter().filter(|(epoch, _)| *epoch == session).map(|(_, at)| *at).max()
    }

    /// Whether anything that was dialled with this credential may still change something.
    pub(super) fn has_ended(&self, token: TokenId, version: CredentialVersion) -> bool {
        self.ended.contains(&token) || self.ended_version.is_some_and(|ended| version <= ended)
    }
}

//! Performing steps in a world and in the oracle at once, and checking everything after each.

use super::check::{self, Before};
use super::oracle::Oracle;
use super::{Fault, Operation, Outcome, Rules, SoundRules, Step, World, token};
use crate::connection::{Command, LifecycleEvent, RevokeScope};
use crate::satellite::{CredentialVersion, Epoch, SessionId, TokenId};
use crate::time::{Millis, Timestamp};
use uuid::Uuid;

/// A world, the oracle beside it, and what must be remembered to check every property.
///
/// Two trials are equal exactly when nothing that may still happen can tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trial<R = SoundRules> {
    pub(super) rules: R,
    pub(super) world: World,
    pub(super) oracle: Oracle,
    /// Messages that took effect, oldest first.
    pub(super) done: Vec<Step>,
    /// What satellites sent: the session and the time of receipt.
    pub(super) sent: Vec<(Epoch, Timestamp)>,
    /// The tokens that were valid at credential version 0, 1, 2 …
    pub(super) tokens: Vec<Vec<TokenId>>,
    /// The token of session 1, 2, 3 …
    pub(super) opened_with: Vec<TokenId>,
    /// Until when nobody watched, last.
    pub(super) blind_until: Timestamp,
    /// Whether the transition table is left out.
    pub(super) properties_alone: bool,
}

impl Trial {
    /// A satellite that never connected, under the real rules.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<R: Rules + Default> Default for Trial<R> {
    fn default() -> Self {
        Self::with(R::default())
    }
}

impl<R: Rules> Trial<R> {
    /// A satellite that never connected, under `rules`.
    pub fn with(rules: R) -> Self {
        let world = World::default();
        Self {
            rules,
            oracle: Oracle::default(),
            done: Vec::new(),
            sent: Vec::new(),
            tokens: vec![vec![token(0)]],
            opened_with: Vec::new(),
            blind_until: world.now,
            properties_alone: false,
            world,
        }
    }

    /// The same satellite, were all clocks of the world later by `shift` milliseconds. Only
    /// before anything happened.
    #[must_use]
    pub fn shifted(mut self, shift: i64) -> Self {
        self.world.now = Timestamp::from_millis(self.world.now.as_millis() + shift);
        self.blind_until = self.world.now;
        self
    }

    /// The same without comparing each step with the oracle: only what a property is about is a
    /// fault.
    #[must_use]
    pub fn by_properties_alone(mut self) -> Self {
        self.properties_alone = true;
        self
    }

    /// The world as it is now.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The oracle of this world.
    pub const fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// Performs `operation` and checks everything.
    pub fn perform(&mut self, operation: Operation) -> Result<Outcome, Fault> {
        self.perform_skewed(operation, 0)
    }

    /// Performs `operation` by a pod that takes the store time to be `skew` milliseconds later
    /// than it is, and checks everything.
    pub fn perform_skewed(&mut self, operation: Operation, skew: i64) -> Result<Outcome, Fault> {
        let stamp = Timestamp::from_millis(self.world.now.as_millis() + skew);
        match self.resolve(operation, stamp) {
            Some(step) => self.step(&step, stamp),
            None => Ok(Outcome::Done),
        }
    }

    /// Performs `operations` in their order; the fault comes with the index of the one that
    /// caused it.
    pub fn perform_all(&mut self, operations: &[Operation]) -> Result<(), (usize, Fault)> {
        operations.iter().enumerate().try_for_each(|(index, operation)| {
            self.perform(*operation).map(drop).map_err(|fault| (index, fault))
        })
    }

    /// Performs `step` by a pod that takes `stamp` for the store time, and checks everything.
    pub fn step(&mut self, step: &Step, stamp: Timestamp) -> Result<Outcome, Fault> {
        let before = Before::of(self);
        let expected = self.oracle.judge(step, stamp, self.world.now);
        let outcome = self.world.apply(&self.rules, step, stamp);
        self.remember(step, stamp, outcome, &before);
        check::all(self, &before, step, stamp, outcome, expected)?;
        Ok(outcome)
    }

    /// Whether `token` was valid once and is not any more.
    pub(super) fn has_ended(&self, token: TokenId) -> bool {
        !self.tokens.last().is_some_and(|valid| valid.contains(&token))
    }

    fn epoch(&self) -> Epoch {
        self.world.current_epoch()
    }

    /// The step that `operation` means here, to a pod that takes `stamp` for the store time;
    /// none where it means nothing.
    pub fn resolve(&self, operation: Operation, stamp: Timestamp) -> Option<Step> {
        let version = self.world.credential_version;
        let epoch_of = |sessions_ago: u8| Epoch(self.epoch().0.saturating_sub(sessions_ago.into()));
        Some(match operation {
            Operation::Connect { epochs_ago, versions_ago, token } => {
                self.connect(epochs_ago, versions_ago, token)
            }
            Operation::Again { which } => {
                self.done.iter().rev().nth(usize::from(which) % self.done.len().max(1))?.clone()
            }
            Operation::Heartbeat { sessions_ago, ago } => Step::Command(Command::Heartbeat {
                epoch: epoch_of(sessions_ago),
                at: stamp.minus(ago),
            }),
            Operation::Close { sessions_ago, reason } => {
                Step::Command(Command::Close { epoch: epoch_of(sessions_ago), reason })
            }
            Operation::ReplaceToken => {
                Step::EndCredential { scope: RevokeScope::AnyToken, read: version }
            }
            Operation::AddToken => Step::AddToken { read: version },
            Operation::EndToken { token } => {
                let valid = self.tokens.last().filter(|valid| valid.len() > 1)?;
                let ended = valid[usize::from(token) % (valid.len() - 1)];
                Step::EndCredential { scope: RevokeScope::OnlyToken(ended), read: version }
            }
            Operation::Remove => Step::Remove,
            Operation::SetThreshold(threshold) => Step::SetThreshold(threshold),
            Operation::Sweep => Step::Command(Command::Sweep),
            Operation::Pass { span, watched } => Step::Pass { span, watched },
        })
    }

    fn connect(&self, epochs_ago: u8, versions_ago: u8, token: u8) -> Step {
        let epoch = self.epoch();
        let version = self.world.credential_version.0.saturating_sub(versions_ago.into());
        let valid = usize::try_from(version).ok().and_then(|index| self.tokens.get(index));
        let valid = valid.map_or(&[][..], Vec::as_slice);
        let token = valid.get(usize::from(token) % valid.len().max(1));
        // No two sockets that get anywhere have the same name: the epoch moves between them.
        let name = (epoch.0 << 16) | (u64::from(epochs_ago) << 8) | u64::from(versions_ago);
        Step::Command(Command::Connect {
            session: SessionId(Uuid::from_u128(0x5e55_0000_0000 + u128::from(name))),
            token: token.copied().unwrap_or(super::token(u64::MAX)),
            seen_epoch: Epoch(epoch.0.saturating_sub(epochs_ago.into())),
            credential_version: CredentialVersion(version),
        })
    }

    fn remember(&mut self, step: &Step, stamp: Timestamp, outcome: Outcome, before: &Before) {
        let took_effect = outcome.changes_the_record();
        match step {
            Step::Command(Command::Connect { token, .. }) if took_effect => {
                self.opened_with.push(*token);
                let at = self.world.record.as_ref().and_then(|record| record.last_heartbeat_at);
                self.sent.push((self.epoch(), at.unwrap_or(stamp)));
            }
            Step::Command(Command::Heartbeat { epoch, at })
                if self.may_have_sent(*epoch) && !self.sent.contains(&(*epoch, *at)) =>
            {
                self.sent.push((*epoch, *at));
            }
            Step::EndCredential { scope, .. }
                if before.version != self.world.credential_version =>
            {
                let valid = self.tokens.last().map_or(&[][..], Vec::as_slice);
                let valid = match scope {
                    RevokeScope::AnyToken => vec![token(self.world.credential_version.0)],
                    RevokeScope::OnlyToken(ended) => {
                        valid.iter().copied().filter(|token| token != ended).collect()
                    }
                };
                self.tokens.push(valid);
            }
            Step::AddToken { .. } if before.version != self.world.credential_version => {
                let mut valid = self.tokens.last().cloned().unwrap_or_default();
                valid.push(token(self.world.credential_version.0));
                self.tokens.push(valid);
            }
            Step::Pass { span, watched } => self.remember_watching(*span, *watched, before),
            _ => {}
        }
        let may_come_again = !matches!(step, Step::Command(Command::Sweep));
        if took_effect && may_come_again && !self.done.contains(step) {
            self.done.push(step.clone());
        }
    }

    fn remember_watching(&mut self, span: Millis, watched: bool, before: &Before) {
        let lapsed = before.watched_until.is_none_or(|until| until < before.now);
        if watched && lapsed {
            self.blind_until = before.now;
        } else if !watched && before.watched_until.is_none_or(|until| until < before.now + span) {
            self.blind_until = self.world.now;
        }
    }

    /// A satellite sends only on a session that it opened.
    fn may_have_sent(&self, epoch: Epoch) -> bool {
        epoch > Epoch(0) && epoch <= self.epoch()
    }

    /// The losses that were recorded in `epoch`.
    pub(super) fn losses(&self, epoch: Epoch) -> impl Iterator<Item = Timestamp> {
        let lost = crate::connection::TransitionKind::Edge(LifecycleEvent::HeartbeatLost);
        let history = self.world.history.iter();
        history
            .filter(move |entry| entry.epoch == epoch && entry.kind == lost)
            .map(|entry| entry.at)
    }
}

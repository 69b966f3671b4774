//! One satellite in the smallest store that keeps the promises of the store port.

use super::rules::Rules;
use super::step::{Outcome, Step};
use super::{LEASE, SETTLE, START, THRESHOLD};
use crate::connection::{
    Cause, Command, ConnectionRecord, Context, Decision, Fence, LifecycleEvent, TransitionKind,
    WatchSpan,
};
use crate::ports::{Guard, WriteOutcome};
use crate::satellite::{CredentialVersion, Epoch, Seq, SessionId};
use crate::time::{Millis, Timestamp};

/// A store with one satellite.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Store time.
    pub now: Timestamp,
    /// The satellite's record; none once it was removed.
    pub record: Option<ConnectionRecord>,
    /// What was recorded, oldest first.
    pub history: Vec<Entry>,
    /// The satellite's credential version.
    pub credential_version: CredentialVersion,
    /// The threshold in force.
    pub threshold: Millis,
    /// The last span of watching.
    pub watch: Option<WatchSpan>,
}

/// A recorded transition, without what only readers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its number.
    pub seq: Seq,
    /// The session's number.
    pub epoch: Epoch,
    /// The session.
    pub session: Option<SessionId>,
    /// What it records.
    pub kind: TransitionKind,
    /// Why; none for a removal.
    pub cause: Option<Cause>,
    /// Store time of the write.
    pub at: Timestamp,
}

/// What a decision depends on, read together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reading {
    /// The record.
    pub record: ConnectionRecord,
    /// The credential version.
    pub credential_version: CredentialVersion,
    /// The threshold in force.
    pub threshold: Millis,
    /// The last span of watching.
    pub watch: Option<WatchSpan>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: START,
            record: Some(ConnectionRecord::default()),
            history: Vec::new(),
            credential_version: CredentialVersion::default(),
            threshold: THRESHOLD,
            watch: None,
        }
    }
}

impl World {
    /// The number of the newest session, as the history tells it.
    pub fn current_epoch(&self) -> Epoch {
        self.history.iter().map(|entry| entry.epoch).max().unwrap_or_default()
    }

    /// Whether the newest session has not ended, as the history tells it.
    pub fn is_open(&self) -> bool {
        match self.history.last().map(|entry| entry.kind) {
            Some(TransitionKind::Edge(
                LifecycleEvent::Connected | LifecycleEvent::HeartbeatLost,
            )) => true,
            Some(TransitionKind::Edge(LifecycleEvent::Disconnected) | TransitionKind::Removed)
            | None => false,
        }
    }

    /// What a decision depends on; none once the satellite was removed.
    pub fn read(&self) -> Option<Reading> {
        self.record.as_ref().map(|record| Reading {
            record: record.clone(),
            credential_version: self.credential_version,
            threshold: self.threshold,
            watch: self.watch,
        })
    }

    /// Does what was decided on `read` at `stamp`, if what `guard` compares is still so.
    pub fn write(
        &mut self,
        read: &Reading,
        decision: &Decision,
        guard: Guard,
        stamp: Timestamp,
    ) -> WriteOutcome {
        let Some(record) = &mut self.record else { return WriteOutcome::Gone };
        match decision {
            Decision::Beat { heard } => {
                let same = record.epoch == read.record.epoch
                    && record.last_event == read.record.last_event;
                if !same {
                    return WriteOutcome::Conflict;
                }
                record.last_heartbeat_at = record.last_heartbeat_at.max(Some(*heard));
            }
            Decision::Record(change) => {
                if !self.still_holds(read, guard) {
                    return WriteOutcome::Conflict;
                }
                self.history.push(Entry {
                    seq: change.next.seq,
                    epoch: change.next.epoch,
                    session: change.next.session,
                    kind: TransitionKind::Edge(change.edge.event),
                    cause: Some(change.edge.cause),
                    at: change.next.last_event_at.unwrap_or(stamp),
                });
                self.record = Some(change.next.clone());
            }
            Decision::Unchanged(_) | Decision::Fenced(_) | Decision::Rejected(_) => {}
        }
        WriteOutcome::Applied
    }

    /// Performs `step` at once, by a pod that takes `stamp` for the store time.
    pub fn apply(&mut self, rules: &dyn Rules, step: &Step, stamp: Timestamp) -> Outcome {
        match step {
            Step::Command(command) => self.command(rules, command, stamp),
            Step::EndCredential { scope, read } => {
                if self.record.is_some() && *read != self.credential_version {
                    return Outcome::Conflict;
                }
                let outcome = self.command(rules, &Command::Revoke { scope: *scope }, stamp);
                if self.record.is_some() {
                    self.credential_version = self.credential_version.next();
                }
                outcome
            }
            Step::AddToken { read } => {
                if self.record.is_none() {
                    return Outcome::Fenced(Fence::Gone);
                }
                if *read != self.credential_version {
                    return Outcome::Conflict;
                }
                self.credential_version = self.credential_version.next();
                Outcome::Done
            }
            Step::Remove => self.remove(stamp),
            Step::SetThreshold(threshold) => {
                self.threshold = *threshold;
                Outcome::Done
            }
            Step::Pass { span, watched } => {
                self.pass(*span, *watched);
                Outcome::Done
            }
        }
    }

    fn command(&mut self, rules: &dyn Rules, command: &Command, stamp: Timestamp) -> Outcome {
        let Some(read) = self.read() else { return Outcome::Fenced(Fence::Gone) };
        let decision = rules.decide(&read.record, command, &read.context(stamp));
        match self.write(&read, &decision, Guard::of(command), stamp) {
            WriteOutcome::Applied => Outcome::of(&decision),
            WriteOutcome::Conflict => Outcome::Conflict,
            WriteOutcome::Gone => Outcome::Fenced(Fence::Gone),
        }
    }

    fn still_holds(&self, read: &Reading, guard: Guard) -> bool {
        let Some(record) = &self.record else { return false };
        let same_session = record.seq == read.record.seq && record.epoch == read.record.epoch;
        same_session
            && match guard {
                Guard::Session => true,
                Guard::Credential => self.credential_version == read.credential_version,
                Guard::Silence => {
                    record.last_heartbeat_at == read.record.last_heartbeat_at
                        && self.threshold == read.threshold
                        && self.watch.map(|span| span.since) == read.watch.map(|span| span.since)
                        && self.watch.is_some_and(|span| span.is_alive(self.now))
                }
            }
    }

    fn remove(&mut self, stamp: Timestamp) -> Outcome {
        let Some(record) = self.record.take() else { return Outcome::Fenced(Fence::Gone) };
        self.history.push(Entry {
            seq: record.seq.next(),
            epoch: record.epoch,
            session: record.session,
            kind: TransitionKind::Removed,
            cause: None,
            at: record.last_event_at.map_or(stamp, |last| last.max(stamp)),
        });
        Outcome::Done
    }

    fn pass(&mut self, span: Millis, watched: bool) {
        let end = self.now + span;
        if !watched {
            self.now = end;
            return;
        }
        loop {
            self.watch = Some(WatchSpan::renewed(self.watch, self.now, LEASE));
            if self.now == end {
                return;
            }
            self.now = end.min(self.now + LEASE);
        }
    }
}

impl Reading {
    /// The context of a decision on this by a pod that takes `now` for the store time.
    pub fn context(&self, now: Timestamp) -> Context {
        Context {
            now,
            threshold: self.threshold,
            settle: SETTLE,
            credential_version: self.credential_version,
            watch: self.watch,
        }
    }
}

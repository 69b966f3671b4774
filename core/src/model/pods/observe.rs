//! After every write: what the store holds now, against every property.

use super::pod::longest_gap;
use super::truth::{Did, Truth};
use super::{PodBug, Pods};
use crate::connection::{
    Cause, Command, LifecycleEvent, RevokeScope, Status, Transition, TransitionKind, check_history,
    check_record,
};
use crate::model::{Fault, Outcome, Property, Step};
use crate::ports::{
    ConnectionSnapshot, CredentialAction, EdgeWrite, HeartbeatWrite, ListQuery, WriteOutcome,
};
use crate::satellite::{CredentialVersion, Epoch};
use crate::time::{Millis, Timestamp};

/// More than any run records.
const ALL: usize = 10_000;

impl Pods {
    pub(super) async fn observe(&mut self, did: Did) -> Result<(), Fault> {
        let snapshot = Self::answer(self.store().snapshot(self.satellite).await)?;
        let history = self.history().await?;
        let record = snapshot.as_ref().map(|snapshot| &snapshot.record);
        check_history(&history, record)?;
        if let Some(record) = record {
            check_record(record)?;
        }
        let known = self.truth.history.len();
        let Some(added) = history.get(known..).filter(|_| history[..known] == *self.truth.history)
        else {
            return Err(Fault::new(Property::P8, "recorded transitions were lost or changed"));
        };
        self.judge_added(&did, added)?;
        self.truth.history = history;
        self.compare(did, snapshot.as_ref())
    }

    async fn history(&self) -> Result<Vec<Transition>, Fault> {
        let read = self.store().transitions(self.satellite, None, ALL).await;
        let mut history = Self::answer(read)?;
        history.reverse();
        Ok(history)
    }

    /// P2, P4, P8, P10, P12 of what was recorded just now.
    fn judge_added(&self, did: &Did, added: &[Transition]) -> Result<(), Fault> {
        let [one] = added else {
            let many = format!("{} transitions by one write", added.len());
            return if added.is_empty() { Ok(()) } else { Err(Fault::new(Property::P8, many)) };
        };
        let kind = one.kind;
        match (did, one.cause) {
            (
                Did::Edge {
                    command: Command::Heartbeat { epoch, .. } | Command::Close { epoch, .. },
                    ..
                },
                _,
            ) => {
                self.must_be_current(*epoch)?;
            }
            (
                Did::Edge { command: Command::Connect { token, credential_version, .. }, .. },
                Some(Cause::Authenticated | Cause::TookOver),
            ) if self.truth.has_ended(*token, *credential_version) => {
                let seen = format!("a session of an ended credential was recorded: {one:?}");
                return Err(Fault::new(Property::P12, seen));
            }
            (Did::Change { ends, .. }, Some(Cause::Revoked)) => self.must_be_harmed(*ends)?,
            _ => {}
        }
        match kind {
            Some(TransitionKind::Edge(LifecycleEvent::HeartbeatLost)) => self.judge_loss(one),
            _ => Ok(()),
        }
    }

    /// P2, P12: `epoch` is the newest session, and neither it nor its credential ended.
    fn must_be_current(&self, epoch: Epoch) -> Result<(), Fault> {
        let last = self.truth.history.last();
        let is_current = last.is_some_and(|last| last.epoch == epoch && is_open(last));
        if !is_current {
            let seen = format!("epoch {epoch} changed the record after {last:?}");
            return Err(Fault::new(Property::P2, seen));
        }
        match self.truth.token_of(epoch).filter(|token| self.truth.ended.contains(token)) {
            Some(_) => Err(Fault::new(Property::P12, format!("epoch {epoch} outlived its token"))),
            None => Ok(()),
        }
    }

    /// P12: a revocation that spares the session's token does not end it.
    fn must_be_harmed(&self, ends: Option<RevokeScope>) -> Result<(), Fault> {
        let used = self.truth.history.last().and_then(|last| self.truth.token_of(last.epoch));
        let harmed = match ends {
            Some(RevokeScope::AnyToken) => true,
            Some(RevokeScope::OnlyToken(token)) => used == Some(token),
            None => false,
        };
        if harmed { Ok(()) } else { Err(Fault::new(Property::P12, "a newer session was ended")) }
    }

    /// P4, P10.
    fn judge_loss(&self, loss: &Transition) -> Result<(), Fault> {
        let lost = Some(TransitionKind::Edge(LifecycleEvent::HeartbeatLost));
        let mut earlier = self.truth.history.iter().rev();
        let earlier = earlier.find(|one| one.epoch == loss.epoch && one.kind == lost);
        let between = |at: Timestamp| {
            at <= loss.occurred_at && earlier.is_some_and(|earlier| at > earlier.occurred_at)
        };
        let mut sent = self.truth.sent.iter();
        if earlier.is_some() && !sent.any(|(epoch, at)| *epoch == loss.epoch && between(*at)) {
            return Err(Fault::new(Property::P4, format!("lost twice in one silence: {loss:?}")));
        }
        match self.truth.blind_until(self.now) {
            Some(end) if self.now.since(end) <= self.truth.threshold => {
                let seen = format!("lost at {}, though nobody watched until {end}", self.now);
                Err(Fault::new(Property::P10, seen))
            }
            _ => Ok(()),
        }
    }

    /// P7: the store holds what the oracle says of the commands in the order of their commits.
    fn compare(&mut self, did: Did, stored: Option<&ConnectionSnapshot>) -> Result<(), Fault> {
        match did {
            Did::Edge { command, write, decided, outcome: WriteOutcome::Applied } => {
                self.compare_edge(command, &write, decided)?;
            }
            Did::Beats { batch, stamp, refused } => self.compare_beats(&batch, stamp, &refused)?,
            Did::Change { change, ends, outcome: WriteOutcome::Applied } => {
                let read = change.read.credential_version;
                let step = match ends {
                    Some(scope) => Step::EndCredential { scope, read },
                    None => Step::AddToken { read },
                };
                let said = self.truth.oracle.judge(&step, change.now, self.now);
                let edge = change.edge.as_ref().map(|change| change.edge);
                let recorded = matches!(said, Outcome::Recorded(_));
                if said == Outcome::Conflict || recorded != edge.is_some() {
                    return Err(Fault::new(
                        Property::P7,
                        format!("{step:?} gave {edge:?}, not {said:?}"),
                    ));
                }
                self.truth.note_change(&change.action, ends, read);
            }
            Did::Removal { removal, outcome: WriteOutcome::Applied } => {
                self.truth.oracle.judge(&Step::Remove, removal.now, self.now);
            }
            Did::Edge { .. } | Did::Change { .. } | Did::Removal { .. } => {}
        }
        let must_be = self.truth.oracle.record();
        let record = stored.map(|stored| stored.record.clone());
        if record != must_be {
            return Err(Fault::new(Property::P7, format!("stored {record:?}, not {must_be:?}")));
        }
        let version = stored
            .map_or(self.truth.oracle.credential_version(), |stored| stored.credential_version);
        if version != self.truth.oracle.credential_version() {
            return Err(Fault::new(Property::P7, format!("credential version {version:?}")));
        }
        Ok(())
    }

    fn compare_edge(
        &mut self,
        command: Command,
        write: &EdgeWrite,
        stamp: Timestamp,
    ) -> Result<(), Fault> {
        let truth = &mut self.truth;
        // A threshold that changed since the reading is a write of its own that depends on
        // nothing: in the serial order it comes after this command. (A sweep compares it.)
        let is_sweep = command == Command::Sweep;
        let read = if is_sweep { truth.threshold } else { write.read.threshold() };
        truth.oracle.judge(&Step::SetThreshold(read), stamp, self.now);
        let said = match (is_sweep, write.read.watch) {
            (true, Some(watch)) => truth.oracle.judge_silence(watch.since, stamp),
            _ => truth.oracle.judge(&Step::Command(command.clone()), stamp, self.now),
        };
        let now = Step::SetThreshold(truth.threshold);
        truth.oracle.judge(&now, stamp, self.now);
        let did = Outcome::Recorded(write.change.edge);
        if said != did {
            return Err(Fault::new(
                Property::P7,
                format!("{command:?} gave {did:?}, not {said:?}"),
            ));
        }
        if let Command::Connect { token, .. } = command {
            truth.opened_with.push(token);
            let epoch = truth.oracle.epoch();
            let heard = write.change.next.last_heartbeat_at;
            truth.sent.insert((epoch, heard.unwrap_or(stamp)));
        }
        Ok(())
    }

    /// T2: the batch statement applies exactly the heartbeats of the session that is current and
    /// connected.
    fn compare_beats(
        &mut self,
        batch: &[HeartbeatWrite],
        stamp: Timestamp,
        refused: &[usize],
    ) -> Result<(), Fault> {
        for (index, beat) in batch.iter().enumerate() {
            let oracle = &mut self.truth.oracle;
            let record = oracle.record();
            let connected = record.is_some_and(|record| {
                record.last_event == Some(LifecycleEvent::Connected) && record.epoch == beat.epoch
            });
            let applied = !refused.contains(&index);
            if connected != applied {
                let property = if applied { Property::P2 } else { Property::P9 };
                let seen = format!("{beat:?} was {}applied", if applied { "" } else { "not " });
                return Err(Fault::new(property, seen));
            }
            if applied {
                let command = Command::Heartbeat { epoch: beat.epoch, at: beat.at };
                oracle.judge(&Step::Command(command), stamp, self.now);
            }
        }
        Ok(())
    }

    /// S1, S3, S4, P3: every reader of every pod sees the status that the rule gives.
    pub(super) async fn look(&mut self) -> Result<(), Fault> {
        let id = self.satellite;
        for pod in 0..self.pods.len() {
            let stamp = self.stamp(pod);
            let Some(one) = Self::answer(self.store().get(id).await)? else { continue };
            let remembered = (self.bug == Some(PodBug::RemembersStatus))
                .then(|| *self.pods[pod].remembered.get_or_insert(one.status(stamp)));
            let read = self.rules.status(&one.record, one.threshold, stamp);
            let status = remembered.unwrap_or(read);
            let sent = self.truth.last_sent(one.record.epoch);
            let silent = sent.is_none_or(|at| at + self.truth.threshold < stamp);
            if status == Status::Online && silent {
                let seen = format!("pod {pod} sees online at {stamp}: {:?}", one.record);
                return Err(Fault::new(Property::P3, seen));
            }
            let rule = self.truth.oracle.status(stamp);
            let online = Self::answer(self.store().online_ids(stamp).await)?.contains(&id);
            let query = ListQuery {
                now: stamp,
                status: Some(Status::Online),
                limit: 2,
                ..ListQuery::default()
            };
            let listed = !Self::answer(self.store().list(&query).await)?.is_empty();
            let seen = [status == Status::Online, online, listed];
            if seen != [rule == Status::Online; 3] {
                let seen = format!("read, online ids, list say {seen:?} at {stamp}, not {rule}");
                return Err(Fault::new(Property::S1, seen));
            }
        }
        Ok(())
    }
}

impl Truth {
    fn note_change(
        &mut self,
        action: &CredentialAction,
        ends: Option<RevokeScope>,
        read: CredentialVersion,
    ) {
        if ends == Some(RevokeScope::AnyToken) {
            self.ended_version = self.ended_version.max(Some(read));
        }
        match action {
            CredentialAction::Replace(new) => {
                self.ended.extend(self.tokens.drain(..));
                self.tokens.push(new.id);
            }
            CredentialAction::Overlap { new, .. } => self.tokens.push(new.id),
            CredentialAction::Drop(token) => {
                self.tokens.retain(|held| held != token);
                self.ended.insert(*token);
            }
            CredentialAction::SetEnabled(_) | CredentialAction::Rehash { .. } => {}
        }
    }

    /// The end of the last span in which nobody had a lease.
    fn blind_until(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = self.renewals.iter().copied().skip(1).chain([now]);
        let gaps = self.renewals.iter().copied().zip(ends);
        let blind = gaps.filter(|(from, to)| to.since(*from) > longest_gap());
        blind.map(|(_, to)| to).last().or(self.renewals.first().copied())
    }
}

fn is_open(last: &Transition) -> bool {
    match last.kind {
        Some(TransitionKind::Edge(LifecycleEvent::Connected | LifecycleEvent::HeartbeatLost)) => {
            true
        }
        Some(TransitionKind::Edge(LifecycleEvent::Disconnected) | TransitionKind::Removed)
        | None => false,
    }
}

/// The span between two looks of a pod that watches.
pub(super) const fn rhythm() -> Millis {
    Millis::new(crate::model::LEASE.get() / 3)
}

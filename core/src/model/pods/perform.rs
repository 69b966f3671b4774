//! What an action does at once, and which tasks it begins.

use super::observe::rhythm;
use super::pod::Socket;
use super::task::{Phase, Task, Work};
use super::truth::Did;
use super::{Action, PodBug, Pods};
use crate::connection::{CloseReason, Command, RevokeScope};
use crate::model::{Fault, LEASE, Property, SETTLE, Step};
use crate::ports::{CredentialAction, HeartbeatWrite, SatelliteUpdate};
use crate::satellite::{Epoch, OwnThreshold};
use crate::time::{Millis, Timestamp};

/// Overdue satellites that a look may find; there is one.
const PAGE: usize = 10;

impl Pods {
    /// Performs one action and checks what it wrote.
    pub async fn perform(&mut self, action: Action) -> Result<(), Fault> {
        match action {
            Action::Step(task) => self.step(task, true).await,
            Action::StepUnanswered(task) => self.step(task, false).await,
            Action::Double(task) => {
                let again = self.task(task).and_then(|at| self.tasks[at].again());
                self.tasks.extend(again);
                Ok(())
            }
            Action::Lose(task) => {
                if let Some(at) = self.task(task) {
                    self.tasks.remove(at);
                }
                Ok(())
            }
            Action::Dial { pod, old_token } => self.dial(self.pod_of(pod), old_token).await,
            Action::Beat(socket) => {
                self.beat(socket);
                Ok(())
            }
            Action::Flush(pod) => self.flush(self.pod_of(pod)).await,
            Action::End { socket, reason } => {
                self.end(socket, reason);
                Ok(())
            }
            Action::Renew(pod) => self.renew(self.pod_of(pod)).await,
            Action::Sweep(pod) => self.sweep(self.pod_of(pod)).await,
            Action::Crash(pod) => {
                self.crash(self.pod_of(pod));
                Ok(())
            }
            Action::Drain(pod) => self.drain(self.pod_of(pod)).await,
            Action::SetWallClock { pod, hours } => {
                let pod = self.pod_of(pod);
                self.pods[pod].set_wall_clock(hours);
                Ok(())
            }
            Action::ReplaceToken(_)
            | Action::Overlap(..)
            | Action::SetEnabled(..)
            | Action::Remove(_) => {
                self.ask(action);
                Ok(())
            }
            Action::EndExpired(pod) => self.end_expired(self.pod_of(pod)).await,
            Action::SetThreshold(threshold) => self.set_threshold(threshold).await,
            Action::Pass(span) => {
                self.pass(span);
                self.look().await
            }
            Action::Watch { pod, span } => self.watch(self.pod_of(pod), span).await,
        }
    }

    fn task(&self, task: u8) -> Option<usize> {
        (!self.tasks.is_empty()).then(|| usize::from(task) % self.tasks.len())
    }

    /// Credential, epoch and credential version are read together; the rest comes in steps.
    async fn dial(&mut self, pod: usize, old_token: bool) -> Result<(), Fault> {
        let stamp = self.stamp(pod);
        let held = Self::answer(self.store().credentials(self.satellite).await)?;
        let tokens = &self.truth.tokens;
        let token = if old_token { tokens.first() } else { tokens.last() }.copied();
        let (Some(held), Some(token)) = (held, token) else { return Ok(()) };
        let valid =
            |held: &crate::satellite::HashedToken| held.id == token && held.is_valid_at(stamp);
        if !held.enabled || !held.tokens.iter().any(valid) {
            return Ok(());
        }
        let session = self.new_session();
        self.sockets.push(Socket { pod, session, epoch: None, ended: None });
        let command = Command::Connect {
            session,
            token,
            seen_epoch: held.snapshot.record.epoch,
            credential_version: held.snapshot.credential_version,
        };
        let begun = Phase::Decide(Box::new(held.snapshot));
        self.tasks.push(Task::new(pod, Work::Command(command), begun));
        Ok(())
    }

    /// Heartbeats that wait are coalesced per satellite and epoch.
    fn beat(&mut self, socket: u8) {
        let open = self.sockets.iter().filter_map(|socket| Some((socket.pod, socket.epoch?)));
        let open: Vec<_> = open.collect();
        let Some((pod, epoch)) = open.get(usize::from(socket) % open.len().max(1)).copied() else {
            return;
        };
        let at = self.stamp(pod);
        self.truth.sent.insert((epoch, at));
        let newest = open.iter().filter(|(of, _)| *of == pod).map(|(_, epoch)| *epoch).max();
        let epoch = match self.bug {
            Some(PodBug::CoalescesAcrossEpochs) => newest.unwrap_or(epoch),
            _ => epoch,
        };
        self.pods[pod].waiting.insert(epoch, at);
    }

    /// The newest session's heartbeat in the batch; those of others, and what the batch refuses,
    /// are judged one by one.
    pub(super) async fn flush(&mut self, pod: usize) -> Result<(), Fault> {
        let stamp = self.stamp(pod);
        let mut waiting = std::mem::take(&mut self.pods[pod].waiting);
        if self.bug == Some(PodBug::StampsAtFlush) {
            waiting.values_mut().for_each(|at| *at = stamp);
        }
        let Some((epoch, at)) = waiting.pop_last() else { return Ok(()) };
        let batch = vec![HeartbeatWrite { satellite: self.satellite, epoch, at }];
        let refused = Self::answer(self.store().record_heartbeats(&batch, stamp).await)?;
        if !refused.is_empty() {
            waiting.insert(epoch, at);
        }
        for (epoch, at) in waiting {
            self.begin(pod, Work::Command(Command::Heartbeat { epoch, at }));
        }
        self.observe(Did::Beats { batch, stamp, refused }).await
    }

    fn end(&mut self, socket: u8, reason: CloseReason) {
        if self.sockets.is_empty() {
            return;
        }
        let at = usize::from(socket) % self.sockets.len();
        match self.sockets[at].epoch {
            Some(epoch) => {
                let pod = self.sockets.remove(at).pod;
                self.begin_close(pod, epoch, reason);
            }
            // It is recorded when the connect is answered.
            None => self.sockets[at].ended = Some(reason),
        }
    }

    pub(super) async fn renew(&mut self, pod: usize) -> Result<(), Fault> {
        let stamp = self.stamp(pod);
        let name = self.pods[pod].name.clone();
        if let (Some(PodBug::RenewsAfterwards), Some(mut at)) =
            (self.bug, self.pods[pod].watch.map(|(_, until)| until))
        {
            while at < stamp {
                Self::answer(self.store().renew_watch(&name, at, LEASE).await)?;
                at = at + LEASE;
            }
        }
        let span = Self::answer(self.store().renew_watch(&name, stamp, LEASE).await)?;
        self.pods[pod].renewed(span, stamp);
        self.truth.renewals.push(self.now);
        Ok(())
    }

    pub(super) async fn sweep(&mut self, pod: usize) -> Result<(), Fault> {
        self.flush(pod).await?;
        let stamp = self.stamp(pod);
        let Some(since) = self.pods[pod].watching_since(stamp) else { return Ok(()) };
        let overdue = Self::answer(self.store().overdue(stamp, SETTLE, since, PAGE).await)?;
        if overdue.is_empty() == self.truth.oracle.is_overdue(since, stamp) {
            let seen = format!("a look at {stamp} found {overdue:?}, watching since {since}");
            return Err(Fault::new(Property::P4, seen));
        }
        for read in overdue {
            let begun = Phase::Decide(Box::new(read));
            self.tasks.push(Task::new(pod, Work::Command(Command::Sweep), begun));
        }
        Ok(())
    }

    fn crash(&mut self, pod: usize) {
        self.tasks.retain(|task| task.pod != pod);
        self.sockets.retain(|socket| socket.pod != pod);
        self.pods[pod].restart();
    }

    async fn drain(&mut self, pod: usize) -> Result<(), Fault> {
        self.flush(pod).await?;
        let (stamp, name) = (self.stamp(pod), self.pods[pod].name.clone());
        Self::answer(self.store().end_watch(&name, stamp).await)?;
        let held = self.sockets.iter().filter(|socket| socket.pod == pod);
        let epochs: Vec<Epoch> = held.filter_map(|socket| socket.epoch).collect();
        for epoch in epochs {
            self.begin_close(pod, epoch, CloseReason::Drained);
        }
        self.sockets.retain(|socket| socket.pod != pod);
        self.pods[pod].restart();
        Ok(())
    }

    /// An operator's request, to a pod.
    fn ask(&mut self, action: Action) {
        let (pod, work) = match action {
            Action::ReplaceToken(pod) => {
                let replaced = CredentialAction::Replace(self.new_token());
                (pod, Work::Change(replaced, Some(RevokeScope::AnyToken)))
            }
            Action::Overlap(pod, span) => {
                let until = self.now + span;
                (
                    pod,
                    Work::Change(CredentialAction::Overlap { new: self.new_token(), until }, None),
                )
            }
            Action::SetEnabled(pod, enabled) => {
                let ends = (!enabled).then_some(RevokeScope::AnyToken);
                (pod, Work::Change(CredentialAction::SetEnabled(enabled), ends))
            }
            Action::Remove(pod) => (pod, Work::Remove),
            _ => return,
        };
        self.begin(self.pod_of(pod), work);
    }

    async fn end_expired(&mut self, pod: usize) -> Result<(), Fault> {
        let stamp = self.stamp(pod);
        for (_, token) in Self::answer(self.store().expired_tokens(stamp, PAGE).await)? {
            let scope = RevokeScope::OnlyToken(token);
            self.begin(pod, Work::Change(CredentialAction::Drop(token), Some(scope)));
        }
        Ok(())
    }

    async fn set_threshold(&mut self, threshold: Millis) -> Result<(), Fault> {
        let own_threshold = Some(OwnThreshold::stored(threshold));
        let update = SatelliteUpdate { own_threshold, ..SatelliteUpdate::default() };
        Self::answer(self.store().update(self.satellite, update).await)?;
        self.truth.threshold = threshold;
        self.truth.oracle.judge(&Step::SetThreshold(threshold), self.now, self.now);
        self.look().await
    }

    /// A pod at work, without a satellite's word.
    pub(super) async fn watch(&mut self, pod: usize, span: Millis) -> Result<(), Fault> {
        let end: Timestamp = self.now + span;
        loop {
            self.renew(pod).await?;
            self.sweep(pod).await?;
            if self.now == end {
                return self.look().await;
            }
            self.pass(rhythm().min(end.since(self.now)));
        }
    }
}

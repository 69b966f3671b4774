//! What a pod is busy with: read, decide, write, each when the schedule says so.

use super::truth::Did;
use super::{PodBug, Pods};
use crate::connection::{CloseReason, Command, Decision, Fence, RevokeScope, Unchanged};
use crate::model::{Fault, SETTLE};
use crate::ports::{
    ConnectionSnapshot, CredentialAction, CredentialChange, EdgeWrite, Guard, HeartbeatWrite,
    Removal, WriteOutcome,
};
use crate::satellite::{CredentialVersion, Epoch, SessionId};
use crate::time::Timestamp;

/// A message on its way through a pod.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) pod: usize,
    pub(super) work: Work,
    pub(super) phase: Phase,
    /// For a message that comes again: where it began.
    begun: Phase,
    /// The credential version under which a change was asked for without an answer: it may be
    /// repeated only while that is the version.
    unanswered: Option<CredentialVersion>,
}

#[derive(Clone)]
pub(super) enum Work {
    Command(Command),
    /// A change of credentials, and which sessions it ends.
    Change(CredentialAction, Option<RevokeScope>),
    Remove,
}

#[derive(Clone)]
pub(super) enum Phase {
    Read,
    Decide(Box<ConnectionSnapshot>),
    Write(Box<Write>),
}

#[derive(Clone)]
pub(super) enum Write {
    /// With the store time of its decision.
    Edge(EdgeWrite, Timestamp),
    Beat(HeartbeatWrite, Timestamp),
    Credentials(CredentialChange),
    Removal(Removal),
}

/// How a task goes on.
enum Next {
    Then(Phase),
    Done(Option<Epoch>),
    Fenced,
}

impl Task {
    pub(super) fn new(pod: usize, work: Work, begun: Phase) -> Self {
        Self { pod, work, phase: begun.clone(), begun, unanswered: None }
    }

    fn is_sweep(&self) -> bool {
        matches!(self.work, Work::Command(Command::Sweep))
    }

    /// The message once more, from its beginning. An operator's request comes once.
    pub(super) fn again(&self) -> Option<Self> {
        let is_message = matches!(self.work, Work::Command(_));
        is_message.then(|| Self { phase: self.begun.clone(), ..self.clone() })
    }
}

impl Write {
    fn version(&self) -> Option<CredentialVersion> {
        match self {
            Self::Credentials(change) => Some(change.read.credential_version),
            Self::Edge(..) | Self::Beat(..) | Self::Removal(_) => None,
        }
    }
}

impl Pods {
    /// The next step of one task. `answered`: whether the pod hears what became of a write.
    pub(super) async fn step(&mut self, number: u8, answered: bool) -> Result<(), Fault> {
        if self.tasks.is_empty() {
            return Ok(());
        }
        let task = self.tasks.remove(usize::from(number) % self.tasks.len());
        self.step_task(task, answered).await
    }

    pub(super) async fn step_task(&mut self, mut task: Task, answered: bool) -> Result<(), Fault> {
        let next = match task.phase.clone() {
            Phase::Read => match Self::answer(self.store().snapshot(self.satellite).await)? {
                Some(read) => Next::Then(Phase::Decide(Box::new(read))),
                None => Next::Fenced,
            },
            Phase::Decide(read) => self.decide(&task, *read).await?,
            Phase::Write(write) => {
                let version = write.version();
                let (outcome, epoch) = self.write(&task, *write).await?;
                match outcome {
                    // Every command is idempotent, so what became of it is found by repeating it.
                    _ if !answered => {
                        task.unanswered = task.unanswered.or(version);
                        Next::Then(Phase::Read)
                    }
                    WriteOutcome::Applied => Next::Done(epoch),
                    // The next look finds who is lost then.
                    WriteOutcome::Conflict if task.is_sweep() => Next::Done(None),
                    WriteOutcome::Conflict => Next::Then(Phase::Read),
                    WriteOutcome::Gone => Next::Fenced,
                }
            }
        };
        match next {
            Next::Then(phase) => self.tasks.push(Task { phase, ..task }),
            Next::Done(epoch) => self.done(&task, epoch),
            Next::Fenced => self.fenced(&task),
        }
        Ok(())
    }

    async fn decide(&mut self, task: &Task, read: ConnectionSnapshot) -> Result<Next, Fault> {
        let stamp = self.stamp(task.pod);
        let context = read.context(stamp, SETTLE);
        let origin = self.pods[task.pod].origin();
        let mut command = match &task.work {
            Work::Command(command) => command.clone(),
            Work::Change(action, ends) => {
                return self.change(task, read, action, *ends, stamp).await;
            }
            Work::Remove => {
                let removal = Removal { read, origin, now: stamp };
                return Ok(Next::Then(Phase::Write(Box::new(Write::Removal(removal)))));
            }
        };
        if let (Some(PodBug::ConnectReadsAgain), Command::Connect { seen_epoch, .. }) =
            (self.bug, &mut command)
        {
            *seen_epoch = read.record.epoch;
        }
        let epoch = read.record.epoch;
        Ok(match self.rules.decide(&read.record, &command, &context) {
            Decision::Record(change) => {
                let guard = Guard::of(&command);
                let write = EdgeWrite { read, change, guard, origin, now: stamp };
                Next::Then(Phase::Write(Box::new(Write::Edge(write, stamp))))
            }
            Decision::Beat { heard } => {
                let beat = HeartbeatWrite { satellite: self.satellite, epoch, at: heard };
                Next::Then(Phase::Write(Box::new(Write::Beat(beat, stamp))))
            }
            Decision::Unchanged(Unchanged::AlreadyConnected) => Next::Done(Some(epoch)),
            Decision::Unchanged(_) => Next::Done(None),
            Decision::Fenced(Fence::Superseded | Fence::Closed | Fence::Gone)
            | Decision::Rejected(_) => Next::Fenced,
        })
    }

    /// Rule T8: the change and the close it causes in one write; done already when an earlier
    /// attempt was, though its reply was lost.
    async fn change(
        &mut self,
        task: &Task,
        read: ConnectionSnapshot,
        action: &CredentialAction,
        ends: Option<RevokeScope>,
        stamp: Timestamp,
    ) -> Result<Next, Fault> {
        let Some(held) = Self::answer(self.store().credentials(self.satellite).await)? else {
            return Ok(Next::Fenced);
        };
        // Without an answer, and with another version now, nobody can tell whether it was done.
        let unknown = task.unanswered.is_some_and(|version| version != read.credential_version);
        if (action.is_done(&held) || unknown) && self.bug != Some(PodBug::RevokesAgain) {
            return Ok(Next::Done(None));
        }
        let context = read.context(stamp, SETTLE);
        let revoke = |scope| self.rules.decide(&read.record, &Command::Revoke { scope }, &context);
        let edge = match ends.map(revoke) {
            Some(Decision::Record(change)) => Some(change),
            _ => None,
        };
        let origin = self.pods[task.pod].origin();
        let change = CredentialChange { read, action: action.clone(), edge, origin, now: stamp };
        Ok(Next::Then(Phase::Write(Box::new(Write::Credentials(change)))))
    }

    /// Writes, and checks what the store then holds. Answers the outcome and the session's epoch.
    async fn write(
        &mut self,
        task: &Task,
        write: Write,
    ) -> Result<(WriteOutcome, Option<Epoch>), Fault> {
        match write {
            Write::Edge(mut write, decided) => {
                // The lease must be alive when the write is made, not only when it was decided.
                write.now = self.stamp(task.pod);
                let epoch = write.change.next.epoch;
                let written = self.store().record_edges(vec![write.clone()]).await;
                let outcome = Self::answer(written)?.first().copied();
                let outcome = outcome.unwrap_or(WriteOutcome::Conflict);
                let Work::Command(command) = &task.work else { return Ok((outcome, None)) };
                let (command, write) = (command.clone(), Box::new(write));
                let did = Did::Edge { command, write, decided, outcome };
                self.observe(did).await?;
                Ok((outcome, Some(epoch)))
            }
            Write::Beat(beat, stamp) => {
                let refused = self.store().record_heartbeats(&[beat], stamp).await;
                let refused = Self::answer(refused)?;
                let done = refused.is_empty();
                self.observe(Did::Beats { batch: vec![beat], stamp, refused }).await?;
                let outcome = if done { WriteOutcome::Applied } else { WriteOutcome::Conflict };
                Ok((outcome, None))
            }
            Write::Credentials(change) => {
                let outcome = Self::answer(self.store().change_credentials(change.clone()).await)?;
                let Work::Change(_, ends) = task.work else { return Ok((outcome, None)) };
                self.observe(Did::Change { change: Box::new(change), ends, outcome }).await?;
                Ok((outcome, None))
            }
            Write::Removal(removal) => {
                let outcome = Self::answer(self.store().remove(removal.clone()).await)?;
                self.observe(Did::Removal { removal: Box::new(removal), outcome }).await?;
                Ok((outcome, None))
            }
        }
    }

    /// A connect is answered; the socket is the session's.
    fn done(&mut self, task: &Task, epoch: Option<Epoch>) {
        let Work::Command(Command::Connect { session, .. }) = task.work else { return };
        let Some(at) = self.sockets.iter().position(|socket| socket.session == session) else {
            return;
        };
        self.sockets[at].epoch = epoch;
        if let (Some(reason), Some(epoch)) = (self.sockets[at].ended, epoch) {
            self.sockets.remove(at);
            self.begin_close(task.pod, epoch, reason);
        }
    }

    /// The socket is closed; nothing that it said or says counts.
    fn fenced(&mut self, task: &Task) {
        match task.work {
            Work::Command(Command::Connect { session, .. }) => self.close(session),
            Work::Command(Command::Heartbeat { epoch, .. }) => {
                let pod = task.pod;
                self.sockets.retain(|socket| socket.pod != pod || socket.epoch != Some(epoch));
            }
            Work::Command(Command::Close { .. } | Command::Revoke { .. } | Command::Sweep)
            | Work::Change(..)
            | Work::Remove => {}
        }
    }

    fn close(&mut self, session: SessionId) {
        self.sockets.retain(|socket| socket.session != session);
    }

    /// Starts a task that begins with reading.
    pub(super) fn begin(&mut self, pod: usize, work: Work) {
        self.tasks.push(Task::new(pod, work, Phase::Read));
    }

    pub(super) fn begin_close(&mut self, pod: usize, epoch: Epoch, reason: CloseReason) {
        self.begin(pod, Work::Command(Command::Close { epoch, reason }));
    }
}

//! Read and decide, write if it still holds, and what follows for the socket.

use groundcontrol_core::connection::{
    Command, Decision, LifecycleEvent, RevokeScope, Status, Unchanged,
};
use groundcontrol_core::model::{Outcome, Rules, Step, World};
use groundcontrol_core::ports::{Guard, WriteOutcome};
use groundcontrol_core::satellite::Epoch;

use super::TICK;
use super::state::{Fault, Message, State, Task};

impl State {
    pub(crate) fn decide(&mut self, rules: &dyn Rules, task: usize) {
        let task = self.tasks.remove(task);
        let (Some(read), now) = (self.world.read(), self.world.now) else { return };
        // A change that was made already, whoever asks again, is done.
        if matches!(task.message, Message::Revoke { read: version } if version != read.credential_version)
        {
            return;
        }
        let command = task.message.decided_command();
        let decision = rules.decide(&read.record, &command, &read.context(now));
        let is_change = matches!(task.message, Message::Revoke { .. });
        let writes = Outcome::of(&decision).changes_the_record() || is_change;
        if writes {
            let decided = Some(Box::new((read, decision, now)));
            self.tasks.push(Task { decided, ..task });
        } else {
            let epoch = read.record.epoch;
            self.answer(&task, &decision, epoch);
        }
    }

    pub(crate) fn write(&mut self, rules: &dyn Rules, task: usize, answered: bool) {
        let task = self.tasks.remove(task);
        let Some(decided) = task.decided.clone() else { return };
        let (read, decision, stamp) = *decided;
        let before = self.world.clone();
        let outcome = match task.message {
            Message::Revoke { read: version } => {
                // The version and the close are one write.
                let same = before.record.as_ref().map(|record| record.seq) == Some(read.record.seq);
                let step = Step::EndCredential { scope: RevokeScope::AnyToken, read: version };
                match same && version == before.credential_version {
                    true => {
                        self.world.apply(rules, &step, stamp);
                        WriteOutcome::Applied
                    }
                    false => WriteOutcome::Conflict,
                }
            }
            message => {
                let guard = Guard::of(&message.decided_command());
                self.world.write(&read, &decision, guard, stamp)
            }
        };
        if outcome == WriteOutcome::Applied {
            self.judge(&before, task.message);
            self.note(&task);
        }
        self.conflicted |=
            outcome == WriteOutcome::Conflict && before.current_epoch() != read.record.epoch;
        match outcome {
            WriteOutcome::Applied if answered => {
                let epoch = self.world.current_epoch();
                self.answer(&task, &decision, epoch);
            }
            WriteOutcome::Gone => {}
            // The next look finds who is lost then.
            WriteOutcome::Applied | WriteOutcome::Conflict if task.message == Message::Sweep => {}
            WriteOutcome::Applied | WriteOutcome::Conflict => {
                self.tasks.push(Task { decided: None, ..task });
            }
        }
    }

    /// P2, P12: who may change the record, given what it was.
    fn judge(&mut self, before: &World, message: Message) {
        let changed = before.record != self.world.record;
        match message {
            Message::Heartbeat { epoch, .. } | Message::Close { epoch }
                if changed && (epoch != before.current_epoch() || !before.is_open()) =>
            {
                self.fault = Some(Fault::Fenced);
            }
            Message::Connect { version, .. } if changed && version != before.credential_version => {
                self.fault = Some(Fault::Revoked);
            }
            Message::Revoke { .. } if self.world.is_open() => self.fault = Some(Fault::Revoked),
            _ => {}
        }
    }

    fn note(&mut self, task: &Task) {
        if task.message != Message::Sweep {
            self.done.insert(task.message);
        }
        if let Message::Connect { .. } = task.message {
            let heard = self.world.record.as_ref().and_then(|record| record.last_heartbeat_at);
            let epoch = self.world.current_epoch().0;
            self.sent.extend(heard.map(|at| (epoch, at)));
        }
    }

    /// What the pod does about the socket once it knows what became of a message.
    fn answer(&mut self, task: &Task, decision: &Decision, epoch: Epoch) {
        let fenced = matches!(decision, Decision::Fenced(_) | Decision::Rejected(_));
        let connected = matches!(
            decision,
            Decision::Record(_) | Decision::Unchanged(Unchanged::AlreadyConnected)
        );
        match task.message {
            Message::Connect { session, .. } if fenced => {
                self.sockets.retain(|socket| socket.session != session);
            }
            Message::Connect { session, .. } if connected => {
                let mut sockets = self.sockets.iter_mut();
                if let Some(socket) = sockets.find(|socket| socket.session == session) {
                    socket.epoch = Some(epoch);
                }
            }
            Message::Heartbeat { epoch, .. } if fenced => {
                self.sockets.retain(|socket| socket.epoch != Some(epoch));
            }
            _ => {}
        }
    }

    /// P9: the satellite is heard once more on the session it has, or dials where it has none.
    pub(crate) fn recover(&mut self, rules: &dyn Rules) {
        self.pass(TICK);
        let (now, current) = (self.world.now, self.world.current_epoch());
        let is_held = self.sockets.iter().any(|socket| socket.epoch == Some(current));
        if !(is_held && self.world.is_open()) {
            self.dial_at_rest(rules);
        } else {
            let heartbeat = Command::Heartbeat { epoch: current, at: now };
            self.world.apply(rules, &Step::Command(heartbeat), now);
        }
        let record = self.world.record.clone().unwrap_or_default();
        let online = rules.status(&record, self.world.threshold, now) == Status::Online;
        self.recovered = Some(online && record.last_event == Some(LifecycleEvent::Connected));
    }

    fn dial_at_rest(&mut self, rules: &dyn Rules) {
        let message = Message::Connect {
            session: u8::MAX,
            seen: self.world.current_epoch(),
            version: self.world.credential_version,
        };
        let now = self.world.now;
        self.world.apply(rules, &Step::Command(message.decided_command()), now);
    }
}

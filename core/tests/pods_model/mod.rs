//! Pods, sessions and one satellite as a model for a checker: every interleaving of what is
//! read and decided with what is written, with duplicates, lost replies and crashes.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod state;
mod write;

use groundcontrol_core::connection::HistoryFault;
use groundcontrol_core::connection::{LifecycleEvent, check_history, check_record};
use groundcontrol_core::model::{Entry, Operation, Outcome, Rules};
use groundcontrol_core::time::Millis;
use stateright::{Model, Property};

pub(crate) use state::{Bounds, Fault, Message, State, Task};

/// What the checker explores.
pub(crate) struct PodsModel {
    pub(crate) rules: &'static dyn Rules,
    pub(crate) pods: u8,
    pub(crate) bounds: Bounds,
}

/// One step of anybody. Tasks are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// A socket is dialled and its credential checked, together with the epoch.
    Dial { pod: u8 },
    /// The session of this socket sends a heartbeat.
    Beat { socket: usize },
    /// This socket ends.
    Close { socket: usize },
    /// A pod looks for silence.
    Sweep { pod: u8 },
    /// An operator replaces the token.
    Revoke { pod: u8 },
    /// A pod reads what the task needs and decides.
    Decide { task: usize },
    /// The decision is written, if what was read is still so.
    Write { task: usize },
    /// The same, and the pod does not hear what became of it.
    WriteUnanswered { task: usize },
    /// The message behind the task arrives once more.
    Double { task: usize },
    /// A pod crashes: its sockets and tasks are gone.
    Crash { pod: u8 },
    /// Enough time for a loss passes, watched.
    Silence,
    /// Everything is over; the satellite is heard once more, on its session or on a new one.
    Recover,
}

impl Model for PodsModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.bounds)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.recovered.is_some() {
            return;
        }
        let left = state.left;
        let pods = 0..self.pods;
        for (task, one) in state.tasks.iter().enumerate() {
            match one.decided {
                None => actions.push(Action::Decide { task }),
                Some(_) => actions.push(Action::Write { task }),
            }
            if one.decided.is_some() && left.unanswered > 0 {
                actions.push(Action::WriteUnanswered { task });
            }
            if left.doubles > 0 && one.message != Message::Sweep && one.decided.is_none() {
                actions.push(Action::Double { task });
            }
        }
        for (socket, one) in state.sockets.iter().enumerate() {
            if left.beats > 0 && one.epoch.is_some() {
                actions.push(Action::Beat { socket });
            }
            if left.closes > 0 && one.epoch.is_some() {
                actions.push(Action::Close { socket });
            }
        }
        if left.dials > 0 {
            actions.extend(pods.clone().map(|pod| Action::Dial { pod }));
        }
        let connected = state.last_event() == Some(LifecycleEvent::Connected);
        if left.sweeps > 0 && connected {
            actions.extend(pods.clone().map(|pod| Action::Sweep { pod }));
        }
        if left.revokes > 0 {
            actions.push(Action::Revoke { pod: 0 });
        }
        let busy = |pod: &u8| {
            state.tasks.iter().any(|task| task.pod == *pod)
                || state.sockets.iter().any(|socket| socket.pod == *pod)
        };
        if left.crashes > 0 {
            actions.extend(pods.filter(busy).map(|pod| Action::Crash { pod }));
        }
        if left.silences > 0 && !state.world.history.is_empty() {
            actions.push(Action::Silence);
        }
        if state.tasks.is_empty() {
            actions.push(Action::Recover);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Dial { pod } => next.dial(pod),
            Action::Beat { socket } => next.beat(socket),
            Action::Close { socket } => next.close(socket),
            Action::Sweep { pod } => {
                next.left.sweeps -= 1;
                next.begin(pod, Message::Sweep);
            }
            Action::Revoke { pod } => {
                next.left.revokes -= 1;
                let read = next.world.credential_version;
                next.begin(pod, Message::Revoke { read });
            }
            Action::Decide { task } => next.decide(self.rules, task),
            Action::Write { task } => next.write(self.rules, task, true),
            Action::WriteUnanswered { task } => {
                next.left.unanswered -= 1;
                next.write(self.rules, task, false);
            }
            Action::Double { task } => {
                next.left.doubles -= 1;
                let Task { pod, message, .. } = next.tasks[task].clone();
                next.begin(pod, message);
            }
            Action::Crash { pod } => next.crash(pod),
            Action::Silence => {
                next.left.silences -= 1;
                next.pass(Operation::SILENCE);
            }
            Action::Recover => next.recover(self.rules),
        }
        next.settle(self.pods);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("P1 idempotent", |model: &Self, state: &State| {
                model.is_idempotent(state)
            }),
            Property::always("P2 fenced", |_, state: &State| state.fault != Some(Fault::Fenced)),
            Property::always("P4 once", |_, state: &State| state.is_lost_once()),
            Property::always("P5 grammar", |_, state: &State| {
                !matches!(
                    state.history(),
                    Err(HistoryFault::Grammar { .. } | HistoryFault::Epochs { .. })
                )
            }),
            Property::always("P6 history is state", |_, state: &State| {
                state.history() != Err(HistoryFault::NotTheRecord)
            }),
            Property::always("P8 gapless", |_, state: &State| {
                !matches!(state.history(), Err(HistoryFault::Gap { .. }))
            }),
            Property::always("P12 revoked", |_, state: &State| state.fault != Some(Fault::Revoked)),
            Property::always("R1, R2", |_, state: &State| {
                state.world.record.as_ref().is_none_or(|record| check_record(record).is_ok())
            }),
            Property::always("P9 at rest", |_, state: &State| state.recovered != Some(false)),
            Property::eventually("P9 recovers", |_, state: &State| state.recovered == Some(true)),
        ];
        properties.extend(self.what_must_occur());
        properties
    }
}

impl PodsModel {
    /// A model in which these cannot come about would prove little.
    fn what_must_occur(&self) -> Vec<Property<Self>> {
        let Bounds { dials, beats, sweeps, revokes, silences, .. } = self.bounds;
        let mut properties = Vec::new();
        if dials > 1 {
            properties
                .push(Property::sometimes("a takeover", |_, state: &State| state.has("took_over")));
            let conflict = Property::sometimes("overtaken while deciding", |_, state: &State| {
                state.conflicted
            });
            properties.push(conflict);
        }
        if beats > 0 && sweeps > 0 && silences > 0 {
            properties.push(Property::sometimes("a resumption", |_, state: &State| {
                state.has("heartbeat_resumed")
            }));
        }
        if revokes > 0 {
            properties
                .push(Property::sometimes("a revocation", |_, state: &State| state.has("revoked")));
        }
        properties
    }

    /// P1: a message that took effect changes nothing when it comes again.
    fn is_idempotent(&self, state: &State) -> bool {
        let Some(read) = state.world.read() else { return true };
        let context = read.context(state.world.now);
        state.done.iter().all(|message| match message.command() {
            Some(command) => {
                let again = self.rules.decide(&read.record, &command, &context);
                !Outcome::of(&again).changes_the_record()
            }
            None => *message != Message::Revoke { read: state.world.credential_version },
        })
    }
}

impl State {
    fn history(&self) -> Result<(), HistoryFault> {
        let history: Vec<_> = self.world.history.iter().map(Entry::to_transition).collect();
        check_history(&history, self.world.record.as_ref())
    }

    /// P4: between two losses of a session something was sent on it.
    fn is_lost_once(&self) -> bool {
        let mut losses: Vec<(u64, _)> = Vec::new();
        for entry in &self.world.history {
            if entry.kind.name() == "heartbeat_lost" {
                losses.push((entry.epoch.0, entry.at));
            }
        }
        losses.windows(2).all(|pair| {
            let [(epoch, first), (other, second)] = pair else { return true };
            let sent = |(of, at): &(u64, _)| of == epoch && first < at && at <= second;
            epoch != other || self.sent.iter().any(sent)
        })
    }

    fn has(&self, cause: &str) -> bool {
        self.world.history.iter().any(|entry| entry.cause.is_some_and(|one| one.name() == cause))
    }
}

/// One tick: what is stamped after it is later.
pub(crate) const TICK: Operation = Operation::Pass { span: Millis::new(1), watched: true };

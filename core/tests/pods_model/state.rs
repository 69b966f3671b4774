//! What there is, and what begins.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use groundcontrol_core::connection::{CloseReason, Command, Decision, LifecycleEvent, RevokeScope};
use groundcontrol_core::model::{Operation, Reading, SoundRules, Step, World, token};
use groundcontrol_core::satellite::{CredentialVersion, Epoch, SessionId};
use groundcontrol_core::time::Timestamp;
use uuid::Uuid;

/// How often each thing may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) dials: u8,
    pub(crate) beats: u8,
    pub(crate) closes: u8,
    pub(crate) sweeps: u8,
    pub(crate) revokes: u8,
    pub(crate) crashes: u8,
    pub(crate) doubles: u8,
    pub(crate) unanswered: u8,
    pub(crate) silences: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) tasks: Vec<Task>,
    pub(crate) sockets: Vec<Socket>,
    /// What was sent: session and time of receipt.
    pub(crate) sent: BTreeSet<(u64, Timestamp)>,
    /// What took effect.
    pub(crate) done: BTreeSet<Message>,
    pub(crate) left: Bounds,
    pub(crate) fault: Option<Fault>,
    /// At rest: whether the satellite came back.
    pub(crate) recovered: Option<bool>,
    /// A write did not hold because another session came.
    pub(crate) conflicted: bool,
    dialled: u8,
}

/// What a step did that no step may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    Fenced,
    Revoked,
}

/// A message on its way through a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Task {
    pub(crate) pod: u8,
    pub(crate) message: Message,
    /// What was read, what was decided on it, and when.
    pub(crate) decided: Option<Box<(Reading, Decision, Timestamp)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Connect { session: u8, seen: Epoch, version: CredentialVersion },
    Heartbeat { epoch: Epoch, at: Timestamp },
    Close { epoch: Epoch },
    Revoke { read: CredentialVersion },
    Sweep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Socket {
    pub(crate) pod: u8,
    pub(crate) session: u8,
    /// Once it was answered `authenticated`.
    pub(crate) epoch: Option<Epoch>,
}

impl Message {
    /// As a pod learns of it; none for what is more than a command.
    pub(crate) fn command(self) -> Option<Command> {
        Some(match self {
            Self::Connect { session, seen, version } => Command::Connect {
                session: session_id(session),
                token: token(version.0),
                seen_epoch: seen,
                credential_version: version,
            },
            Self::Heartbeat { epoch, at } => Command::Heartbeat { epoch, at },
            Self::Close { epoch } => Command::Close { epoch, reason: CloseReason::ConnectionLost },
            Self::Sweep => Command::Sweep,
            Self::Revoke { .. } => return None,
        })
    }

    pub(crate) fn decided_command(self) -> Command {
        self.command().unwrap_or(Command::Revoke { scope: RevokeScope::AnyToken })
    }
}

fn session_id(session: u8) -> SessionId {
    SessionId(Uuid::from_u128(0x5e55 + u128::from(session)))
}

impl State {
    pub(crate) fn new(left: Bounds) -> Self {
        Self {
            world: World::default(),
            tasks: Vec::new(),
            sockets: Vec::new(),
            sent: BTreeSet::new(),
            done: BTreeSet::new(),
            left,
            fault: None,
            recovered: None,
            conflicted: false,
            dialled: 0,
        }
    }

    pub(crate) fn last_event(&self) -> Option<LifecycleEvent> {
        self.world.record.as_ref()?.last_event
    }

    pub(crate) fn begin(&mut self, pod: u8, message: Message) {
        self.tasks.push(Task { pod, message, decided: None });
    }

    pub(crate) fn dial(&mut self, pod: u8) {
        self.left.dials -= 1;
        self.dialled += 1;
        let session = self.dialled;
        self.sockets.push(Socket { pod, session, epoch: None });
        let seen = self.world.current_epoch();
        let version = self.world.credential_version;
        self.begin(pod, Message::Connect { session, seen, version });
    }

    /// Each heartbeat is received a moment after whatever was before.
    pub(crate) fn beat(&mut self, socket: usize) {
        self.left.beats -= 1;
        self.pass(super::TICK);
        let Socket { pod, epoch, .. } = self.sockets[socket];
        let (Some(epoch), at) = (epoch, self.world.now) else { return };
        self.sent.insert((epoch.0, at));
        self.begin(pod, Message::Heartbeat { epoch, at });
    }

    pub(crate) fn close(&mut self, socket: usize) {
        self.left.closes -= 1;
        let Socket { pod, epoch, .. } = self.sockets.remove(socket);
        if let Some(epoch) = epoch {
            self.begin(pod, Message::Close { epoch });
        }
    }

    pub(crate) fn crash(&mut self, pod: u8) {
        self.left.crashes -= 1;
        self.tasks.retain(|task| task.pod != pod);
        self.sockets.retain(|socket| socket.pod != pod);
    }

    pub(crate) fn pass(&mut self, operation: Operation) {
        if let Operation::Pass { span, watched } = operation {
            let now = self.world.now;
            self.world.apply(&SoundRules, &Step::Pass { span, watched }, now);
        }
    }

    /// The order in which tasks and sockets came makes no difference, and neither does which of
    /// the pods is which: of all the names that they could have, they get the first in order.
    pub(crate) fn settle(&mut self, pods: u8) {
        let decided = |task: &Task| {
            let mut hasher = DefaultHasher::new();
            task.decided.hash(&mut hasher);
            hasher.finish()
        };
        let tasks: Vec<_> = self.tasks.iter().map(|task| (task.message, decided(task))).collect();
        let named = |names: &[u8]| {
            let name = |pod: u8| names[usize::from(pod)];
            let tasks = self.tasks.iter().zip(&tasks).enumerate();
            let tasks = tasks
                .map(|(place, (task, (message, hash)))| (*message, *hash, name(task.pod), place));
            let sockets =
                self.sockets.iter().map(|socket| Socket { pod: name(socket.pod), ..*socket });
            let (mut tasks, mut sockets) = (tasks.collect::<Vec<_>>(), sockets.collect::<Vec<_>>());
            tasks.sort_unstable();
            sockets.sort_unstable();
            let order: Vec<_> =
                tasks.iter().map(|(message, hash, pod, _)| (*message, *hash, *pod)).collect();
            (order, sockets, tasks)
        };
        let of_all = permutations(pods).into_iter().map(|names| named(&names));
        let Some((_, sockets, tasks)) =
            of_all.min_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)))
        else {
            return;
        };
        let place = |(_, _, pod, place): &(Message, u64, u8, usize)| Task {
            pod: *pod,
            ..self.tasks[*place].clone()
        };
        self.tasks = tasks.iter().map(place).collect();
        self.sockets = sockets;
    }
}

fn permutations(pods: u8) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    for pod in 0..pods {
        let with = |names: &Vec<u8>| {
            let names = names.clone();
            (0..=names.len()).map(move |at| {
                let mut names = names.clone();
                names.insert(at, pod);
                names
            })
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

//! What goes wrong when, decided by a seed beforehand.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::stage::Queue;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A pod is killed (SIGKILL), and another takes its place a while later.
    Kill { pod: usize, away: Duration },
    /// A pod is stopped (SIGTERM), and another takes its place.
    Drain { pod: usize },
    /// A pod's process is halted for a while (SIGSTOP).
    Sleep { pod: usize, span: Duration },
    /// What agents and a pod say to each other is held back for a while.
    HoldAgents { pod: usize, span: Duration },
    /// All connections between agents and a pod break.
    BreakAgents { pod: usize },
    /// No agent reaches a pod for a while.
    CloseAgents { pod: usize, span: Duration },
    /// What a pod and the database say to each other is held back for a while.
    HoldDatabase { pod: usize, span: Duration },
    /// A pod does not reach the database for a while.
    CloseDatabase { pod: usize, span: Duration },
    /// The database server is stopped and started again.
    RestartDatabase { away: Duration, crash: bool },
    /// All processes of the database server are halted for a while.
    FreezeDatabase { span: Duration },
    /// NATS is stopped and started again.
    RestartQueue { away: Duration, crash: bool },
    /// A pod's wall clock steps.
    StepClock { pod: usize, off: Duration, behind: bool },
    /// Some agents say nothing for a while.
    Silence { agents: usize, span: Duration },
    /// Some agents close politely, and come back.
    Leave { agents: usize },
    /// Some agents are gone without a word, and come back.
    Drop { agents: usize },
    /// Some agents connect once more, perhaps through another pod.
    Roam { agents: usize },
    /// Some satellites get another token.
    Rotate { agents: usize },
}

/// A fault and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// When, since the run began.
    pub(super) at: Duration,
    /// What.
    pub(super) fault: Fault,
}

/// All that goes wrong in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The faults, in the order of their times.
    pub(super) faults: Vec<Planned>,
}

/// The time from one fault to the next, in milliseconds.
const PAUSE: std::ops::Range<u64> = 200..1_800;
/// How many kinds of fault there are, by weight.
const WEIGHTS: &[(u32, Kind)] = &[
    (4, Kind::Kill),
    (3, Kind::Drain),
    (3, Kind::Sleep),
    (3, Kind::HoldAgents),
    (3, Kind::BreakAgents),
    (2, Kind::CloseAgents),
    (2, Kind::HoldDatabase),
    (2, Kind::CloseDatabase),
    (2, Kind::RestartDatabase),
    (1, Kind::FreezeDatabase),
    (2, Kind::RestartQueue),
    (2, Kind::StepClock),
    (4, Kind::Silence),
    (3, Kind::Leave),
    (3, Kind::Drop),
    (4, Kind::Roam),
    (3, Kind::Rotate),
];

#[derive(Clone, Copy)]
enum Kind {
    Kill,
    Drain,
    Sleep,
    HoldAgents,
    BreakAgents,
    CloseAgents,
    HoldDatabase,
    CloseDatabase,
    RestartDatabase,
    FreezeDatabase,
    RestartQueue,
    StepClock,
    Silence,
    Leave,
    Drop,
    Roam,
    Rotate,
}

impl Plan {
    /// The plan of a seed for a run of this length.
    pub(super) fn draw(
        seed: u64,
        span: Duration,
        pods: usize,
        agents: usize,
        queue: Queue,
    ) -> Self {
        let mut chance = SmallRng::seed_from_u64(seed);
        let mut faults = Vec::new();
        let mut at = Duration::ZERO;
        loop {
            at += Duration::from_millis(chance.random_range(PAUSE));
            if at >= span {
                return Self { faults };
            }
            let fault = draw(&mut chance, pods, agents);
            let possible = queue == Queue::Nats || !matches!(fault, Fault::RestartQueue { .. });
            if possible {
                faults.push(Planned { at, fault });
            }
        }
    }
}

fn draw(chance: &mut SmallRng, pods: usize, agents: usize) -> Fault {
    let total: u32 = WEIGHTS.iter().map(|(weight, _)| weight).sum();
    let mut drawn = chance.random_range(0..total);
    let mut kind = Kind::Kill;
    for (weight, candidate) in WEIGHTS {
        kind = *candidate;
        match drawn.checked_sub(*weight) {
            Some(rest) => drawn = rest,
            None => break,
        }
    }
    let pod = chance.random_range(0..pods);
    let some = chance.random_range(1..=(agents / 10).max(1));
    let crash = chance.random_bool(0.5);
    let mut span = |most: u64| Duration::from_millis(chance.random_range(100..most));
    match kind {
        Kind::Kill => Fault::Kill { pod, away: span(2_000) },
        Kind::Drain => Fault::Drain { pod },
        Kind::Sleep => Fault::Sleep { pod, span: span(6_000) },
        Kind::HoldAgents => Fault::HoldAgents { pod, span: span(6_000) },
        Kind::BreakAgents => Fault::BreakAgents { pod },
        Kind::CloseAgents => Fault::CloseAgents { pod, span: span(4_000) },
        Kind::HoldDatabase => Fault::HoldDatabase { pod, span: span(5_000) },
        Kind::CloseDatabase => Fault::CloseDatabase { pod, span: span(5_000) },
        Kind::RestartDatabase => Fault::RestartDatabase { away: span(4_000), crash },
        Kind::FreezeDatabase => Fault::FreezeDatabase { span: span(4_000) },
        Kind::RestartQueue => Fault::RestartQueue { away: span(5_000), crash },
        Kind::StepClock => {
            let off = Duration::from_secs(3_600) * span(20_000).as_secs() as u32;
            Fault::StepClock { pod, off, behind: crash }
        }
        Kind::Silence => Fault::Silence { agents: some, span: span(9_000) },
        Kind::Leave => Fault::Leave { agents: some },
        Kind::Drop => Fault::Drop { agents: some },
        Kind::Roam => Fault::Roam { agents: some },
        Kind::Rotate => Fault::Rotate { agents: some.min(5) },
    }
}

impl Fault {
    /// What kind it is, for a table.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "pod killed",
            Self::Drain { .. } => "pod drained",
            Self::Sleep { .. } => "pod halted",
            Self::HoldAgents { .. } => "agents' path held",
            Self::BreakAgents { .. } => "agents' connections broken",
            Self::CloseAgents { .. } => "agents' path closed",
            Self::HoldDatabase { .. } => "database path held",
            Self::CloseDatabase { .. } => "database path closed",
            Self::RestartDatabase { crash: true, .. } => "database crashed",
            Self::RestartDatabase { crash: false, .. } => "database restarted",
            Self::FreezeDatabase { .. } => "database halted",
            Self::RestartQueue { crash: true, .. } => "nats killed",
            Self::RestartQueue { crash: false, .. } => "nats restarted",
            Self::StepClock { .. } => "wall clock stepped",
            Self::Silence { .. } => "agents silent",
            Self::Leave { .. } => "agents left",
            Self::Drop { .. } => "agents dropped",
            Self::Roam { .. } => "agents connected again",
            Self::Rotate { .. } => "tokens rotated",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn plan(seed: u64, queue: Queue) -> Plan {
        Plan::draw(seed, Duration::from_secs(600), 3, 200, queue)
    }

    #[test]
    fn the_same_seed_is_the_same_plan() {
        assert_eq!(plan(7, Queue::Nats), plan(7, Queue::Nats));
        assert_ne!(plan(7, Queue::Nats), plan(8, Queue::Nats));
    }

    #[test]
    fn a_long_plan_has_every_kind_of_fault() {
        let names: BTreeSet<_> =
            plan(1, Queue::Nats).faults.iter().map(|planned| planned.fault.name()).collect();
        assert_eq!(names.len(), 19, "{names:?}");
    }

    #[test]
    fn what_is_not_there_is_not_restarted() {
        let faults = plan(1, Queue::Postgres).faults;
        assert!(!faults.iter().any(|p| matches!(p.fault, Fault::RestartQueue { .. })));
    }
}

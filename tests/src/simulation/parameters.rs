//! What a seed decides about a run before it begins.

use std::fmt;

use groundcontrol_core::satellite::Liveness;
use groundcontrol_core::time::Millis;

use super::dice::Dice;

/// Everything about a run that is not decided by chance along the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// How many pods there are.
    pub pods: usize,
    /// How many satellites there are at first.
    pub satellites: usize,
    /// The fleet's heartbeat interval and default threshold.
    pub liveness: Liveness,
    /// The satellites' own thresholds in use, in heartbeat intervals; 0 is the default.
    pub own_thresholds: Vec<u64>,
    /// How wrong each pod's clock may be.
    pub clock_error: Millis,
    /// How long things go wrong.
    pub faulty: Millis,
    /// Between two things that go wrong with pods, satellites or the store as a whole.
    pub between_faults: Millis,
    /// Between two things that an operator does.
    pub between_operations: Millis,
    /// Chances in a million that one call of the store fails without effect.
    pub call_unavailable: u64,
    /// The same, that a write's outcome is unknown, made or not, now or a little later.
    pub call_unknown: u64,
    /// The same, that a conditional write meets a conflict that nobody can see the reason of.
    pub call_conflict: u64,
    /// The same, that the pod dies as it writes, before or after the commit.
    pub call_crash: u64,
    /// The same, that a call of the store takes up to some seconds.
    pub call_slow: u64,
    /// Percent of the calls of the store that take a few milliseconds and not none.
    pub call_delayed: u64,
    /// Percent of the nudges that reach a pod never.
    pub nudges_lost: u64,
    /// Percent of the nudges that reach a pod twice.
    pub nudges_doubled: u64,
    /// How long a message takes at most, when nothing is wrong.
    pub link_delay: Millis,
    /// Percent of the satellites whose credential a second agent uses for a while.
    pub doubled_agents: u64,
    /// Whether a pod comes back under its old name.
    pub names_stay: bool,
    /// Percent of what pods ask about jobs that never reaches the queue, and of its answers that
    /// never reach a pod.
    pub jobs_lost: u64,
}

impl Parameters {
    /// The parameters of `seed`.
    pub fn of(seed: u64) -> Self {
        let dice = Dice::new(seed, "parameters", 0);
        let interval =
            Millis::new(dice.choose([1_000, 2_000, 5_000, 10_000, 15_000, 15_000, 30_000, 60_000]));
        let threshold = interval.times(dice.number(2..=4));
        let faulty = interval.times(dice.number(60..=240)).max(Millis::from_secs(600));
        // A calm run shows what a stormy one hides.
        let storm = dice.choose([0, 1, 1, 2, 5]);
        let rate = |most: u64| storm * dice.number(0..=most);
        Self {
            pods: dice.number(1..=4) as usize,
            satellites: dice.number(2..=dice.choose([8, 24, 60, 300])) as usize,
            liveness: Liveness { heartbeat_interval: interval, default_threshold: threshold },
            own_thresholds: vec![0, 0, 2, dice.number(2..=8)],
            clock_error: Millis::new(dice.choose([0, 1, 20, 100, 150])),
            faulty,
            between_faults: interval.times(dice.number(1..=12)).max(Millis::new(4_000)),
            between_operations: interval.times(dice.number(1..=16)).max(Millis::new(3_000)),
            call_unavailable: rate(4_000),
            call_unknown: rate(10_000),
            call_conflict: rate(10_000),
            call_crash: rate(1_000),
            call_slow: rate(2_000),
            call_delayed: dice.choose([0, 5, 30]),
            nudges_lost: dice.choose([0, 0, 10, 50, 100]),
            nudges_doubled: dice.choose([0, 10, 50]),
            link_delay: Millis::new(dice.choose([0, 5, 50, 400])),
            doubled_agents: dice.choose([0, 0, 10, 30]),
            names_stay: dice.percent(50),
            jobs_lost: dice.choose([0, 0, 10, 50, 100]),
        }
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Liveness { heartbeat_interval, default_threshold } = self.liveness;
        writeln!(f, "  pods {}, satellites {}", self.pods, self.satellites)?;
        writeln!(
            f,
            "  heartbeat interval {heartbeat_interval}, default threshold {default_threshold}, \
             own thresholds of {:?} intervals (0: none)",
            self.own_thresholds
        )?;
        writeln!(
            f,
            "  faults for {}, one each {} on average; an operation each {}; clocks wrong by up to {}",
            self.faulty, self.between_faults, self.between_operations, self.clock_error
        )?;
        writeln!(
            f,
            "  of a million store calls: unavailable {}, outcome unknown {}, conflict {}, crash {}, \
             slow {}; a few milliseconds late: {} %",
            self.call_unavailable,
            self.call_unknown,
            self.call_conflict,
            self.call_crash,
            self.call_slow,
            self.call_delayed
        )?;
        write!(
            f,
            "  nudges lost {} %, doubled {} %; messages late by up to {}; credentials used twice {} %; \
             pods keep their names: {}; what is asked about jobs lost {} %, its answer as often",
            self.nudges_lost,
            self.nudges_doubled,
            self.link_delay,
            self.doubled_agents,
            self.names_stay,
            self.jobs_lost
        )
    }
}

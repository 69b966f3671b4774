//! The course of a run: everything works, then things go wrong, then everything works again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::account::Answer;
use super::agent::{Death, Order};
use super::chaos::unleash;
use super::checker::{Evidence, Verdict, check};
use super::crowd::Crowd;
use super::follower::Follower;
use super::plan::Plan;
use super::stage::{Queue, Setup, Stage};
use super::troubles::AFTERMATH;
use crate::server::eventually;

/// Everything that decides a run.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// What goes wrong when.
    pub seed: u64,
    /// For how long things go wrong.
    pub span: Duration,
    /// How many agents.
    pub agents: usize,
    /// How pods tell each other.
    pub queue: Queue,
}

/// What came out of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// What agents did, and what operators did for them.
    pub operations: usize,
    /// How many event streams the listeners went through, each from where the last one ended.
    pub streams: usize,
    /// What the checker says.
    pub verdict: Verdict,
}

/// How long everything may take to come right again.
const HEALS: Duration = Duration::from_secs(40);
/// One in so many agents dies at the end.
const DIES: usize = 5;

impl Chaos {
    /// Runs it.
    ///
    /// # Panics
    /// Where not everything comes right once everything works again, and where a property is
    /// broken, with the pods' logs.
    pub async fn run(self) -> Outcome {
        let setup = Setup { queue: self.queue, ..Setup::default() };
        let stage = Arc::new(Stage::set_up(setup).await);
        let crowd = Arc::new(Crowd::gather(&stage, self.agents, self.seed).await);
        let plan = Plan::draw(self.seed, self.span, setup.pods, self.agents, self.queue);
        let happened = unleash(&stage, &crowd, &plan, self.seed).await;
        crowd.all_online(&stage, HEALS).await;
        // From here on nothing is wrong, and the checker demands everything.
        sleep(Duration::from_millis(AFTERMATH.unsigned_abs()) + setup.threshold).await;
        bury_some(&stage, &crowd).await;
        let evidence = Evidence { rotations: happened.rotations, ..crowd.evidence(&stage).await };
        let verdict = check(&evidence);
        let operations = operations(&evidence);
        let streams = crowd.followers.iter().map(Follower::streams).sum();
        let outcome = Outcome { faults: happened.faults, operations, streams, verdict };
        if !outcome.verdict.violations.is_empty() {
            panic!("{self:?}\n{outcome}\n{}", outcome.verdict.explained(&evidence));
        }
        outcome
    }
}

/// Some agents die, each way that there is, and that is noticed once and by everybody (P3, P4).
async fn bury_some(stage: &Stage, crowd: &Crowd) {
    let mut alive: BTreeSet<String> = crowd.ids();
    for (agent, number) in crowd.agents.iter().zip(0..).step_by(DIES) {
        let death = if number % 2 == 0 { Death::Silent } else { Death::Leaves };
        agent.tell(Order::Die(death));
        alive.remove(&agent.satellite());
    }
    crowd.online(stage, &alive, HEALS).await;
    let api = stage.api(0);
    for agent in crowd.agents.iter().step_by(DIES) {
        let satellite = agent.satellite();
        eventually("its end is recorded", async || {
            let last = api.satellite(&satellite).await["lastEvent"].clone();
            (last != "connected").then_some(())
        })
        .await;
    }
    // Time for what must not come: a second notice of the same silence.
    sleep(stage.setup.threshold).await;
}

/// What agents and operators did, as far as they know.
fn operations(evidence: &Evidence) -> usize {
    let attempts = evidence.accounts.iter().flat_map(|account| &account.attempts);
    let of = attempts.map(|attempt| {
        let accepted = usize::from(matches!(attempt.answer, Answer::Accepted(_)));
        1 + attempt.beats.len() + accepted * usize::from(attempt.ended.is_some())
    });
    of.sum::<usize>() + evidence.rotations.len()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (fault, times) in &self.faults {
            writeln!(f, "{times:>6} × {fault}")?;
        }
        let Self { operations, streams, verdict, .. } = self;
        write!(f, "{operations} operations, {streams} event streams, {verdict}")
    }
}

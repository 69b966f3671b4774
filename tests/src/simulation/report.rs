//! Running one seed, and telling what came of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::time::Millis;

use super::parameters::Parameters;
use super::phases;
use super::planted::PlantedBug;
use super::trace::{Step, Tracing};
use super::violation::Violation;
use super::world::World;

/// Steps of the satellite at fault that a report shows.
const SHOWN: usize = 40;

/// The command that runs a seed again.
const REPLAY: &str = "cargo run -p groundcontrol-testkit --bin simulate --";

/// How to run a seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// A bug to plant.
    pub planted: Option<PlantedBug>,
    /// What becomes of the steps.
    pub tracing: Tracing,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What it decided beforehand.
    pub parameters: Parameters,
    /// How many steps there were.
    pub steps: u64,
    /// Simulated time that passed.
    pub simulated: Millis,
    /// Simulated time, once for each satellite that existed at the end.
    pub satellite_time: Millis,
    /// The bug that was planted, if one was.
    pub planted: Option<PlantedBug>,
    /// The first thing that must not be; none: all is well.
    pub violation: Option<Violation>,
    /// The steps, where they were kept.
    pub trace: Vec<Step>,
}

/// Runs `seed` to its end, or to the first violation. Takes no longer than the processor does:
/// simulated time jumps from one thing that happens to the next.
///
/// # Panics
/// When no runtime can be made, for want of memory.
pub fn run(seed: u64, options: Options) -> Report {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    #[allow(clippy::expect_used, reason = "a runtime without I/O needs nothing but memory")]
    let runtime = runtime.expect("a runtime without I/O");
    runtime.block_on(async {
        let world = World::new(seed, options.planted, options.tracing);
        let report = play(&world).await;
        world.dissolve();
        report
    })
}

async fn play(world: &Arc<World>) -> Report {
    tokio::select! {
        biased;
        () = world.judge.violated() => {}
        () = phases::play(world) => {}
    }
    let simulated = world.time.elapsed();
    let satellites = world.judge.satellites().len() as u64;
    Report {
        seed: world.seed,
        parameters: world.parameters.clone(),
        steps: world.trace.count(),
        simulated,
        satellite_time: simulated.times(satellites),
        planted: world.planted,
        violation: world.judge.verdict(),
        trace: world.trace.take(),
    }
}

impl Report {
    /// Simulated hours, once for each satellite that existed at the end.
    pub fn satellite_hours(&self) -> f64 {
        self.satellite_time.get() as f64 / 3_600_000.0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Duration::from(self.simulated);
        let Some(violation) = &self.violation else {
            return write!(f, "seed {}: well, {} steps in {at:?}", self.seed, self.steps);
        };
        writeln!(f, "seed {}: {} violated: {}", self.seed, violation.class, violation.property)?;
        writeln!(f, "{}", self.parameters)?;
        writeln!(f, "at step {}, {at:?} after the start:", self.steps)?;
        writeln!(f, "  {}", violation.words)?;
        let about = |step: &&Step| match violation.satellite {
            Some(satellite) => {
                step.satellite == Some(satellite)
                    || (step.satellite.is_none() && step.text.starts_with("host"))
            }
            None => true,
        };
        let steps: Vec<_> = self.trace.iter().filter(about).collect();
        if !steps.is_empty() {
            writeln!(f, "the last steps that concern it:")?;
            for step in &steps[steps.len().saturating_sub(SHOWN)..] {
                writeln!(f, "{step}")?;
            }
        }
        write!(f, "replay: {REPLAY} --seed {} --trace", self.seed)?;
        self.planted.map_or(Ok(()), |bug| write!(f, " --plant {}", bug.name()))
    }
}

//! Simulated pods, by seed: no run of a right system shows a violation, the same seed is the same
//! run, and every bug that is planted is caught. `tests/README.md` says how to replay a seed.
#![allow(clippy::print_stdout, reason = "the proofs say what they ran with")]

use std::process::{Command, Output};
use std::time::Instant;

use groundcontrol_testkit::simulation::{Class, Options, PlantedBug, Report, Tracing, run};

/// Seeds that each run begins with, by default.
const SEEDS: u64 = 40;
/// Seeds that once showed a bug, and which; the bug itself has a test where it was.
const SCENARIOS: [(u64, &str); 1] =
    [(76, "a change of credentials that was made late, beside its repetition, was made twice")];
/// A planted bug is caught within so many seeds.
const PATIENCE: u64 = 60;

fn number_from(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
        Err(_) => default,
    }
}

/// The same run again, with the steps that its report shows.
fn explained(report: &Report, planted: Option<PlantedBug>) -> Report {
    run(report.seed, Options { planted, tracing: Tracing::Keep })
}

fn simulate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
    command.args(arguments).output().expect("the binary `simulate` starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn no_seed_shows_a_violation() {
    let (first, runs) = (number_from("SIMULATION_SEED", 1), number_from("SIMULATION_RUNS", SEEDS));
    let (begun, mut steps, mut hours) = (Instant::now(), 0, 0.0);
    for seed in first..first + runs {
        let report = run(seed, Options::default());
        assert!(report.violation.is_none(), "{}", explained(&report, None));
        steps += report.steps;
        hours += report.satellite_hours();
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "seeds {first} to {}: {steps} steps, {hours:.0} satellite-hours in {seconds:.1} s; more by \
         SIMULATION_RUNS, others by SIMULATION_SEED",
        first + runs - 1
    );
}

#[test]
fn no_seed_that_once_showed_a_bug_shows_one_again() {
    for (seed, bug) in SCENARIOS {
        let report = run(seed, Options::default());
        assert!(report.violation.is_none(), "once: {bug}\n{}", explained(&report, None));
    }
}

#[test]
fn the_same_seed_gives_a_byte_identical_trace_in_any_process() {
    for seed in ["4", "8"] {
        let first = simulate(&["--seed", seed, "--trace"]);
        let second = simulate(&["--seed", seed, "--trace"]);
        assert!(first.status.success(), "{}", text(&first.stderr));
        assert!(first.stdout.iter().filter(|byte| **byte == b'\n').count() > 1_000);
        assert!(first.stdout == second.stdout, "two runs of seed {seed} differ");
    }
}

#[test]
fn other_seeds_give_other_runs() {
    let steps = |seed| run(seed, Options { planted: None, tracing: Tracing::Keep }).trace;
    assert_ne!(steps(3), steps(4));
}

/// The first seed at which `bug` is seen.
fn caught(bug: PlantedBug) -> Option<Report> {
    let options = Options { planted: Some(bug), tracing: Tracing::Count };
    (1..=PATIENCE).map(|seed| run(seed, options)).find(|report| report.violation.is_some())
}

#[test]
fn every_planted_bug_is_caught_and_breaks_the_kind_of_promise_that_it_must() {
    for bug in PlantedBug::ALL {
        let Some(report) = caught(*bug) else {
            panic!("{} is not seen at any of the seeds 1 to {PATIENCE}", bug.name());
        };
        let violation = report.violation.as_ref().expect("a violation was found");
        println!("{:24} seed {:>2}: {violation}", bug.name(), report.seed);
        assert_eq!(violation.class, bug.class(), "{}", explained(&report, Some(*bug)));
    }
}

#[test]
fn the_exit_code_tells_safety_from_liveness_from_a_wrong_command_line() {
    let code = |arguments: &[&str]| simulate(arguments).status.code();
    assert_eq!(code(&["--seed", "1", "--runs", "2", "--jobs", "2"]), Some(0));
    assert_eq!(code(&["--runs", "60", "--plant", PlantedBug::EventBeforeState.name()]), Some(2));
    assert_eq!(code(&["--runs", "60", "--plant", PlantedBug::DispatcherStops.name()]), Some(3));
    assert_eq!(code(&["--seed", "one"]), Some(1));
}

#[test]
fn a_failure_says_all_that_is_needed_to_understand_and_repeat_it() {
    let bug = PlantedBug::CloseOnDrain;
    let report = caught(bug).expect("the planted bug is seen");
    let violation = report.violation.as_ref().expect("a violation was found");
    assert_eq!(violation.class, Class::Safety);
    let said = text(&simulate(&["--runs", "60", "--plant", bug.name()]).stderr);
    let seed = report.seed;
    for part in [
        format!("seed {seed}: safety violated: {}", violation.property),
        violation.words.clone(),
        format!("pods {}, satellites {}", report.parameters.pods, report.parameters.satellites),
        format!("at step {}", report.steps),
        "the last steps that concern it:".to_owned(),
        format!("--bin simulate -- --seed {seed} --trace --plant {}", bug.name()),
    ] {
        assert!(said.contains(&part), "{part:?} is missing in:\n{said}");
    }
}

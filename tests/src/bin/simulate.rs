//! Runs and replays simulations by seed: see `--help`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command line")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use clap::Parser;
use groundcontrol_testkit::simulation::{Options, PlantedBug, Report, Tracing, run};
use indicatif::{ProgressBar, ProgressStyle};

/// Simulates pods, satellites, network and store, all decided by one seed.
///
/// Exit codes: 0 all is well; 1 the command line is wrong; 2 something happened that never must
/// (safety); 3 something did not happen in time although everything worked again (liveness).
#[derive(Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// The seed, or the first of several
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after the other
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// How many runs at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=256))]
    jobs: u64,
    /// Print every step (of one run)
    #[arg(long, conflicts_with = "runs")]
    trace: bool,
    /// Plant a bug, to see it caught
    #[arg(long, value_parser = planted)]
    plant: Option<PlantedBug>,
}

fn planted(name: &str) -> Result<PlantedBug, String> {
    let found = PlantedBug::ALL.iter().find(|bug| bug.name() == name);
    let names: Vec<_> = PlantedBug::ALL.iter().map(|bug| bug.name()).collect();
    found.copied().ok_or_else(|| format!("there are: {}", names.join(", ")))
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    let tracing = if arguments.trace { Tracing::Print } else { Tracing::Count };
    let options = Options { planted: arguments.plant, tracing };
    if arguments.trace {
        let report = run(arguments.seed, options);
        return conclude(Some(&report), &Totals::default(), options);
    }
    let (failed, totals) = run_all(&arguments, options);
    conclude(failed.as_ref(), &totals, options)
}

/// What all runs were together.
#[derive(Default)]
struct Totals {
    runs: u64,
    satellite_hours: f64,
    /// Seconds that cores were at work.
    busy: f64,
}

/// Measures what one thread computes: its time on a core, where the system tells it.
struct Stopwatch {
    computed: Option<u64>,
    begun: Instant,
}

impl Stopwatch {
    fn start() -> Self {
        Self { computed: Self::computed(), begun: Instant::now() }
    }

    fn seconds(&self) -> f64 {
        match (self.computed, Self::computed()) {
            (Some(before), Some(after)) => (after - before) as f64 / 1e9,
            _ => self.begun.elapsed().as_secs_f64(),
        }
    }

    /// Nanoseconds that this thread was on a core; Linux only.
    fn computed() -> Option<u64> {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        told.split(' ').next()?.parse().ok()
    }
}

/// Runs all seeds, or until one fails; of several that fail, the first.
fn run_all(arguments: &Arguments, options: Options) -> (Option<Report>, Totals) {
    let (next, end) = (AtomicU64::new(0), arguments.runs);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs, {eta} left {msg}");
    let bar =
        ProgressBar::new(end).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.min(end) {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return;
                    }
                    let begun = Stopwatch::start();
                    let report = run(arguments.seed.wrapping_add(number), options);
                    if report.violation.is_some() {
                        next.store(end, Ordering::Relaxed);
                    }
                    let _ = tell.send((report, begun.seconds()));
                }
            });
        }
        drop(tell);
        let (mut failed, mut totals): (Option<Report>, _) = (None, Totals::default());
        for (report, seconds) in told {
            totals.runs += 1;
            totals.busy += seconds;
            totals.satellite_hours += report.satellite_hours();
            bar.inc(1);
            let is_first = failed.as_ref().is_none_or(|other| report.seed < other.seed);
            if report.violation.is_some() && is_first {
                failed = Some(report);
            }
        }
        bar.finish_and_clear();
        (failed, totals)
    })
}

fn conclude(report: Option<&Report>, totals: &Totals, options: Options) -> ExitCode {
    let failed = report.filter(|report| report.violation.is_some());
    if let (Some(report), None) = (report, failed) {
        println!("{report}");
    }
    if totals.runs > 0 {
        let speed = totals.satellite_hours / totals.busy.max(f64::MIN_POSITIVE);
        println!(
            "{} runs, {:.0} satellite-hours in {:.1} s of one core: {speed:.0} satellite-hours a second",
            totals.runs, totals.satellite_hours, totals.busy
        );
    }
    let Some(failed) = failed else { return ExitCode::SUCCESS };
    // The same seed again, this time with its steps: that it fails in the same way is part of
    // what is promised.
    let replayed = match options.tracing {
        Tracing::Count => run(failed.seed, Options { tracing: Tracing::Keep, ..options }),
        Tracing::Keep | Tracing::Print => failed.clone(),
    };
    eprintln!("{replayed}");
    if replayed.violation != failed.violation {
        eprintln!("the replay differs: the run depends on more than its seed; first seen was");
        eprintln!("{failed}");
    }
    failed.violation.as_ref().map_or(ExitCode::SUCCESS, |found| found.class.exit_code().into())
}

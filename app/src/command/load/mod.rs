//! `groundcontrol load`: a fleet of simulated satellites against a server that its owner names.

mod limits;
mod crew;
mod work;
mod fleet;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::console::Console;
use super::server::{OutputArgs, ServerArgs};
use super::token::TokenFile;
use crate::agent::{Identity, Network, client_config};
use crate::client::{Client, ServerMetrics};
use crate::config::Span;
use crate::serve;
use fleet::{Fleet, Tally};
use report::{Memory, Report, per_second};
use work::Work;

/// Puts a server under load with a fleet of simulated satellites, and reports what it bore.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 every satellite was authenticated and stayed, 1 not so (the report says why).")]
pub struct LoadArgs {
    /// How many satellites
    #[arg(long, default_value_t = 2_000, value_name = "NUMBER")]
    satellites: usize,
    /// Connections a second, or storm for all at once
    #[arg(long, default_value = "storm", value_parser = rate, value_name = "RATE")]
    connect_rate: Rate,
    /// Between heartbeats of one satellite [default: as the server asks]
    #[arg(long, value_name = "DURATION")]
    heartbeat: Option<Span>,
    /// How long all of them stay
    #[arg(long, default_value = "60s", value_name = "DURATION")]
    hold: Span,
    /// Uses the satellites in this file (`id token` a line) instead of making some
    #[arg(long, value_name = "FILE")]
    tokens_file: Option<PathBuf>,
    /// Assigns one check to all of them, changes it once, and lets each report results as fast as
    /// they are acknowledged while it stays
    #[arg(long, conflicts_with = "tokens_file")]
    work: bool,
    /// Leaves the satellites that were made
    #[arg(long, conflicts_with = "tokens_file")]
    keep: bool,
    /// Writes the satellites that were made to this new file, for --tokens-file
    #[arg(long, value_name = "FILE", requires = "keep")]
    save_tokens: Option<PathBuf>,
    /// Needed for a server beyond this machine
    #[arg(long)]
    i_own_this_server: bool,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// How fast satellites connect: at once, or so many a second.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rate {
    Storm,
    PerSecond(f64),
}

/// The exit code of a run that was not clean.
const UNCLEAN: u8 = 1;
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the load and reports; answers the exit code.
pub async fn run(args: LoadArgs) -> anyhow::Result<u8> {
    let endpoint = args.server.endpoint()?;
    if !endpoint.is_loopback() && !args.i_own_this_server {
        bail!(
            "{endpoint} is beyond this machine; a load is an attack on a server of somebody else. \
             Pass --i-own-this-server if it is yours"
        );
    }
    let listed = args.tokens_file.as_deref().map(crew::read).transpose()?;
    let wanted = listed.as_ref().map_or(args.satellites, |l| l.len().min(args.satellites));
    if wanted == 0 {
        bail!("there is no satellite to connect");
    }
    limits::make_room(wanted as u64)?;
    let tls = client_config(endpoint.is_secure(), args.server.ca_file.as_deref())?;
    let client = match &listed {
        Some(_) => Client::new(endpoint.clone(), &tls, None)?,
        None => args.server.client()?,
    };
    let stop = stop_on_signal();
    let mut console = args.output.console();
    let mut load = Load {
        network: Network::new(endpoint, tls).with_buffers(fleet::BUFFER),
        client,
        stop,
        args,
        report: Report::default(),
    };
    let report = load.run(listed, wanted).await?;
    show(report, &mut console)?;
    Ok(if report.is_clean() { 0 } else { UNCLEAN })
}

struct Load {
    args: LoadArgs,
    network: Network,
    client: Client,
    stop: CancellationToken,
    report: Report,
}

impl Load {
    async fn run(
        &mut self,
        listed: Option<Vec<Identity>>,
        wanted: usize,
    ) -> anyhow::Result<&Report> {
        self.report.server = self.client.endpoint().to_string();
        self.report.satellites = wanted as u64;
        match listed {
            Some(mut crew) => {
                crew.truncate(wanted);
                self.fly(crew, None).await?;
            }
            None => self.fly_made(wanted).await?,
        }
        self.report.interrupted = self.stop.is_cancelled();
        Ok(&self.report)
    }

    /// Makes satellites, flies them, and removes them whatever happened.
    async fn fly_made(&mut self, wanted: usize) -> anyhow::Result<()> {
        let mut file = self.args.save_tokens.as_deref().map(TokenFile::create).transpose()?;
        let run = Uuid::new_v4().simple().to_string()[..8].to_owned();
        let (mut crew, bar) = (Vec::new(), bar(wanted, "making satellites"));
        let made = crew::make(&self.client, &run, wanted, &self.stop, &bar, &mut crew).await;
        bar.finish_and_clear();
        let flown = match made {
            Ok(()) if self.args.work => self.fly_with_work(crew.clone(), &run).await,
            Ok(()) => self.fly(crew.clone(), None).await,
            Err(error) => Err(error.into()),
        };
        if self.args.keep {
            self.report.satellites_left = crew.len() as u64;
            file.as_mut().map(|file| crew::write(file, &crew)).transpose()?;
            return flown;
        }
        let bar = self::bar(crew.len(), "removing satellites");
        let (removed, failed) = crew::remove(&self.client, &crew, &bar).await;
        bar.finish_and_clear();
        self.report.satellites_left = (crew.len() - removed) as u64;
        let left = crew.len() - removed;
        flown.and(match failed {
            Some(error) => Err(error).with_context(|| {
                format!(
                    "{left} satellites are left; find them with \
                     `groundcontrol satellites list --tag load:{run}`"
                )
            }),
            None => Ok(()),
        })
    }

    /// Flies with work that is removed whatever happened.
    async fn fly_with_work(&mut self, crew: Vec<Identity>, run: &str) -> anyhow::Result<()> {
        let work = Arc::new(Work::make(&self.client, run).await?);
        let flown = self.fly(crew, Some(work.clone())).await;
        let removed = work.remove(&self.client).await;
        flown.and(removed.with_context(|| {
            format!("the check and the system named load-{run} are left; remove them")
        }))
    }

    /// Connects, holds, and lets go.
    async fn fly(&mut self, crew: Vec<Identity>, work: Option<Arc<Work>>) -> anyhow::Result<()> {
        let count = crew.len();
        let before = self.client.metrics().await.unwrap_or_default();
        let fleet = Arc::new(Fleet {
            network: self.network.clone(),
            heartbeat: self.args.heartbeat.map(|span| span.0.into()),
            began: Instant::now(),
            stop: self.stop.child_token(),
            tally: Tally::default(),
            work,
        });
        let mut tasks = JoinSet::new();
        for (number, identity) in crew.into_iter().enumerate() {
            let start = fleet.began + self.args.connect_rate.offset(number);
            tasks.spawn(fleet.clone().fly(identity, start));
        }
        connecting(&fleet, count).await;
        if let Some(work) = &fleet.work {
            let bar = bar(count, "changing what all run");
            let told = fleet.tally.latencies.lock().len();
            work.change(&self.client, told, &bar, &fleet.stop).await?;
            bar.finish_and_clear();
            work.report();
        }
        let (heartbeats, began) = (fleet.tally.heartbeats.load(Ordering::Relaxed), Instant::now());
        holding(&fleet, self.args.hold.0.into()).await;
        self.report.hold_seconds = began.elapsed().as_secs_f64();
        let sent = fleet.tally.heartbeats.load(Ordering::Relaxed);
        self.report.work = fleet.work.as_ref().map(|work| work.seen(self.report.hold_seconds));
        self.report.heartbeats_sent = sent;
        self.report.heartbeats_per_second = per_second(sent - heartbeats, self.report.hold_seconds);
        let after = self.client.metrics().await.unwrap_or_else(|_| ServerMetrics::default());
        self.report.count(&fleet.tally);
        let gone: u64 = self.report.disconnects.values().sum();
        let open = self.report.authenticated - gone;
        self.report.memory = Memory::of(&before, &after, open);
        fleet.stop.cancel();
        tasks.join_all().await;
        Ok(())
    }
}

/// Waits until every satellite is authenticated or has failed.
async fn connecting(fleet: &Fleet, count: usize) {
    let bar = bar(count, "connecting");
    let settled = || fleet.tally.settled.load(Ordering::Relaxed);
    while settled() < count as u64 && !fleet.stop.is_cancelled() {
        bar.set_position(settled());
        sleep(LOOK).await;
    }
    bar.finish_and_clear();
}

async fn holding(fleet: &Fleet, hold: Duration) {
    let bar = bar(hold.as_millis() as usize, "holding");
    let began = Instant::now();
    while began.elapsed() < hold && !fleet.stop.is_cancelled() {
        let disconnects: u64 = fleet.tally.disconnects.lock().values().sum();
        let heartbeats = fleet.tally.heartbeats.load(Ordering::Relaxed);
        bar.set_message(format!("holding: {heartbeats} heartbeats, {disconnects} disconnects"));
        bar.set_position(began.elapsed().as_millis() as u64);
        sleep(LOOK.min(hold.saturating_sub(began.elapsed()))).await;
    }
    bar.finish_and_clear();
}

fn show(report: &Report, console: &mut Console) -> anyhow::Result<()> {
    if console.is_json() {
        return console.json(report);
    }
    console.table(&[], report.rows())?;
    if report.interrupted {
        console.note("The run was interrupted: the figures are those up to then.")?;
    }
    Ok(())
}

/// The first signal ends the run in order; the second at once.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    tokio::spawn(async move {
        if serve::stop_signal().await.is_ok() {
            cancel.cancel();
        }
        if serve::stop_signal().await.is_ok() {
            std::process::exit(130);
        }
    });
    stop
}

/// A progress bar on standard error; hidden where that is no terminal.
fn bar(length: usize, message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style).with_message(message)
}

impl Rate {
    /// When the satellite with this number dials, from the beginning.
    fn offset(self, number: usize) -> Duration {
        match self {
            Self::Storm => Duration::ZERO,
            Self::PerSecond(rate) => Duration::from_secs_f64(number as f64 / rate),
        }
    }
}

fn rate(text: &str) -> Result<Rate, &'static str> {
    match text {
        "storm" => Ok(Rate::Storm),
        text => match text.parse::<f64>() {
            Ok(rate) if rate >= 0.001 && rate.is_finite() => Ok(Rate::PerSecond(rate)),
            _ => Err("write a positive number of connections a second, or storm"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_positive_number_or_storm() {
        assert_eq!(rate("storm"), Ok(Rate::Storm));
        assert_eq!(rate("500"), Ok(Rate::PerSecond(500.0)));
        for nonsense in ["0", "-1", "inf", "NaN", "fast", ""] {
            assert!(rate(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn satellites_dial_evenly_spread_or_all_at_once() {
        assert_eq!(Rate::PerSecond(4.0).offset(2), Duration::from_millis(500));
        assert_eq!(Rate::Storm.offset(2), Duration::ZERO);
    }
}

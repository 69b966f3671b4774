//! `groundcontrol demo`: a server and three satellites as real processes over real sockets; one
//! is killed, one is cut off for a while, one is stopped, and the audience sees what is known.

mod child;
mod expected;
mod proxy;
mod stage;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::console::{Console, OutputFormat};
use crate::serve;
use expected::{CUT, Expected, KILLED, STOPPED};
use proxy::Proxy;
use stage::Stage;

/// Shows in about a minute what Ground Control does, and leaves nothing behind.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 every satellite showed exactly the expected edges, in order; 1 one did not, and it \
is said which; 130 interrupted.")]
pub struct DemoArgs {
    /// Makes no pauses for reading: a smoke test of some seconds
    #[arg(long)]
    once: bool,
}

/// The exit code of a process that was interrupted.
const INTERRUPTED: u8 = 130;
/// The time for an edge that must come at once.
const SOON: Duration = Duration::from_secs(10);
/// The time for a loss: threshold, settle, and a slow machine.
const LOSS: Duration = Duration::from_secs(15);
/// The time for an edge that should not come.
const STRAGGLERS: Duration = Duration::from_secs(1);
/// The time for an agent to stop.
const STOP: Duration = Duration::from_secs(5);

const KILLED_ONE: usize = 0;
const CUT_ONE: usize = 1;
const STOPPED_ONE: usize = 2;

/// Plays the demo with this process's own executable; answers the exit code.
pub async fn run(args: DemoArgs) -> anyhow::Result<u8> {
    let executable = std::env::current_exe().context("cannot tell which executable this is")?;
    let console = Console::of_process(OutputFormat::Table);
    tokio::select! {
        played = play(executable, console, args.once) => played,
        signalled = serve::stop_signal() => {
            signalled?;
            Ok(INTERRUPTED)
        }
    }
}

async fn play(executable: PathBuf, console: Console, once: bool) -> anyhow::Result<u8> {
    let began = Instant::now();
    let pause = if once { Duration::ZERO } else { Duration::from_secs(8) };
    let mut stage = Stage::open(executable, console).await?;
    stage.say(&format!(
        "» A server runs at {} on a temporary database. Satellites send a heartbeat every second;\n\
         » after 3 seconds of silence one counts as offline. Logs are in {}.",
        stage.url(),
        stage.folder().display()
    ))?;
    let network = Proxy::start(stage.server_address()?).await?;
    enter(&mut stage, &network).await?;
    stage.pass(pause).await?;
    kill(&mut stage).await?;
    stage.pass(pause).await?;
    cut(&mut stage, &network, pause).await?;
    stage.pass(pause).await?;
    stop(&mut stage).await?;
    stage.pass(pause.max(STRAGGLERS)).await?;
    end(stage, began).await
}

async fn enter(stage: &mut Stage, network: &Proxy) -> anyhow::Result<()> {
    stage.say(
        "\n» Three satellites start, each a process of its own. Nairobi's connection runs through \
         a small\n» proxy, which plays the network between it and the server.",
    )?;
    let parts: [(&'static str, &str, &'static [Expected], Option<&Proxy>); 3] = [
        ("Reykjavik", "eu-north", KILLED, None),
        ("Nairobi", "af-east", CUT, Some(network)),
        ("Lima", "sa-west", STOPPED, None),
    ];
    for (name, region, expected, network) in parts {
        stage.enter(name, region, expected, network).await?;
    }
    if !stage.until_all(1, SOON).await? {
        bail!("not all satellites connected within {} s:\n{}", SOON.as_secs(), logs(stage));
    }
    stage.show_table().await
}

async fn kill(stage: &mut Stage) -> anyhow::Result<()> {
    let pid = stage.actors[KILLED_ONE].process.id().unwrap_or_default();
    stage.say(&format!(
        "» kill -9 {pid}: Reykjavik dies without a word. Its system closes the socket, so the \
         server learns\n» at once that the connection broke: disconnected, cause connection_lost."
    ))?;
    stage.actors[KILLED_ONE].process.kill().await?;
    stage.until(KILLED_ONE, KILLED.len(), SOON).await?;
    stage.show_table().await
}

async fn cut(stage: &mut Stage, network: &Proxy, pause: Duration) -> anyhow::Result<()> {
    stage.say(
        "» Nairobi's network is cut: the proxy passes nothing in either direction and closes \
         nothing.\n» Only silence tells. After 3 seconds of it: heartbeat_lost, once.",
    )?;
    network.cut();
    let lost = stage.until(CUT_ONE, CUT.len() - 1, LOSS).await?;
    stage.show_table().await?;
    stage.pass(pause).await?;
    stage.say(
        "» The network heals. What Nairobi said meanwhile arrives, on the same socket: connected, \
         cause\n» heartbeat_resumed.",
    )?;
    network.heal();
    if lost {
        stage.until(CUT_ONE, CUT.len(), LOSS).await?;
    }
    stage.show_table().await
}

async fn stop(stage: &mut Stage) -> anyhow::Result<()> {
    let pid = stage.actors[STOPPED_ONE].process.id().unwrap_or_default();
    stage.say(&format!(
        "» kill {pid}: Lima is asked to stop. It closes its connection first: disconnected, cause \
         client_closed,\n» and nothing is remembered as last seen."
    ))?;
    let status = stage.actors[STOPPED_ONE].process.stop(STOP).await?;
    if !status.success() {
        bail!("Lima ended with {status}:\n{}", stage.actors[STOPPED_ONE].process.log_tail());
    }
    stage.until(STOPPED_ONE, STOPPED.len(), SOON).await?;
    stage.show_table().await
}

async fn end(mut stage: Stage, began: Instant) -> anyhow::Result<u8> {
    let faults = stage.faults().await?;
    if !faults.is_empty() {
        stage.say("» Not everything was as it should be:")?;
        for fault in &faults {
            stage.say(&format!("   {fault}"))?;
        }
        stage.say(&format!("\n{}", logs(&stage)))?;
        stage.keep_logs()?;
        return Ok(1);
    }
    stage.say(&format!(
        "» Every satellite showed exactly the edges it should, in order; {} s in all.\n\n{BY_HAND}",
        began.elapsed().as_secs()
    ))?;
    stage.close().await?;
    Ok(0)
}

fn logs(stage: &Stage) -> String {
    let each = stage.actors.iter();
    each.map(|actor| format!("  {} says:\n{}", actor.name, actor.process.log_tail())).collect()
}

const BY_HAND: &str = "\
The same by hand, in a few terminals:

    groundcontrol serve --data-dir ./groundcontrol-data --heartbeat-interval 1s --offline-threshold 3s

    export GROUNDCONTROL_API_TOKEN_FILE=./groundcontrol-data/admin-token
    groundcontrol satellites create Reykjavik --region eu-north --save-token reykjavik.token
    groundcontrol satellite --url http://127.0.0.1:8080 --client-id ID --token-file reykjavik.token

    groundcontrol satellites watch
    groundcontrol events

    kill -9 PID      dies without a word: disconnected, connection_lost
    kill -STOP PID   falls silent as with a cut network: heartbeat_lost
    kill -CONT PID   goes on: connected, heartbeat_resumed
    kill PID         says goodbye: disconnected, client_closed
";

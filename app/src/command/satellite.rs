//! `groundcontrol satellite`: the agent as a process.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context as _;
use groundcontrol_core::satellite::SatelliteId;
use tokio_util::sync::CancellationToken;

use super::token::{Dash, TokenSource};
use crate::agent::{
    self, CONCURRENCY, Endpoint, Exit, Identity, Settings, Timing, WorkSettings, client_config,
    roots,
};
use crate::config::LogFormat;
use crate::serve;

/// Runs a satellite's agent: keeps a connection to Ground Control alive, and runs the checks that
/// are assigned, until it is stopped.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 stopped by SIGTERM or SIGINT, 1 could not start, 2 wrong usage, 3 the server refused \
the client id or token, 4 the server told this satellite to stop (removed, disabled or revoked). \
After 3 and 4 a restart would not help. Everything else is dialled again.

Scripts run with the rights of this process, and may use its network. A sandbox policy that the \
server sends is not enforced; the log says so once. Limit the process itself instead, as with the \
service manager or a container.")]
pub struct SatelliteArgs {
    /// The server, as https://, wss://, http:// or ws://
    #[arg(long, env = "GROUNDCONTROL_URL", value_name = "URL")]
    pub url: String,
    /// The satellite's id
    #[arg(long, env = "GROUNDCONTROL_CLIENT_ID", value_name = "UUID")]
    pub client_id: SatelliteId,
    /// File that holds the satellite's token; or set GROUNDCONTROL_TOKEN
    #[arg(long, env = "GROUNDCONTROL_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Reads the token from standard input
    #[arg(long, value_name = "-", allow_hyphen_values = true)]
    pub token: Option<Dash>,
    /// PEM file with certificates to trust beside the system's
    #[arg(long, env = "GROUNDCONTROL_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Sends the token in the clear to other machines, too
    #[arg(long, env = "GROUNDCONTROL_ALLOW_PLAINTEXT")]
    pub allow_plaintext: bool,
    /// Checks that run at the same time, at most
    #[arg(long, env = "GROUNDCONTROL_CONCURRENCY", value_name = "CHECKS", default_value_t = CONCURRENCY)]
    pub concurrency: NonZeroUsize,
    /// Program that runs checks in JavaScript [default: bun, deno or node, if on the path]
    #[arg(long, env = "GROUNDCONTROL_JAVASCRIPT", value_name = "PROGRAM")]
    pub javascript: Option<PathBuf>,
    /// Folder for the packages that scripts import, which the server distributes
    #[arg(long, env = "GROUNDCONTROL_PACKAGES", value_name = "DIR")]
    pub packages: Option<PathBuf>,
    /// How log lines look
    #[arg(long, env = "GROUNDCONTROL_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// What to log, as error, warn, info, debug, trace or target=level,…
    #[arg(long, env = "GROUNDCONTROL_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// Runs the agent until SIGTERM or SIGINT, or until the server ends it for good.
pub async fn run(args: SatelliteArgs) -> anyhow::Result<Exit> {
    serve::log::install(args.log_format, &args.log)?;
    let settings = settings(&args)?;
    let shutdown = CancellationToken::new();
    let signalled = shutdown.clone();
    let signal = serve::stop_signal();
    tokio::spawn(async move {
        if let Err(error) = signal.await {
            tracing::error!(%error, "cannot wait for signals; stopping");
        }
        signalled.cancel();
    });
    let exit = agent::run(settings, shutdown).await?;
    match &exit {
        Exit::Stopped => tracing::info!("{exit}"),
        Exit::AuthFailed { .. } | Exit::ShutDown { .. } => tracing::error!("{exit}"),
    }
    Ok(exit)
}

pub(super) fn settings(args: &SatelliteArgs) -> anyhow::Result<Settings> {
    let endpoint = Endpoint::parse(&args.url, args.allow_plaintext)?;
    let source = TokenSource {
        flag: "--token",
        dash: args.token,
        file: args.token_file.as_deref(),
        variable: "GROUNDCONTROL_TOKEN",
    };
    let token = source.read(&mut std::io::stdin().lock(), |name| std::env::var(name).ok())?;
    let token = token.context(
        "the satellite's token is needed: pass --token-file FILE, pipe it in with `--token -`, or \
         set GROUNDCONTROL_TOKEN",
    )?;
    let tls = client_config(endpoint.is_secure(), args.ca_file.as_deref())?;
    let identity = Identity { client_id: args.client_id, token };
    let work = WorkSettings {
        concurrency: args.concurrency,
        roots: roots(args.ca_file.as_deref())?,
        javascript: args.javascript.clone(),
        packages: args.packages.clone(),
    };
    Ok(Settings { endpoint, tls, identity, timing: Timing::default(), work })
}

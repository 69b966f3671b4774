//! The agent's life: dial, run a session, wait, dial again, until it ends for good.

use std::sync::Arc;

use futures_util::future::join;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::dial::{Dial, Network};
use super::endpoint::Endpoint;
use super::packages::keep_in_step;
use super::session::{self, Dropped, Ending};
use super::settings::{Exit, Identity, Timing};
use super::work::{Desk, Runner, SettingsError, WorkSettings};

/// Everything an agent needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server.
    pub endpoint: Endpoint,
    /// Whom to trust; see [`client_config`](super::client_config).
    pub tls: Arc<rustls::ClientConfig>,
    /// Who it is.
    pub identity: Identity,
    /// How long it waits for what.
    pub timing: Timing,
    /// What it may use for its checks.
    pub work: WorkSettings,
}

/// The close code of a connection that a newer one of the same satellite superseded.
const SUPERSEDED: u16 = 4409;
/// The close code of two agents that fight over one credential.
const CREDENTIAL_FIGHT: u16 = 4429;

/// Runs an agent until the server ends it for good or `shutdown` is cancelled. Whatever else
/// happens to its connection, it dials again.
pub async fn run(settings: Settings, shutdown: CancellationToken) -> Result<Exit, SettingsError> {
    let Settings { endpoint, tls, identity, timing, work } = settings;
    let probes = work.probes()?;
    tracing::info!(server = %endpoint, client_id = %identity.client_id, "starting");
    let network = Network::new(endpoint, tls);
    let desk = Arc::new(Desk::new());
    let runner = Runner::new(desk.clone(), probes, work.concurrency.get(), rand::random);
    let connected = run_with(&network, &identity, &timing, rand::random, &desk, &shutdown);
    let packages = keep_in_step(desk.clone(), work.packages);
    Ok(beside(connected, join(runner.run(), packages)).await)
}

/// Waits for the agent's end, while it works.
pub(super) async fn beside<T, W>(
    agent: impl Future<Output = T>,
    work: impl Future<Output = W>,
) -> T {
    let work = async {
        work.await;
        std::future::pending().await
    };
    tokio::select! {
        ended = agent => ended,
        never = work => never,
    }
}

/// As [`run`], with any way to dial, any source of numbers in 0 … 1 for the jitter, and whoever
/// works at `desk`.
pub(crate) async fn run_with<D: Dial>(
    dialler: &D,
    identity: &Identity,
    timing: &Timing,
    random: impl Fn() -> f64 + Send,
    desk: &Desk,
    shutdown: &CancellationToken,
) -> Exit {
    let started = Instant::now();
    let mut backoff = Backoff::new(timing.first_delay, timing.longest_delay);
    loop {
        let dialled = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Exit::Stopped,
            dialled = timeout(timing.dial, dialler.dial()) => dialled,
        };
        match dialled {
            Ok(Ok(socket)) => {
                match session::run(socket, identity, timing, started, desk, shutdown).await {
                    Ending::Final(exit) => return exit,
                    Ending::Dropped { why, lived } => {
                        report(&why);
                        if lived >= timing.lasting {
                            backoff.reset();
                        }
                    }
                }
            }
            Ok(Err(why)) => tracing::warn!("{why}"),
            Err(_) => tracing::warn!("no connection within {:?}", timing.dial),
        }
        let delay = backoff.next(random());
        tracing::info!("dialling again in {} ms", delay.as_millis());
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Exit::Stopped,
            () = tokio::time::sleep(delay) => {}
        }
    }
}

fn report(why: &Dropped) {
    match why {
        Dropped::Closed(Some(CloseFrame { code, .. })) if u16::from(*code) == SUPERSEDED => {
            tracing::warn!(
                "another connection authenticated as this satellite and superseded this one; if \
                 it was not this agent, two agents share one token: give each its own satellite"
            );
        }
        Dropped::Closed(Some(CloseFrame { code, .. })) if u16::from(*code) == CREDENTIAL_FIGHT => {
            tracing::warn!(
                "two agents fight over this satellite's token; stop one of them, or give each its \
                 own satellite"
            );
        }
        why => tracing::warn!("{why}"),
    }
}

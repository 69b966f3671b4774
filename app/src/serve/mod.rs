//! The server as a process: starts a pod, listens, and drains on SIGTERM.

mod admin_token;
mod forwarded;
mod listener;
pub mod log;
mod telemetry;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::{QueueSettings, Settings};
use crate::wiring;

use listener::listen;

/// Serves until `stop` completes, then drains. `ready` is told the address once it is listened on.
pub async fn run(
    settings: Settings,
    stop: impl Future<Output = ()>,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let tls = settings.tls.as_ref().map(tls::Reloading::load).transpose()?;
    let listener = listen(settings.listen)?;
    let address = listener.local_addr().context("cannot tell the address that is listened on")?;
    let wired = wiring::start(&settings, telemetry::install()?).await?;
    admin_token::ensure(&settings, wired.api_tokens.as_ref(), wired.clock.as_ref()).await?;
    warn_if_in_the_clear(&settings, address);
    warn_if_others_do_not_hear(&settings);
    if let Some(file) = &settings.test_wall_clock {
        warn!(file = %file.display(), "the wall clock is misled by a file, which is for tests alone");
    }

    let closing = CancellationToken::new();
    let router = Arc::new(listener::Router::new(&settings, &wired));
    let serving = tokio::spawn(listener::accept(listener, router, tls.clone(), closing.clone()));
    let reloading = tls.map(|tls| tokio::spawn(tls.follow()));
    info!(%address, pod = %settings.pod, database = %settings.database, queue = %settings.queue, secrets = %settings.secrets, "serving");
    ready(address);

    stop.await;
    wired.sockets.stop();
    wired.pod.drain().await;
    closing.cancel();
    if let Some(task) = reloading {
        task.abort();
    }
    serving.await.context("the listener failed")?;
    wired.close().await;
    info!("stopped");
    Ok(())
}

/// Tokens, and later secrets, cross this listener.
fn warn_if_in_the_clear(settings: &Settings, address: SocketAddr) {
    let open = !address.ip().is_loopback();
    if open && settings.tls.is_none() && settings.trusted_proxies.is_empty() {
        warn!(
            %address,
            "listening beyond loopback without TLS: tokens cross the network in the clear; give \
             --tls-cert and --tls-key, or --trusted-proxies where a proxy in front speaks TLS"
        );
    }
}

/// A database that pods can share, and a queue that they cannot.
fn warn_if_others_do_not_hear(settings: &Settings) {
    if settings.database.is_server() && matches!(settings.queue, QueueSettings::Memory) {
        warn!(
            "--queue memory reaches no other pod: where several share this database, each notices \
             what the others changed only when it looks by itself; leave --queue out, or give \
             --queue postgres or nats://HOST:PORT"
        );
    }
}

/// Completes on SIGTERM or SIGINT; listens for them from the call on, not only once it is awaited,
/// so that none is missed that comes while the process starts.
pub fn stop_signal() -> impl Future<Output = std::io::Result<()>> + Send {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (mut terminate, mut interrupt) = (signals.0?, signals.1?);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
}

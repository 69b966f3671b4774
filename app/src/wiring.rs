//! The only file that names adapters.

use std::sync::Arc;

use anyhow::Context as _;
use groundcontrol_core::ports::{ApiTokenStore, Clock};
use groundcontrol_database::{DatabaseStore, Options};
use groundcontrol_http::HttpSettings;
use groundcontrol_memory::MemoryBroadcast;
pub use groundcontrol_websocket::SatelliteSockets;
use groundcontrol_websocket::SocketSettings;

use crate::config::Settings;
use crate::pod::GroundControl;

/// A pod on its adapters.
pub struct Wired {
    /// The pod.
    pub pod: GroundControl,
    /// The tokens of the HTTP API.
    pub api_tokens: Arc<dyn ApiTokenStore>,
    /// Store time.
    pub clock: Arc<dyn Clock>,
    /// The satellites' sockets.
    pub sockets: SatelliteSockets,
    store: DatabaseStore,
}

/// Opens the store, migrates it, and starts a pod on it.
pub async fn start(
    settings: &Settings,
    metrics: impl Fn() -> String + Send + Sync + 'static,
) -> anyhow::Result<Wired> {
    let store = DatabaseStore::open(settings.database.expose(), options(settings))
        .await
        .context("cannot open the database")?;
    let (shared, clock) = (Arc::new(store.clone()), store.clock());
    let pod = GroundControl::builder(
        shared.clone(),
        shared.clone(),
        clock.clone(),
        Arc::new(MemoryBroadcast::default()),
    )
    .name(settings.pod.clone())
    .liveness(settings.liveness)
    .timing(settings.timing)
    .metrics(metrics)
    .start()
    .await?;
    let most_waiting = settings.max_unauthenticated;
    let limits = SocketSettings { most_waiting, ..SocketSettings::default() };
    let sockets = SatelliteSockets::new(Arc::new(pod.clone()), limits);
    Ok(Wired { pod, api_tokens: shared, clock, sockets, store })
}

/// Applies the pending migrations, or only names them.
pub async fn migrate(settings: &Settings, only_name: bool) -> anyhow::Result<Vec<String>> {
    let (url, options) = (settings.database.expose(), options(settings));
    if !only_name {
        return groundcontrol_database::migrate(url, &options)
            .await
            .context("cannot migrate the database");
    }
    let steps = groundcontrol_database::migration_status(url, &options)
        .await
        .context("cannot read the state of the database")?;
    Ok(steps.into_iter().filter(|step| !step.applied).map(|step| step.name).collect())
}

fn options(settings: &Settings) -> Options {
    Options { password: settings.database_password.clone(), ..Options::default() }
}

impl Wired {
    /// The admin API, probes and documentation.
    pub fn http(&self) -> axum::Router {
        groundcontrol_http::router(Arc::new(self.pod.clone()), HttpSettings::default())
    }

    /// Closes the store, when nothing uses it any more.
    pub async fn close(self) {
        self.store.close().await;
    }
}

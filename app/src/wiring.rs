//! The only file that names adapters.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use groundcontrol_blobs::ObjectBlobs;
use groundcontrol_core::ports::{ApiTokenStore, BlobStore, Broadcast, Clock, RecurringWork};
use groundcontrol_database::{DatabaseStore, Options};
use groundcontrol_http::{HttpSettings, Services};
use groundcontrol_memory::{MemoryBroadcast, MemoryWork};
use groundcontrol_nats::{NatsQueue, NatsSettings, TlsClient};
use groundcontrol_postgres_queue::PostgresQueue;
pub use groundcontrol_websocket::SatelliteSockets;
use groundcontrol_websocket::SocketSettings;

use crate::agent::client_config;
use crate::config::{BlobSettings, NatsPlace, QueueSettings, Settings};
use crate::pod::{GroundControl, PackagePorts, RunPorts, WorkPorts};

/// How long a bucket may be silent before a call to it has failed.
const BUCKET_WITHIN: Duration = Duration::from_secs(30);

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

/// Opens the store, migrates it, opens the queue, and starts a pod on both.
pub async fn start(
    settings: &Settings,
    metrics: impl Fn() -> String + Send + Sync + 'static,
) -> anyhow::Result<Wired> {
    // Before anything is changed.
    if let QueueSettings::Nats(place) = &settings.queue {
        nats(place).check().await.context("cannot open the queue")?;
    }
    let store = DatabaseStore::open(settings.database.expose(), options(settings))
        .await
        .context("cannot open the database")?;
    // After the store, which takes a database with tables in it for that of somebody else.
    let (shared, clock) = (Arc::new(store.clone()), store.clock());
    let queue = Queue::open(settings, clock.clone()).await.context("cannot open the queue")?;
    let broadcast = queue.broadcast;
    let pod = GroundControl::builder(shared.clone(), shared.clone(), clock.clone(), broadcast)
        .recurring_work(queue.recurring_work)
        .work(WorkPorts {
            store: shared.clone(),
            source: shared.clone(),
            revisions: shared.clone(),
        })
        .packages(PackagePorts { store: shared.clone(), blobs: blobs(settings, &shared)? })
        .runs(RunPorts { sink: shared.clone(), store: shared.clone() })
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

/// Where the bytes of script packages are.
fn blobs(settings: &Settings, database: &Arc<DatabaseStore>) -> anyhow::Result<Arc<dyn BlobStore>> {
    Ok(match &settings.blobs {
        BlobSettings::Database => database.clone(),
        BlobSettings::Directory(path) => Arc::new(ObjectBlobs::directory(path)?),
        BlobSettings::Bucket { bucket, prefix } => {
            let tls = client_config(true, None)?;
            let http = reqwest::Client::builder()
                .use_preconfigured_tls(rustls::ClientConfig::clone(&tls))
                .connect_timeout(BUCKET_WITHIN)
                .read_timeout(BUCKET_WITHIN)
                .build()
                .context("cannot make a client for the bucket")?;
            Arc::new(ObjectBlobs::bucket(bucket, prefix, std::env::vars(), http)?)
        }
    })
}

/// What the pods of one fleet have in common beside the store.
struct Queue {
    broadcast: Arc<dyn Broadcast>,
    recurring_work: Arc<dyn RecurringWork>,
}

impl Queue {
    /// Opens the queue. One that cannot be reached keeps no pod from starting.
    async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Ok(match &settings.queue {
            QueueSettings::Memory => Self {
                broadcast: Arc::new(MemoryBroadcast::default()),
                recurring_work: Arc::new(MemoryWork::new(clock)),
            },
            QueueSettings::Postgres => {
                let password = settings.database_password.as_ref();
                Self::of(PostgresQueue::open(settings.database.expose(), password).await?)
            }
            QueueSettings::Nats(place) => Self::of(NatsQueue::open(&nats(place)).await?),
        })
    }

    fn of(queue: impl Broadcast + RecurringWork + 'static) -> Self {
        let queue = Arc::new(queue);
        Self { broadcast: queue.clone(), recurring_work: queue }
    }
}

fn nats(place: &NatsPlace) -> NatsSettings {
    let NatsPlace { servers, credentials, authorities, client, prefix } = place.clone();
    let defaults = NatsSettings::new(servers.expose());
    NatsSettings {
        credentials,
        authorities,
        client: client.map(|files| TlsClient { certificate: files.cert, key: files.key }),
        prefix: prefix.unwrap_or(defaults.prefix),
        ..defaults
    }
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
    let mut options =
        Options { password: settings.database_password.clone(), ..Options::default() };
    if let Some(file) = &settings.test_wall_clock {
        options.machine = options.machine.misled_by(file.clone());
    }
    options
}

impl Wired {
    /// The admin API, probes and documentation.
    pub fn http(&self) -> axum::Router {
        let pod = Arc::new(self.pod.clone());
        let services = Services { fleet: pod.clone(), work: pod.clone(), packages: pod };
        groundcontrol_http::router(services, HttpSettings::default())
    }

    /// Closes the store, when nothing uses it any more.
    pub async fn close(self) {
        self.store.close().await;
    }
}

//! The only file that names adapters.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use groundcontrol_blobs::ObjectBlobs;
use groundcontrol_core::ports::{
    ApiTokenStore, BlobStore, Broadcast, Clock, EventSink, RecurringWork, SatelliteStore,
    SecretSource,
};
use groundcontrol_core::time::Timestamp;
pub use groundcontrol_database::CheckstackSatellite;
use groundcontrol_database::{DatabaseStore, Options};
use groundcontrol_http::{CloudEvents, HttpSettings, Services};
use groundcontrol_memory::{MemoryBroadcast, MemoryWork};
use groundcontrol_nats::{NatsQueue, NatsSettings, NatsSink, SinkSubject, TlsClient};
use groundcontrol_postgres_queue::PostgresQueue;
use groundcontrol_secrets::{
    DirSecrets, EnvSecrets, Keys, SealedSecrets, VaultAuth, VaultSecrets, VaultSettings,
};
use groundcontrol_webhooks::{Targets, WebhookClient, WebhookSettings};
pub use groundcontrol_websocket::SatelliteSockets;
use groundcontrol_websocket::SocketSettings;
use secrecy::SecretString;

use secrecy::ExposeSecret as _;

use crate::agent::client_config;
use crate::config::{
    BlobSettings, EventSettings, NatsPlace, QueueSettings, SealingKeys, SecretSettings, Settings,
    VaultLogin, VaultPlace,
};
use crate::pod::{
    GroundControl, PackagePorts, RulePorts, RunPorts, SecretPorts, SinkPorts, WebhookPorts,
    WorkPorts,
};
use crate::secret_url::SecretUrl;

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
    let secrets = secrets(settings, &shared).context("cannot open the source of secrets")?;
    let mut builder =
        GroundControl::builder(shared.clone(), shared.clone(), clock.clone(), broadcast);
    if let Some(source) = secrets {
        builder = builder.secrets(SecretPorts { source, deliveries: shared.clone() });
    }
    let pod = builder
        .recurring_work(queue.recurring_work)
        .work(WorkPorts {
            store: shared.clone(),
            source: shared.clone(),
            revisions: shared.clone(),
        })
        .packages(PackagePorts { store: shared.clone(), blobs: blobs(settings, &shared)? })
        .runs(RunPorts { sink: shared.clone(), store: shared.clone() })
        .documents(settings.gitops.clone())
        .webhooks(WebhookPorts {
            store: shared.clone(),
            sender: Arc::new(webhook_client(settings)?),
        })
        .rules(RulePorts { store: shared.clone(), region_loss: settings.region_loss })
        .sinks(SinkPorts { store: shared.clone(), sinks: sinks(settings).await? })
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

/// The way to webhooks, on which events look as they do on the event stream.
fn webhook_client(settings: &Settings) -> anyhow::Result<WebhookClient> {
    let targets = Targets::allowing(settings.webhook_allow.clone());
    let tls = client_config(true, settings.webhook_authorities.as_deref())?;
    let tls = rustls::ClientConfig::clone(&tls);
    let settings = WebhookSettings { targets, ..WebhookSettings::default() };
    Ok(WebhookClient::new(Arc::new(CloudEvents), tls, settings)?)
}

/// Where all events go besides, written as they are on the event stream.
async fn sinks(settings: &Settings) -> anyhow::Result<Vec<Arc<dyn EventSink>>> {
    let Some(EventSettings { place, subject, jetstream }) = &settings.events else {
        return Ok(Vec::new());
    };
    let to = SinkSubject { subject: subject.clone(), jetstream: *jetstream };
    let sink = NatsSink::open(&nats(place), to, Arc::new(CloudEvents)).await;
    Ok(vec![Arc::new(sink.context("cannot use the place that --events names")?)])
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

/// Where secrets are; none where there are none.
fn secrets(
    settings: &Settings,
    store: &Arc<DatabaseStore>,
) -> anyhow::Result<Option<Arc<dyn SecretSource>>> {
    Ok(match &settings.secrets {
        SecretSettings::None => None,
        SecretSettings::Env(prefix) => Some(Arc::new(EnvSecrets::new(prefix))),
        SecretSettings::Dir(folder) => {
            let source = DirSecrets::new(folder);
            source.check()?;
            Some(Arc::new(source))
        }
        SecretSettings::Sealed(keys) => {
            Some(Arc::new(SealedSecrets::new(store.clone(), sealing_keys(keys)?)))
        }
        SecretSettings::Vault(place) => Some(Arc::new(vault(place)?)),
    })
}

fn sealing_keys(keys: &SealingKeys) -> anyhow::Result<Keys> {
    match keys {
        SealingKeys::File(path) => {
            let doing = || format!("cannot read the keys in {}", path.display());
            let text = zeroize::Zeroizing::new(std::fs::read_to_string(path).with_context(doing)?);
            Keys::parse(&text).with_context(doing)
        }
        SealingKeys::Variable(text) => Keys::parse(text.expose_secret())
            .context("cannot read the keys in GROUNDCONTROL_SECRETS_KEY"),
    }
}

fn vault(place: &VaultPlace) -> anyhow::Result<VaultSecrets> {
    const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
    let place = place.clone();
    let secure = place.address.scheme() == "https";
    let tls = client_config(secure, place.authorities.as_deref())?;
    let auth = match place.auth {
        VaultLogin::Token(token) => VaultAuth::Token(token),
        VaultLogin::TokenFile(path) => VaultAuth::TokenFile(path),
        VaultLogin::AppRole(role_id, secret_id_file) => {
            VaultAuth::AppRole { mount: "approle".to_owned(), role_id, secret_id_file }
        }
        VaultLogin::Kubernetes(role) => {
            let mount = "kubernetes".to_owned();
            VaultAuth::Kubernetes { mount, role, token_file: ACCOUNT.into() }
        }
    };
    Ok(VaultSecrets::open(VaultSettings {
        address: place.address.expose().to_owned(),
        tls: rustls::ClientConfig::clone(&tls),
        auth,
        mount: place.mount,
        path: place.path,
        field: place.field,
        namespace: place.namespace,
    })?)
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

/// The satellites of the Checkstack database at `from`.
pub async fn checkstack_satellites(
    from: &SecretUrl,
    password: Option<&SecretString>,
) -> anyhow::Result<Vec<CheckstackSatellite>> {
    groundcontrol_database::checkstack_satellites(from.expose(), password)
        .await
        .context("cannot read the satellites of Checkstack")
}

/// A store without a server around it.
pub struct BareStore(DatabaseStore);

impl BareStore {
    /// Opens the store and brings its schema up to date; where it is `only_read`, a schema that is
    /// not up to date is refused, and none is answered where there is no database yet.
    pub async fn open(settings: &Settings, only_read: bool) -> anyhow::Result<Option<Self>> {
        if only_read {
            let file = settings.database.expose().trim_start_matches("sqlite:");
            let file = Path::new(file.trim_start_matches("//"));
            if settings.database.is_file() && !file.exists() {
                return Ok(None);
            }
            let pending = migrate(settings, true).await?;
            if !pending.is_empty() {
                anyhow::bail!(
                    "the database lacks {} of this version's schema steps; run `groundcontrol \
                     migrate` first",
                    pending.len()
                );
            }
        }
        let opened = DatabaseStore::open(settings.database.expose(), options(settings)).await;
        opened.context("cannot open the database").map(|store| Some(Self(store)))
    }

    /// Its satellites.
    pub fn satellites(&self) -> &dyn SatelliteStore {
        &self.0
    }

    /// Store time.
    pub fn now(&self) -> Timestamp {
        self.0.clock().now()
    }

    /// Closes it.
    pub async fn close(self) {
        self.0.close().await;
    }
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
        let services = Services {
            fleet: pod.clone(),
            work: pod.clone(),
            packages: pod.clone(),
            secrets: pod.clone(),
            webhooks: pod.clone(),
            rules: pod,
        };
        groundcontrol_http::router(services, HttpSettings::default())
    }

    /// Closes the store, when nothing uses it any more.
    pub async fn close(self) {
        self.store.close().await;
    }
}

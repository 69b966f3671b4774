//! Flags, environment and file, in this order, become validated settings.

mod queue;
mod events;
mod span;
mod blobs;
mod secrets;
mod error;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use groundcontrol_core::automation::RegionLossSettings;
use groundcontrol_core::limits::{
    DEFAULT_REGION_LOSS_SHARE, DEFAULT_REGION_LOSS_WINDOW, HEARTBEAT_INTERVAL,
    MAX_REGION_LOSS_WINDOW, OFFLINE_THRESHOLD,
};
use groundcontrol_core::satellite::{InvalidThreshold, Liveness, PodName};
use groundcontrol_core::time::Millis;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::Deserialize;

use crate::gitops::{Folder, Follow};
use crate::pod::Timing;
use crate::secret_url::SecretUrl;
pub use blobs::{BlobSettings, NotAPlace};
pub use error::ConfigError;
pub use events::EventSettings;
pub use queue::{NatsPlace, QueueSettings};
pub use secrets::{SealingKeys, SecretSettings, VaultLogin, VaultPlace};
pub use span::Span;

/// What `serve` may be told; every field that is absent has a default. The same names, in kebab
/// case, are the keys of the TOML file.
#[derive(Clone, Debug, Default, clap::Args, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "GROUNDCONTROL_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Folder for the embedded database and the first API token [default: ./groundcontrol-data]
    #[arg(long, env = "GROUNDCONTROL_DATA_DIR", value_name = "PATH")]
    pub data_dir: Option<PathBuf>,
    /// The store: sqlite://PATH of a file, or postgres://USER:PASSWORD@HOST/DATABASE, which many
    /// pods may share [default: sqlite:// and groundcontrol.db under the data folder]
    #[arg(long, env = "GROUNDCONTROL_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<SecretUrl>,
    /// File with the password for the database server, in place of one in its URL
    #[arg(long, env = "GROUNDCONTROL_DATABASE_PASSWORD_FILE", value_name = "PATH")]
    pub database_password_file: Option<PathBuf>,
    /// How pods tell each other to look again: memory (one pod only), postgres (in the database),
    /// or nats://HOST:PORT,… [default: memory; postgres where the database is a server]
    #[arg(long, env = "GROUNDCONTROL_QUEUE", value_name = "QUEUE", hide_env_values = true)]
    pub queue: Option<SecretUrl>,
    /// Credentials file for NATS, as nsc makes it
    #[arg(long, env = "GROUNDCONTROL_QUEUE_CREDENTIALS_FILE", value_name = "PATH")]
    pub queue_credentials_file: Option<PathBuf>,
    /// PEM file with the authorities that NATS's certificate is checked against [default: the
    /// system's]
    #[arg(long, env = "GROUNDCONTROL_QUEUE_CA_FILE", value_name = "PATH")]
    pub queue_ca_file: Option<PathBuf>,
    /// PEM file with this pod's certificate chain for NATS
    #[arg(long, env = "GROUNDCONTROL_QUEUE_TLS_CERT", value_name = "PATH")]
    pub queue_tls_cert: Option<PathBuf>,
    /// PEM file with that certificate's private key
    #[arg(long, env = "GROUNDCONTROL_QUEUE_TLS_KEY", value_name = "PATH")]
    pub queue_tls_key: Option<PathBuf>,
    /// What subjects and streams in NATS begin with; one for each fleet [default: groundcontrol]
    #[arg(long, env = "GROUNDCONTROL_QUEUE_PREFIX", value_name = "NAME")]
    pub queue_prefix: Option<String>,
    /// Where the bytes of script packages are kept: database, dir:PATH of a folder that all pods
    /// share, or s3://BUCKET/PREFIX with the environment's AWS_… settings [default: database]
    #[arg(long, env = "GROUNDCONTROL_BLOBS", value_name = "PLACE")]
    pub blobs: Option<BlobSettings>,
    /// Where secrets for satellites are: env:PREFIX (variables), dir:PATH (files), sealed (in the
    /// database), or vault:URL (HashiCorp Vault, OpenBao) [default: nowhere]
    #[arg(long, env = "GROUNDCONTROL_SECRETS", value_name = "SOURCE", hide_env_values = true)]
    pub secrets: Option<SecretUrl>,
    /// File with the keys for --secrets sealed, lines ID:KEY (32 bytes in base64): the first
    /// seals, all open; or set GROUNDCONTROL_SECRETS_KEY
    #[arg(long, env = "GROUNDCONTROL_SECRETS_KEY_FILE", value_name = "PATH")]
    pub secrets_key_file: Option<PathBuf>,
    /// File with a token for the vault; or set GROUNDCONTROL_VAULT_TOKEN
    #[arg(long, env = "GROUNDCONTROL_VAULT_TOKEN_FILE", value_name = "PATH")]
    pub vault_token_file: Option<PathBuf>,
    /// AppRole to log in to the vault with
    #[arg(long, env = "GROUNDCONTROL_VAULT_ROLE_ID", value_name = "ID")]
    pub vault_role_id: Option<String>,
    /// File with the secret id of that AppRole
    #[arg(long, env = "GROUNDCONTROL_VAULT_SECRET_ID_FILE", value_name = "PATH")]
    pub vault_secret_id_file: Option<PathBuf>,
    /// Role to log in to the vault with as a service account of Kubernetes
    #[arg(long, env = "GROUNDCONTROL_VAULT_KUBERNETES_ROLE", value_name = "NAME")]
    pub vault_kubernetes_role: Option<String>,
    /// Where the KV engine, version 2, is mounted [default: secret]
    #[arg(long, env = "GROUNDCONTROL_VAULT_MOUNT", value_name = "PATH")]
    pub vault_mount: Option<String>,
    /// Path in the engine below which each secret is an entry [default: groundcontrol]
    #[arg(long, env = "GROUNDCONTROL_VAULT_PATH", value_name = "PATH")]
    pub vault_path: Option<String>,
    /// Field of an entry that holds the value [default: value]
    #[arg(long, env = "GROUNDCONTROL_VAULT_FIELD", value_name = "NAME")]
    pub vault_field: Option<String>,
    /// Namespace of the vault
    #[arg(long, env = "GROUNDCONTROL_VAULT_NAMESPACE", value_name = "NAME")]
    pub vault_namespace: Option<String>,
    /// PEM file with authorities to check the vault's certificate against, beside the system's
    #[arg(long, env = "GROUNDCONTROL_VAULT_CA_FILE", value_name = "PATH")]
    pub vault_ca_file: Option<PathBuf>,
    /// The keys for `sealed`, where the environment gives them.
    #[arg(skip)]
    #[serde(skip)]
    pub secrets_key: Option<SecretString>,
    /// The token for the vault, where the environment gives it.
    #[arg(skip)]
    #[serde(skip)]
    pub vault_token: Option<SecretString>,
    /// This pod's name, unique among those that run at once [default: host name and a random suffix]
    #[arg(long, env = "GROUNDCONTROL_POD", value_name = "NAME")]
    pub pod: Option<String>,
    /// How often satellites send heartbeats, set for all pods [default: 15s]
    #[arg(long, env = "GROUNDCONTROL_HEARTBEAT_INTERVAL", value_name = "DURATION")]
    pub heartbeat_interval: Option<Span>,
    /// How long silence may last before a satellite counts as offline, unless it has a threshold
    /// of its own; at least two heartbeat intervals [default: 45s]
    #[arg(long, env = "GROUNDCONTROL_OFFLINE_THRESHOLD", value_name = "DURATION")]
    pub offline_threshold: Option<Span>,
    /// PEM file with the certificate chain; with --tls-key, TLS is on. Reloaded when it changes
    #[arg(long, env = "GROUNDCONTROL_TLS_CERT", value_name = "PATH")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key. Reloaded when it changes
    #[arg(long, env = "GROUNDCONTROL_TLS_KEY", value_name = "PATH")]
    pub tls_key: Option<PathBuf>,
    /// Networks whose X-Forwarded-For is believed, separated by commas [default: none]
    #[arg(
        long,
        env = "GROUNDCONTROL_TRUSTED_PROXIES",
        value_name = "CIDR,…",
        value_delimiter = ','
    )]
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Networks that webhooks may lead to besides public addresses, separated by commas [default:
    /// none]
    #[arg(long, env = "GROUNDCONTROL_WEBHOOK_ALLOW", value_name = "CIDR,…", value_delimiter = ',')]
    pub webhook_allow: Option<Vec<IpNet>>,
    /// PEM file with authorities to check the certificates of webhooks' receivers against, beside
    /// the system's
    #[arg(long, env = "GROUNDCONTROL_WEBHOOK_CA_FILE", value_name = "PATH")]
    pub webhook_ca_file: Option<PathBuf>,
    /// A subject of NATS that all events go to: nats://HOST:PORT/SUBJECT, with ?jetstream where a
    /// stream must store each [default: none]
    #[arg(long, env = "GROUNDCONTROL_EVENTS", value_name = "URL", hide_env_values = true)]
    pub events: Option<SecretUrl>,
    /// Credentials file for that NATS, as nsc makes it
    #[arg(long, env = "GROUNDCONTROL_EVENTS_CREDENTIALS_FILE", value_name = "PATH")]
    pub events_credentials_file: Option<PathBuf>,
    /// PEM file with authorities to check its certificate against, in place of the system's
    #[arg(long, env = "GROUNDCONTROL_EVENTS_CA_FILE", value_name = "PATH")]
    pub events_ca_file: Option<PathBuf>,
    /// The loss of a region is suspected once more than this many hundredths of its satellites fall
    /// silent within the window; 100 never suspects it [default: 50]
    #[arg(long, env = "GROUNDCONTROL_REGION_LOSS_SHARE", value_name = "PERCENT")]
    pub region_loss_share: Option<u64>,
    /// Within how much time satellites must fall silent for the loss of their region to be suspected
    /// [default: 2m]
    #[arg(long, env = "GROUNDCONTROL_REGION_LOSS_WINDOW", value_name = "DURATION")]
    pub region_loss_window: Option<Span>,
    /// How long SIGTERM waits for sockets to close before it cuts them off [default: 15s]
    #[arg(long, env = "GROUNDCONTROL_DRAIN_TIMEOUT", value_name = "DURATION")]
    pub drain_timeout: Option<Span>,
    /// How long a satellite's history is kept [default: 365days]
    #[arg(long, env = "GROUNDCONTROL_TRANSITION_RETENTION", value_name = "DURATION")]
    pub transition_retention: Option<Span>,
    /// How long results of checks are kept [default: 30days]
    #[arg(long, env = "GROUNDCONTROL_RESULT_RETENTION", value_name = "DURATION")]
    pub result_retention: Option<Span>,
    /// Sockets that may wait for their first message at once [default: 16384]
    #[arg(long, env = "GROUNDCONTROL_MAX_UNAUTHENTICATED", value_name = "NUMBER")]
    pub max_unauthenticated: Option<usize>,
    /// Folder of YAML documents that satellites, systems, checks and assignments are kept by; may
    /// be a link that is swapped, as git-sync makes it [default: none]
    #[arg(long, env = "GROUNDCONTROL_GITOPS", value_name = "PATH")]
    pub gitops: Option<PathBuf>,
    /// Removes what documents made once no document describes it any more; only with --gitops
    #[arg(long, env = "GROUNDCONTROL_GITOPS_PRUNE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub gitops_prune: Option<bool>,
    /// Logs as text or json [default: text]
    #[arg(long, env = "GROUNDCONTROL_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to log, as error, warn, info, debug, trace or target=level,… [default: info]
    #[arg(long, env = "GROUNDCONTROL_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// For tests: a file that says by how many milliseconds the wall clock is to be off
    #[arg(long, env = "GROUNDCONTROL_TEST_WALL_CLOCK", value_name = "PATH", hide = true)]
    pub test_wall_clock: Option<PathBuf>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Settings that have been checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Folder for the embedded database and the first API token.
    pub data_dir: PathBuf,
    /// URL of the database.
    pub database: SecretUrl,
    /// The password for the database, where a file gave it.
    pub database_password: Option<SecretString>,
    /// The queue.
    pub queue: QueueSettings,
    /// Where the bytes of script packages are kept.
    pub blobs: BlobSettings,
    /// Where secrets for satellites are.
    pub secrets: SecretSettings,
    /// This pod's name.
    pub pod: PodName,
    /// Heartbeat interval and default threshold.
    pub liveness: Liveness,
    /// Certificate and key files.
    pub tls: Option<TlsFiles>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks that webhooks may lead to besides public addresses.
    pub webhook_allow: Vec<IpNet>,
    /// PEM file with the authorities of webhooks' receivers that are trusted beside the system's.
    pub webhook_authorities: Option<PathBuf>,
    /// When the loss of a region is suspected.
    pub region_loss: RegionLossSettings,
    /// Where all events go besides.
    pub events: Option<EventSettings>,
    /// How long the pod waits for what.
    pub timing: Timing,
    /// Sockets that may wait for their first message at once.
    pub max_unauthenticated: usize,
    /// The folder of documents that is followed.
    pub gitops: Option<Follow>,
    /// For tests: the file that misleads the wall clock.
    pub test_wall_clock: Option<PathBuf>,
    /// The first API token, where the environment gives it.
    pub admin_token: Option<SecretString>,
}

/// Where certificate chain and private key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file with the certificate chain.
    pub cert: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

impl Options {
    /// The options in a TOML file.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Malformed {
            path: path.into(),
            source: Box::new(source),
        })
    }

    /// These options, with those of `file` where they are absent.
    #[must_use]
    pub fn or(self, file: Self) -> Self {
        Self {
            listen: self.listen.or(file.listen),
            data_dir: self.data_dir.or(file.data_dir),
            database: self.database.or(file.database),
            database_password_file: self.database_password_file.or(file.database_password_file),
            queue: self.queue.or(file.queue),
            queue_credentials_file: self.queue_credentials_file.or(file.queue_credentials_file),
            queue_ca_file: self.queue_ca_file.or(file.queue_ca_file),
            queue_tls_cert: self.queue_tls_cert.or(file.queue_tls_cert),
            queue_tls_key: self.queue_tls_key.or(file.queue_tls_key),
            queue_prefix: self.queue_prefix.or(file.queue_prefix),
            blobs: self.blobs.or(file.blobs),
            secrets: self.secrets.or(file.secrets),
            secrets_key_file: self.secrets_key_file.or(file.secrets_key_file),
            vault_token_file: self.vault_token_file.or(file.vault_token_file),
            vault_role_id: self.vault_role_id.or(file.vault_role_id),
            vault_secret_id_file: self.vault_secret_id_file.or(file.vault_secret_id_file),
            vault_kubernetes_role: self.vault_kubernetes_role.or(file.vault_kubernetes_role),
            vault_mount: self.vault_mount.or(file.vault_mount),
            vault_path: self.vault_path.or(file.vault_path),
            vault_field: self.vault_field.or(file.vault_field),
            vault_namespace: self.vault_namespace.or(file.vault_namespace),
            vault_ca_file: self.vault_ca_file.or(file.vault_ca_file),
            secrets_key: self.secrets_key.or(file.secrets_key),
            vault_token: self.vault_token.or(file.vault_token),
            pod: self.pod.or(file.pod),
            heartbeat_interval: self.heartbeat_interval.or(file.heartbeat_interval),
            offline_threshold: self.offline_threshold.or(file.offline_threshold),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            webhook_allow: self.webhook_allow.or(file.webhook_allow),
            webhook_ca_file: self.webhook_ca_file.or(file.webhook_ca_file),
            events: self.events.or(file.events),
            events_credentials_file: self.events_credentials_file.or(file.events_credentials_file),
            events_ca_file: self.events_ca_file.or(file.events_ca_file),
            region_loss_share: self.region_loss_share.or(file.region_loss_share),
            region_loss_window: self.region_loss_window.or(file.region_loss_window),
            drain_timeout: self.drain_timeout.or(file.drain_timeout),
            transition_retention: self.transition_retention.or(file.transition_retention),
            result_retention: self.result_retention.or(file.result_retention),
            max_unauthenticated: self.max_unauthenticated.or(file.max_unauthenticated),
            gitops: self.gitops.or(file.gitops),
            gitops_prune: self.gitops_prune.or(file.gitops_prune),
            log_format: self.log_format.or(file.log_format),
            log: self.log.or(file.log),
            test_wall_clock: self.test_wall_clock.or(file.test_wall_clock),
        }
    }

    /// Settings with defaults for what is absent; `suffix` makes the pod's default name unique.
    pub fn resolve(
        self,
        admin_token: Option<SecretString>,
        suffix: &str,
    ) -> Result<Settings, ConfigError> {
        let data_dir = self.data_dir.clone();
        let data_dir = data_dir.unwrap_or_else(|| PathBuf::from("groundcontrol-data"));
        let database = self.database.clone().unwrap_or_else(|| in_folder(&data_dir));
        if !database.is_file() && !database.is_server() {
            return Err(ConfigError::Database(database));
        }
        let queue = queue::queue(&self, &database)?;
        let secrets = secrets::secrets(&self)?;
        let events = events::events(&self)?;
        let defaults = Timing::default();
        let drain_timeout = self.drain_timeout.map_or(defaults.drain_timeout, |span| span.0);
        let timing = Timing {
            drain_timeout,
            drain_spread: defaults.drain_spread.min(Millis::new(drain_timeout.get() / 3)),
            transition_retention: retention(
                "--transition-retention",
                self.transition_retention,
                defaults.transition_retention,
            )?,
            run_retention: retention(
                "--result-retention",
                self.result_retention,
                defaults.run_retention,
            )?,
            ..defaults
        };
        Ok(Settings {
            listen: self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            data_dir,
            database,
            database_password: self.database_password_file.map(password).transpose()?,
            queue,
            blobs: self.blobs.unwrap_or_default(),
            secrets,
            pod: pod_name(self.pod, suffix)?,
            liveness: liveness(self.heartbeat_interval, self.offline_threshold)?,
            tls: tls_files(self.tls_cert, self.tls_key)?,
            trusted_proxies: self.trusted_proxies.unwrap_or_default(),
            webhook_allow: self.webhook_allow.unwrap_or_default(),
            webhook_authorities: self.webhook_ca_file,
            events,
            region_loss: region_loss(self.region_loss_share, self.region_loss_window)?,
            timing,
            max_unauthenticated: self.max_unauthenticated.unwrap_or(16_384).max(1),
            gitops: follow(self.gitops, self.gitops_prune)?,
            test_wall_clock: self.test_wall_clock,
            admin_token,
        })
    }
}

fn region_loss(
    share: Option<u64>,
    window: Option<Span>,
) -> Result<RegionLossSettings, ConfigError> {
    let share_percent = share.unwrap_or(DEFAULT_REGION_LOSS_SHARE);
    if !(1..=100).contains(&share_percent) {
        return Err(ConfigError::RegionLossShare(share_percent));
    }
    let window = window.map_or(DEFAULT_REGION_LOSS_WINDOW, |span| span.0);
    if !(Millis::from_secs(1)..=MAX_REGION_LOSS_WINDOW).contains(&window) {
        return Err(ConfigError::RegionLossWindow);
    }
    Ok(RegionLossSettings { share_percent, window })
}

fn in_folder(data_dir: &Path) -> SecretUrl {
    let url = format!("sqlite://{}", data_dir.join("groundcontrol.db").display());
    let Ok(url) = url.parse();
    url
}

/// The first line of a file that is nobody else's business.
pub(crate) fn password(path: PathBuf) -> Result<SecretString, ConfigError> {
    let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let text = read.map(zeroize::Zeroizing::new);
    let line = text.as_ref().map(|text| text.lines().next().unwrap_or_default());
    match line {
        Ok("") => Err(ConfigError::Password { path, why: "its first line is empty".to_owned() }),
        Ok(line) => Ok(line.into()),
        Err(why) => Err(ConfigError::Password { path, why: why.clone() }),
    }
}

fn retention(
    flag: &'static str,
    given: Option<Span>,
    default: Millis,
) -> Result<Millis, ConfigError> {
    match given {
        None => Ok(default),
        Some(Span(span)) if span >= Millis::from_secs(3_600) => Ok(span),
        Some(_) => Err(ConfigError::Retention(flag)),
    }
}

fn follow(folder: Option<PathBuf>, prune: Option<bool>) -> Result<Option<Follow>, ConfigError> {
    let prune = prune.unwrap_or_default();
    match folder {
        Some(folder) => Ok(Some(Follow { folder: Folder::new(folder), prune })),
        None if prune => Err(ConfigError::PruneWithoutFolder),
        None => Ok(None),
    }
}

fn liveness(interval: Option<Span>, threshold: Option<Span>) -> Result<Liveness, ConfigError> {
    let interval = interval.map_or(HEARTBEAT_INTERVAL, |span| span.0);
    let threshold = threshold.map_or(OFFLINE_THRESHOLD, |span| span.0);
    Liveness::new(interval, threshold).map_err(|why| ConfigError::Liveness {
        flag: match why {
            InvalidThreshold::IntervalTooShort => "--heartbeat-interval",
            InvalidThreshold::TooShort { .. } | InvalidThreshold::TooLong => "--offline-threshold",
        },
        why,
    })
}

fn tls_files(cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<TlsFiles>, ConfigError> {
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(ConfigError::HalfTls),
    }
}

fn pod_name(given: Option<String>, suffix: &str) -> Result<PodName, ConfigError> {
    let name = match given {
        Some(name) => name,
        None => {
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let host = host.trim();
            format!("{}-{suffix}", if host.is_empty() { "pod" } else { host })
        }
    };
    let checked: Result<groundcontrol_core::satellite::Name, _> = name.parse();
    checked.map(|name| PodName::new(name.as_str())).map_err(|_| ConfigError::PodName)
}

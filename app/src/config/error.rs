//! Why settings are refused.

use std::path::PathBuf;

use groundcontrol_core::satellite::InvalidThreshold;

use crate::secret_url::SecretUrl;

/// Why settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML, or has an unknown key or a bad value.
    #[error("the configuration file {path} is not understood")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Only one of certificate and key is given.
    #[error("--tls-cert and --tls-key belong together; give both or neither")]
    HalfTls,
    /// Interval and threshold do not fit.
    #[error("{flag} {why}")]
    Liveness {
        /// The flag at fault.
        flag: &'static str,
        /// What is wrong.
        why: InvalidThreshold,
    },
    /// A place that no events can go to.
    #[error(
        "--events {0} is not understood: give nats://HOST:PORT/SUBJECT, or \
        nats://HOST:PORT/SUBJECT?jetstream where a stream must store each event"
    )]
    Events(SecretUrl),
    /// A flag that means nothing without another.
    #[error("{0} means nothing without --events")]
    OfEventsAlone(&'static str),
    /// A share that is none.
    #[error("--region-loss-share {0} is out of range: give hundredths from 1 to 100")]
    RegionLossShare(u64),
    /// A window that is none.
    #[error("--region-loss-window must be from 1s to 1day")]
    RegionLossWindow,
    /// A kind of database that this build does not have.
    #[error(
        "--database {0} is not supported: use sqlite://PATH, or \
         postgres://USER:PASSWORD@HOST/DATABASE"
    )]
    Database(SecretUrl),
    /// The file with the database's password cannot be read, or is empty.
    #[error("cannot read a password from the file {path} of --database-password-file: {why}")]
    Password {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A kind of queue that this build does not have.
    #[error("--queue {0} is not supported: use memory, postgres, or nats://HOST:PORT")]
    Queue(SecretUrl),
    /// A queue in a database that is a file.
    #[error(
        "--queue postgres needs a --database postgres://…, which {0} is not: leave --queue out, \
         or use nats://HOST:PORT"
    )]
    QueueWithoutServer(SecretUrl),
    /// An option of NATS, where the queue is another.
    #[error("{0} is for NATS alone: leave it out, or give --queue nats://HOST:PORT")]
    OfNatsAlone(&'static str),
    /// Only one of certificate and key for NATS is given.
    #[error("--queue-tls-cert and --queue-tls-key belong together; give both or neither")]
    HalfQueueTls,
    /// A kind of source of secrets that this build does not have. What was given is not shown.
    #[error("--secrets is not understood: use env:PREFIX, dir:PATH, sealed, or vault:URL")]
    Secrets,
    /// Nothing to seal with.
    #[error("--secrets sealed needs --secrets-key-file, or GROUNDCONTROL_SECRETS_KEY")]
    NoSealingKey,
    /// A key that nothing is sealed with.
    #[error("--secrets-key-file is for --secrets sealed alone: leave it out, or give that")]
    OfSealedAlone,
    /// Nobody to log in as, or several.
    #[error(
        "--secrets vault:URL needs one way to log in: --vault-token-file or \
         GROUNDCONTROL_VAULT_TOKEN, --vault-role-id with --vault-secret-id-file, or \
         --vault-kubernetes-role"
    )]
    VaultLogin,
    /// An option of a vault, where the source is another.
    #[error("{0} is for a vault alone: leave it out, or give --secrets vault:URL")]
    OfVaultAlone(&'static str),
    /// A name that could not be stored.
    #[error("--pod must have 1 to 200 characters and no control characters")]
    PodName,
    /// Pruning by no documents.
    #[error("--gitops-prune belongs to --gitops: give a folder of documents, too")]
    PruneWithoutFolder,
    /// A retention of nothing.
    #[error("{0} must be at least one hour")]
    Retention(&'static str),
}

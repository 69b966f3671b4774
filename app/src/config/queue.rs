//! Which queue the pods share, and how it is reached.

use std::fmt;
use std::path::PathBuf;

use super::{ConfigError, Options, TlsFiles};
use crate::secret_url::SecretUrl;

/// How pods tell each other to look again, and share recurring work.
#[derive(Clone, Debug)]
pub enum QueueSettings {
    /// Within this process: for one pod.
    Memory,
    /// In the database that is the store.
    Postgres,
    /// Through NATS.
    Nats(NatsPlace),
}

/// Where NATS is, and who this pod is to it.
#[derive(Clone, Debug)]
pub struct NatsPlace {
    /// One server or several of a cluster, separated by commas.
    pub servers: SecretUrl,
    /// A credentials file, as `nsc` makes it.
    pub credentials: Option<PathBuf>,
    /// PEM file with the authorities that are trusted, in place of the system's.
    pub authorities: Option<PathBuf>,
    /// What this pod proves itself with in TLS.
    pub client: Option<TlsFiles>,
    /// What all subjects and streams begin with, where it is not the adapter's default.
    pub prefix: Option<String>,
}

impl fmt::Display for QueueSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Postgres => f.write_str("postgres"),
            Self::Nats(place) => place.servers.fmt(f),
        }
    }
}

/// The queue that the options name: without a name, the database where that is a server.
pub(super) fn queue(options: &Options, database: &SecretUrl) -> Result<QueueSettings, ConfigError> {
    let queue = match options.queue.as_ref() {
        None if database.is_server() => QueueSettings::Postgres,
        None => QueueSettings::Memory,
        Some(given) => match given.expose() {
            "memory" => QueueSettings::Memory,
            "postgres" if database.is_server() => QueueSettings::Postgres,
            "postgres" => return Err(ConfigError::QueueWithoutServer(database.clone())),
            _ => QueueSettings::Nats(nats(given, options)?),
        },
    };
    match (&queue, of_nats_alone(options)) {
        (QueueSettings::Memory | QueueSettings::Postgres, Some(flag)) => {
            Err(ConfigError::OfNatsAlone(flag))
        }
        (QueueSettings::Memory | QueueSettings::Postgres | QueueSettings::Nats(_), _) => Ok(queue),
    }
}

fn nats(given: &SecretUrl, options: &Options) -> Result<NatsPlace, ConfigError> {
    if !given.is_nats() {
        return Err(ConfigError::Queue(given.clone()));
    }
    let client = match (options.queue_tls_cert.clone(), options.queue_tls_key.clone()) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(ConfigError::HalfQueueTls),
    };
    Ok(NatsPlace {
        servers: given.clone(),
        credentials: options.queue_credentials_file.clone(),
        authorities: options.queue_ca_file.clone(),
        client,
        prefix: options.queue_prefix.clone(),
    })
}

/// A flag that was given and means nothing to any other queue.
fn of_nats_alone(options: &Options) -> Option<&'static str> {
    let given = [
        ("--queue-credentials-file", options.queue_credentials_file.is_some()),
        ("--queue-ca-file", options.queue_ca_file.is_some()),
        ("--queue-tls-cert", options.queue_tls_cert.is_some()),
        ("--queue-tls-key", options.queue_tls_key.is_some()),
        ("--queue-prefix", options.queue_prefix.is_some()),
    ];
    given.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "postgres://me:hush@db/x";
    const FILE: &str = "sqlite:///x.db";

    fn asked(database: &str, queue: Option<&str>, more: Options) -> Result<String, String> {
        let options = Options {
            database: database.parse().ok(),
            queue: queue.and_then(|queue| queue.parse().ok()),
            ..more
        };
        let settings = options.resolve(None, "x1").map_err(|error| error.to_string())?;
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hush"), "{shown}");
        Ok(settings.queue.to_string())
    }

    #[test]
    fn pods_meet_in_their_database_where_it_is_a_server_unless_told_otherwise() {
        let meet = |database, queue| asked(database, queue, Options::default());
        assert_eq!(meet(FILE, None).as_deref(), Ok("memory"));
        assert_eq!(meet(SERVER, None).as_deref(), Ok("postgres"));
        assert_eq!(meet(SERVER, Some("postgres")).as_deref(), Ok("postgres"));
        assert_eq!(meet(SERVER, Some("memory")).as_deref(), Ok("memory"));
        let nats = meet(FILE, Some("nats://me:hush@one:4222,tls://two"));
        assert_eq!(nats.as_deref(), Ok("nats://…@one:4222,tls://two"));
    }

    #[test]
    fn a_queue_that_cannot_be_is_refused_with_what_could_be() {
        let refused =
            |database, queue| asked(database, Some(queue), Options::default()).unwrap_err();
        let without = refused(FILE, "postgres");
        assert!(without.contains("--database") && without.contains("x.db"), "{without}");
        for queue in ["redis://me:hush@host", "rabbit", "nats", ""] {
            let unknown = refused(SERVER, queue);
            assert!(unknown.contains("nats://HOST") && !unknown.contains("hush"), "{unknown}");
        }
    }

    #[test]
    fn what_only_nats_can_use_is_refused_for_any_other_queue_by_name() {
        let file = || Some(PathBuf::from("file"));
        let none = Options::default;
        let all = [
            ("--queue-credentials-file", Options { queue_credentials_file: file(), ..none() }),
            ("--queue-ca-file", Options { queue_ca_file: file(), ..none() }),
            ("--queue-tls-cert", Options { queue_tls_cert: file(), ..none() }),
            ("--queue-tls-key", Options { queue_tls_key: file(), ..none() }),
            ("--queue-prefix", Options { queue_prefix: Some("one".to_owned()), ..none() }),
        ];
        for (flag, options) in all {
            let refused = asked(SERVER, None, options).unwrap_err();
            assert!(refused.starts_with(flag), "{refused}");
        }
    }

    #[test]
    fn half_of_a_client_s_certificate_is_refused() {
        let half = Options { queue_tls_key: Some("key.pem".into()), ..Options::default() };
        let refused = asked(SERVER, Some("tls://one"), half).unwrap_err();
        assert!(refused.contains("--queue-tls-cert"), "{refused}");
    }
}

//! Opening a database: where it is, how it is connected to, which schema it has.

mod error;
mod sqlite;
mod postgres;
mod schema;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::ports::Clock;
use secrecy::SecretString;

pub use error::OpenError;
pub use schema::MigrationStep;

use crate::clock::MachineTime;
use crate::database::Database;
use crate::dialect::Dialect;
use crate::postgres::{Address, Readers, ServerLimits, Writer};

/// How a database is opened. The defaults suit a server of a hundred thousand satellites.
#[derive(Clone)]
pub struct Options {
    /// Connections that read at the same time.
    pub readers: u32,
    /// How long a statement waits for a lock that another process holds on a database file.
    pub busy_timeout: Duration,
    /// Memory that the connection which writes to a file may use for pages, in KiB; each that
    /// reads may use an eighth.
    pub cache_kib: u32,
    /// How long anything may take on a server.
    pub limits: ServerLimits,
    /// The password for a server, in place of one in the URL.
    pub password: Option<SecretString>,
    /// The clocks of this machine that store time is made with.
    pub machine: MachineTime,
    /// Store time itself, in place of that of [`DatabaseClock`](crate::DatabaseClock) or
    /// [`ServerClock`](crate::ServerClock): for tests whose time is their own.
    pub clock: Option<Arc<dyn Clock>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            cache_kib: 64 * 1024,
            limits: ServerLimits::default(),
            password: None,
            machine: MachineTime::system(),
            clock: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("readers", &self.readers)
            .field("busy_timeout", &self.busy_timeout)
            .field("cache_kib", &self.cache_kib)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A database that is open, migrated, and has one connection that writes.
pub(crate) struct Opened {
    pub(crate) writer: Database,
    pub(crate) reader: Database,
    /// Held for as long as the database is written to.
    pub(crate) lock: Option<std::fs::File>,
}

/// Opens the database at `url` and brings its schema up to date.
pub(crate) async fn open(url: &str, options: &Options) -> Result<Opened, OpenError> {
    match Place::of(url)? {
        Place::File(path) => {
            let (writer, lock) = sqlite::open_writer(&path, options).await?;
            schema::bring_up_to_date(&writer, Dialect::Sqlite).await?;
            let reader = sqlite::open_readers(&path, options).await?;
            let (writer, reader) = (Database::file(writer), Database::file(reader));
            Ok(Opened { writer, reader, lock: Some(lock) })
        }
        Place::Server(url) => {
            let address = address(&url, options)?;
            postgres::bring_up_to_date(&address).await?;
            let reader = Database::readers(Readers::new(&address, options.readers));
            Ok(Opened { writer: Database::writer(Writer::new(address)), reader, lock: None })
        }
    }
}

/// Brings the schema of the database at `url` up to date and answers the steps that were run, in
/// order. Makes a file where there is none; refuses while a server has it open.
pub async fn migrate(url: &str, options: &Options) -> Result<Vec<String>, OpenError> {
    match Place::of(url)? {
        Place::File(path) => {
            let (writer, _lock) = sqlite::open_writer(&path, options).await?;
            let done = schema::bring_up_to_date(&writer, Dialect::Sqlite).await;
            Database::file(writer).close().await;
            done
        }
        Place::Server(url) => postgres::bring_up_to_date(&address(&url, options)?).await,
    }
}

/// The steps of the schema and whether each was applied to the database at `url`, in order.
pub async fn migration_status(
    url: &str,
    options: &Options,
) -> Result<Vec<MigrationStep>, OpenError> {
    match Place::of(url)? {
        Place::File(path) => {
            let (writer, _lock) = sqlite::open_writer(&path, options).await?;
            let status = schema::status(&writer, Dialect::Sqlite).await;
            Database::file(writer).close().await;
            status
        }
        Place::Server(url) => postgres::status(&address(&url, options)?).await,
    }
}

fn address(url: &str, options: &Options) -> Result<Address, OpenError> {
    let address = Address::of(url, options.password.as_ref(), options.limits);
    address.map_err(|why| OpenError::ServerUrl { why })
}

/// What a URL points to.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    File(std::path::PathBuf),
    Server(String),
}

impl Place {
    fn of(url: &str) -> Result<Self, OpenError> {
        let refused = || OpenError::Url { scheme: scheme(url).to_owned() };
        match scheme(url) {
            "sqlite" => {
                let path = &url["sqlite:".len()..];
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() || path == ":memory:" || path.contains(['?', '#']) {
                    return Err(refused());
                }
                Ok(Self::File(path.into()))
            }
            "postgres" | "postgresql" => Ok(Self::Server(url.to_owned())),
            _ => Err(refused()),
        }
    }
}

/// The scheme only: the rest of a URL may hold a password.
fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_or_a_server() {
        let file = |url| match Place::of(url) {
            Ok(Place::File(path)) => path.display().to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(file("sqlite:///var/lib/gc.db"), "/var/lib/gc.db");
        assert_eq!(file("sqlite://data/gc.db"), "data/gc.db");
        assert_eq!(file("sqlite:gc.db"), "gc.db");
        assert!(matches!(Place::of("postgres://localhost/gc"), Ok(Place::Server(_))));
    }

    #[test]
    fn a_url_that_is_neither_is_refused_without_repeating_a_password() {
        for url in ["", "mysql://root:secret@host/db", "sqlite:", "sqlite::memory:", "sqlite:a?b"] {
            let error = Place::of(url).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}

//! Where the database is, and how statements reach it, none of which may take for ever.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use groundcontrol_core::ports::{QueueError, QueueResult};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::ConnectOptions as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow, Postgres};
use sqlx::query::Query;
use tokio::time::{sleep, timeout};

/// No statement, and no connecting, takes longer; a connection on which one does is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Connections for sending and for jobs.
const CONNECTIONS: u32 = 2;
/// The delay after a first failure; doubled with each further one …
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// … up to this.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// The URL of the queue's database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "the URL of the queue's database is not understood ({detail}); give \
     postgres://USER:PASSWORD@HOST/DATABASE"
)]
pub struct AddressError {
    /// What is wrong with it, without any part of it.
    detail: String,
}

/// A database and its user. Shows none of it.
pub(crate) struct Address(PgConnectOptions);

impl Address {
    pub(crate) fn of(url: &str, password: Option<&SecretString>) -> Result<Self, AddressError> {
        if !["postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(AddressError { detail: "it does not begin with postgres://".to_owned() });
        }
        let options = PgConnectOptions::from_str(url);
        let mut options = options
            .map_err(|error| AddressError { detail: error.to_string() })?
            .disable_statement_logging();
        if let Some(password) = password {
            options = options.password(password.expose_secret());
        }
        if options.get_application_name().is_none() {
            options = options.application_name("groundcontrol queue");
        }
        Ok(Self(options))
    }

    /// At most `connections`, each made when it is needed.
    pub(crate) fn pool(&self, connections: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(self.0.clone())
    }
}

/// Connections for statements that stand alone.
pub(crate) struct Connections(PgPool);

impl Connections {
    pub(crate) fn to(address: &Address) -> Self {
        Self(address.pool(CONNECTIONS))
    }

    /// Runs a statement; whether it was done is open where this fails.
    pub(crate) async fn rows(
        &self,
        doing: &'static str,
        query: Query<'_, Postgres, PgArguments>,
    ) -> QueueResult<Vec<PgRow>> {
        let connection = timeout(PATIENCE, self.0.acquire()).await;
        let connection = connection.map_err(|_| unavailable(doing, &"no connection in time"))?;
        let mut connection = connection.map_err(|error| unavailable(doing, &error))?;
        match timeout(PATIENCE, query.fetch_all(&mut *connection)).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                give_up(connection);
                Err(unavailable(doing, &error))
            }
            Err(_) => {
                give_up(connection);
                Err(unavailable(doing, &"no answer in time"))
            }
        }
    }
}

/// Closes a connection at once: the pool would ask one that hangs whether it is well.
fn give_up(connection: PoolConnection<Postgres>) {
    drop(connection.detach());
}

pub(crate) fn unavailable(doing: &'static str, detail: &dyn fmt::Display) -> QueueError {
    QueueError::Unavailable { doing, detail: detail.to_string() }
}

/// Growing delays between attempts.
pub(crate) struct Delays(Duration);

impl Delays {
    pub(crate) const fn new() -> Self {
        Self(FIRST_DELAY)
    }

    /// Waits, so that members which failed together do not all come back together.
    pub(crate) async fn wait(&mut self) {
        let delay = self.0;
        self.0 = (delay * 2).min(LONGEST_DELAY);
        sleep(delay.mul_f64(rand::random_range(0.5..1.0))).await;
    }
}

//! The one connection that writes.

use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::{DbErr, QueryResult, SqlxError, Value};
use tokio::sync::Mutex;

use super::statement::{all, execute, is_broken, is_lost, run, wrapped};
use super::{Address, ServerLimits};

/// A connection that is made by [`begin`](Self::begin) where there is none, and by nothing else:
/// what belongs to a transaction never goes to another connection.
#[derive(Debug)]
pub(crate) struct Writer {
    address: Address,
    connection: Mutex<Option<PgConnection>>,
}

impl Writer {
    pub(crate) fn new(address: Address) -> Self {
        Self { address, connection: Mutex::default() }
    }

    /// Begins a transaction. A connection that was lost since the last one is replaced.
    pub(crate) async fn begin(&self) -> Result<(), DbErr> {
        if self.run("BEGIN").await.is_ok() {
            return Ok(());
        }
        self.renew().await?;
        self.run("BEGIN").await
    }

    /// Makes a fresh connection in place of the one that there is.
    async fn renew(&self) -> Result<(), DbErr> {
        let mut connection = self.connection.lock().await;
        *connection = None;
        *connection = Some(self.address.connect().await.map_err(wrapped)?);
        Ok(())
    }

    /// Runs statements without parameters.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), DbErr> {
        let limit = self.limit();
        self.on_connection(async |connection| run(connection, limit, sql).await).await
    }

    /// Runs a statement and answers how many rows it changed.
    pub(crate) async fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, DbErr> {
        let limit = self.limit();
        self.on_connection(async |connection| execute(connection, limit, sql, values).await).await
    }

    /// Runs a statement and answers its rows.
    pub(crate) async fn all(&self, sql: &str, values: &[Value]) -> Result<Vec<QueryResult>, DbErr> {
        let limit = self.limit();
        self.on_connection(async |connection| all(connection, limit, sql, values).await).await
    }

    /// Closes the connection; the server undoes what is open on it.
    pub(crate) async fn drop_connection(&self) {
        *self.connection.lock().await = None;
    }

    async fn on_connection<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, SqlxError>,
    ) -> Result<T, DbErr> {
        let mut slot = self.connection.lock().await;
        let Some(mut connection) = slot.take() else {
            return Err(wrapped(SqlxError::Protocol("the connection was lost before".to_owned())));
        };
        let done = work(&mut connection).await;
        // Also where this future is dropped half-way, no connection in doubt is used again.
        if !done.as_ref().is_err_and(is_broken) {
            *slot = Some(connection);
        }
        done.map_err(wrapped)
    }

    fn limit(&self) -> Duration {
        self.address.limits.statement + ServerLimits::SILENCE
    }
}

/// Whether a transaction whose commit met this error may have been committed.
pub(crate) fn may_be_committed(error: &SqlxError) -> bool {
    match error {
        // A server that says why, and is not about to end, has undone it.
        SqlxError::Database(reason) => {
            is_lost(error)
                || reason.code().is_none_or(|code| {
                    code == "40003"
                        || ["57P", "58", "XX"].iter().any(|class| code.starts_with(class))
                })
        }
        _ => true,
    }
}

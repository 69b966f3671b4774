//! A pool of connections together with the dialect that they speak.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, QueryResult, Statement, Value};
use serde::Serialize;

use crate::dialect::Dialect;
use crate::error::Failure;

/// Runs statements with `$1`, `$2` … as placeholders, which both databases understand.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) connection: DatabaseConnection,
    pub(crate) dialect: Dialect,
}

impl Database {
    /// Runs a statement and answers how many rows it changed.
    pub(crate) async fn execute<const N: usize>(
        &self,
        sql: impl Into<String>,
        values: [Value; N],
    ) -> Result<u64, Failure> {
        let done = self.connection.execute_raw(self.statement(sql, values)).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.failure(error))
    }

    /// Runs a statement and answers its rows.
    pub(crate) async fn all(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>, Failure> {
        let rows = self.connection.query_all_raw(self.statement(sql, values)).await;
        rows.map_err(|error| self.failure(error))
    }

    /// Runs a statement and answers its first row.
    pub(crate) async fn one<const N: usize>(
        &self,
        sql: impl Into<String>,
        values: [Value; N],
    ) -> Result<Option<QueryResult>, Failure> {
        let row = self.connection.query_one_raw(self.statement(sql, values)).await;
        row.map_err(|error| self.failure(error))
    }

    /// Closes one connection, so that the pool makes a fresh one: for a connection whose state is
    /// not known any more.
    pub(crate) async fn renew_connection(&self) {
        let closed = match self.dialect {
            Dialect::Sqlite => match self.connection.get_sqlite_connection_pool().acquire().await {
                Ok(connection) => connection.close().await,
                Err(error) => Err(error),
            },
            Dialect::Postgres => {
                match self.connection.get_postgres_connection_pool().acquire().await {
                    Ok(connection) => connection.close().await,
                    Err(error) => Err(error),
                }
            }
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "could not close a database connection in an unknown state");
        }
    }

    /// What the driver's error means here.
    pub(crate) fn failure(&self, error: DbErr) -> Failure {
        Failure::of(error, self.dialect)
    }

    fn statement(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Statement {
        Statement::from_sql_and_values(self.dialect.backend(), sql, values)
    }
}

/// `value` as JSON text, for a column or as the parameter of many rows.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Corrupt(error.to_string()))
}

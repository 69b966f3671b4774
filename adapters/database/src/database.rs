//! A database as the rest of this crate speaks to it, with its dialect.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, QueryResult, Statement, Value};
use serde::Serialize;

use crate::dialect::{Dialect, Lock};
use crate::error::{self, Failure};
use crate::postgres::{Readers, Writer, may_be_committed};

/// Runs statements with `$1`, `$2` … as placeholders, which both databases understand. Clones are
/// the same.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    link: Link,
    pub(crate) dialect: Dialect,
}

/// The connections behind it.
#[derive(Clone, Debug)]
enum Link {
    /// A file: some that read, or the one that writes.
    File(DatabaseConnection),
    /// Those of a server that read.
    Readers(Arc<Readers>),
    /// The one of a server that writes.
    Writer(Arc<Writer>),
}

impl Database {
    pub(crate) fn file(connection: DatabaseConnection) -> Self {
        Self { link: Link::File(connection), dialect: Dialect::Sqlite }
    }

    pub(crate) fn readers(readers: Readers) -> Self {
        Self { link: Link::Readers(Arc::new(readers)), dialect: Dialect::Postgres }
    }

    pub(crate) fn writer(writer: Writer) -> Self {
        Self { link: Link::Writer(Arc::new(writer)), dialect: Dialect::Postgres }
    }

    /// The server that this reads from, if it is one.
    pub(crate) fn server(&self) -> Option<Arc<Readers>> {
        match &self.link {
            Link::Readers(readers) => Some(Arc::clone(readers)),
            Link::File(_) | Link::Writer(_) => None,
        }
    }

    /// Runs a statement and answers how many rows it changed.
    pub(crate) async fn execute(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, Failure> {
        let (sql, values): (String, Vec<Value>) = (sql.into(), values.into_iter().collect());
        let done = match &self.link {
            Link::File(connection) => {
                let done = connection.execute_raw(self.statement(sql, values)).await;
                done.map(|done| done.rows_affected())
            }
            Link::Writer(writer) => writer.execute(&sql, &values).await,
            Link::Readers(_) => Err(DbErr::Custom("a reader was asked to write".to_owned())),
        };
        done.map_err(|error| self.failure(error))
    }

    /// Runs a statement and answers its rows.
    pub(crate) async fn all(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>, Failure> {
        let (sql, values): (String, Vec<Value>) = (sql.into(), values.into_iter().collect());
        let rows = match &self.link {
            Link::File(connection) => connection.query_all_raw(self.statement(sql, values)).await,
            Link::Writer(writer) => writer.all(&sql, &values).await,
            Link::Readers(readers) => readers.all(&sql, &values).await,
        };
        rows.map_err(|error| self.failure(error))
    }

    /// Runs a statement and answers its first row.
    pub(crate) async fn one(
        &self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<QueryResult>, Failure> {
        self.all(sql, values).await.map(|rows| rows.into_iter().next())
    }

    /// Begins a transaction that will write. SQLite takes its write lock at once, so that a busy
    /// database is noticed before anything is done.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        let begun = match &self.link {
            Link::File(connection) => run(connection, "BEGIN IMMEDIATE").await,
            Link::Writer(writer) => writer.begin().await,
            Link::Readers(_) => Err(DbErr::Custom("a reader was asked to write".to_owned())),
        };
        begun.map_err(|error| self.failure(error))
    }

    /// Commits. Where the database cannot be heard of, nobody knows whether it did.
    pub(crate) async fn commit(&self) -> Result<(), Failure> {
        let committed = match &self.link {
            Link::File(connection) => run(connection, "COMMIT").await,
            Link::Writer(writer) => writer.run("COMMIT").await,
            Link::Readers(_) => return Ok(()),
        };
        committed.map_err(|error| {
            let unknown = match (self.dialect, error::sqlx_error(&error)) {
                (Dialect::Postgres, Some(error)) => may_be_committed(error),
                (Dialect::Sqlite, _) | (Dialect::Postgres, None) => error::lost_connection(&error),
            };
            if unknown { Failure::OutcomeUnknown(error) } else { self.failure(error) }
        })
    }

    /// Leaves no transaction open. SQLite undoes some on its own and then says that there is none;
    /// a connection that says anything else is given up for a fresh one.
    pub(crate) async fn roll_back(&self) {
        match &self.link {
            Link::File(connection) => match run(connection, "ROLLBACK").await {
                Ok(()) => {}
                Err(error) if error::detail(&error).contains("no transaction is active") => {}
                Err(_) => renew(connection).await,
            },
            Link::Writer(writer) => {
                if writer.run("ROLLBACK").await.is_err() {
                    writer.drop_connection().await;
                }
            }
            Link::Readers(_) => {}
        }
    }

    /// Runs statements without parameters.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), Failure> {
        let done = match &self.link {
            Link::File(connection) => run(connection, sql).await,
            Link::Writer(writer) => writer.run(sql).await,
            Link::Readers(readers) => readers.all(sql, &[]).await.map(drop),
        };
        done.map_err(|error| self.failure(error))
    }

    /// Takes a lock until the transaction ends, where transactions are many.
    pub(crate) async fn lock(&self, lock: Lock) -> Result<(), Failure> {
        match self.dialect.lock(lock) {
            Some(sql) => self.run(&sql).await,
            None => Ok(()),
        }
    }

    /// Closes it for all clones; what it is asked later fails.
    pub(crate) async fn close(&self) {
        match &self.link {
            Link::File(connection) => {
                if let Err(error) = connection.close_by_ref().await {
                    tracing::warn!(%error, "could not close the database");
                }
            }
            Link::Readers(readers) => readers.close().await,
            Link::Writer(writer) => writer.drop_connection().await,
        }
    }

    /// What the driver's error means here.
    pub(crate) fn failure(&self, error: DbErr) -> Failure {
        Failure::of(error, self.dialect)
    }

    fn statement(&self, sql: String, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.dialect.backend(), sql, values)
    }
}

async fn run(connection: &DatabaseConnection, sql: &str) -> Result<(), DbErr> {
    connection.execute_unprepared(sql).await.map(drop)
}

/// Closes one connection to a file, so that the pool makes a fresh one: for a connection whose
/// state is not known any more.
async fn renew(connection: &DatabaseConnection) {
    let closed = match connection.get_sqlite_connection_pool().acquire().await {
        Ok(connection) => connection.close().await,
        Err(error) => Err(error),
    };
    if let Err(error) = closed {
        tracing::warn!(%error, "could not close a database connection in an unknown state");
    }
}

/// `value` as JSON text, for a column or as the parameter of many rows.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Corrupt(error.to_string()))
}

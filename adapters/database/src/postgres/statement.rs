//! One statement on one connection.

use std::future::Future;
use std::io;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnection, PgQueryResult, PgRow};
use sea_orm::sqlx::{self, AssertSqlSafe, Executor as _};
use sea_orm::{DbErr, QueryResult, RuntimeErr, SqlxError, Value};

use super::parameters::arguments;

/// What a server says when it ends a connection.
const ENDED: &[&str] = &["57P01", "57P02", "25P03", "57P05"];

/// Runs a statement and answers its rows.
pub(super) async fn all(
    connection: &mut PgConnection,
    limit: Duration,
    sql: &str,
    values: &[Value],
) -> Result<Vec<QueryResult>, SqlxError> {
    let arguments = arguments(values.to_vec())?;
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
    let rows: Vec<PgRow> = within(limit, query.fetch_all(connection)).await?;
    Ok(rows.into_iter().map(QueryResult::from).collect())
}

/// Runs a statement and answers how many rows it changed.
pub(super) async fn execute(
    connection: &mut PgConnection,
    limit: Duration,
    sql: &str,
    values: &[Value],
) -> Result<u64, SqlxError> {
    let arguments = arguments(values.to_vec())?;
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
    let done: PgQueryResult = within(limit, query.execute(connection)).await?;
    Ok(done.rows_affected())
}

/// Runs statements without parameters.
pub(super) async fn run(
    connection: &mut PgConnection,
    limit: Duration,
    sql: &str,
) -> Result<(), SqlxError> {
    let statements = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    within(limit, connection.execute(statements)).await.map(drop)
}

/// `answer`, or an error where it does not come in time: a server that was cut off says nothing.
pub(crate) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, SqlxError>>,
) -> Result<T, SqlxError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(SqlxError::Io(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the database server did not answer within {limit:?}"),
        ))),
    }
}

/// Whether the connection is of no use any more.
pub(super) fn is_broken(error: &SqlxError) -> bool {
    is_lost(error) || matches!(error, SqlxError::Io(_))
}

/// Whether the connection was lost, and another is worth a try. A server that did not answer in
/// time has had its time.
pub(crate) fn is_lost(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(error) => error.kind() != io::ErrorKind::TimedOut,
        SqlxError::Protocol(_) | SqlxError::WorkerCrashed => true,
        SqlxError::Database(error) => error
            .code()
            .is_some_and(|code| ENDED.contains(&code.as_ref()) || code.starts_with("08")),
        _ => false,
    }
}

/// As sea-orm would wrap it.
pub(super) fn wrapped(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

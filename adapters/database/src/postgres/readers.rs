//! The connections that read.

use std::fmt;
use std::time::Duration;

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::postgres::{PgConnection, PgPool, PgPoolOptions, Postgres};
use sea_orm::{DbErr, QueryResult, SqlxError, Value};

use super::statement::{all, is_broken, is_lost, wrapped};
use super::{Address, ServerLimits};

const TIME: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// A pool of connections for statements that change nothing, and that may so be repeated.
pub(crate) struct Readers {
    pool: PgPool,
    limits: ServerLimits,
    most: u32,
}

impl Readers {
    /// A pool of up to `most` connections, which are made when they are needed.
    pub(crate) fn new(address: &Address, most: u32) -> Self {
        let (limits, most) = (address.limits, most.max(1));
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(limits.acquire)
            .idle_timeout(limits.idle)
            .max_lifetime(limits.age)
            .test_before_acquire(false)
            .connect_lazy_with(address.everyday());
        Self { pool, limits, most }
    }

    /// Runs a statement and answers its rows. After the server was restarted every connection may
    /// turn out to be lost: each is tried before it is given up.
    pub(crate) async fn all(&self, sql: &str, values: &[Value]) -> Result<Vec<QueryResult>, DbErr> {
        let mut lost = 0;
        loop {
            match self.attempt(sql, values).await {
                Err(error) if is_lost(&error) && lost < self.most => lost += 1,
                done => return done.map_err(wrapped),
            }
        }
    }

    async fn attempt(&self, sql: &str, values: &[Value]) -> Result<Vec<QueryResult>, SqlxError> {
        let mut lent = self.lend().await?;
        let read = all(lent.connection()?, self.limit(), sql, values).await;
        if read.as_ref().is_err_and(is_broken) {
            lent.discard();
        }
        read
    }

    /// One connection, for longer than a statement.
    pub(crate) async fn lend(&self) -> Result<Lent, SqlxError> {
        let connection = self.pool.acquire().await?;
        Ok(Lent { connection: Some(connection), limit: self.limit() })
    }

    pub(crate) async fn close(&self) {
        // Connections that are in use, or do not answer, are left to themselves.
        tokio::time::timeout(ServerLimits::SILENCE, self.pool.close()).await.ok();
    }

    fn limit(&self) -> Duration {
        self.limits.statement + ServerLimits::SILENCE
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("most", &self.most).finish_non_exhaustive()
    }
}

/// A connection of the pool, which takes it back when this is dropped.
pub(crate) struct Lent {
    /// Present until it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    limit: Duration,
}

impl Lent {
    fn connection(&mut self) -> Result<&mut PgConnection, SqlxError> {
        self.connection.as_deref_mut().ok_or(SqlxError::PoolClosed)
    }

    /// The server's time in microseconds since 1970, as it is while the statement runs.
    pub(crate) async fn told_time(&mut self) -> Result<i64, SqlxError> {
        let limit = self.limit;
        let rows = all(self.connection()?, limit, TIME, &[]).await?;
        let row = rows.first().ok_or(SqlxError::RowNotFound)?;
        row.try_get_by_index(0).map_err(|error| SqlxError::Decode(error.to_string().into()))
    }

    /// Closes the connection, and lets the pool make another.
    pub(crate) fn discard(mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

impl Drop for Lent {
    /// The pool asks a connection for a sign of life before it takes it back, and would wait for
    /// that without end.
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let limit = self.limit;
            tokio::spawn(async move {
                tokio::time::timeout(limit, connection.return_to_pool()).await.ok();
            });
        }
    }
}

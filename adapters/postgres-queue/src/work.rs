//! Recurring work: one row a job, conditional writes, the database's time.

use async_trait::async_trait;
use groundcontrol_core::ports::{Job, QueueError, QueueResult, RecurringWork, Run, Turn};
use groundcontrol_core::time::Millis;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::queue::PostgresQueue;

/// Milliseconds until a job is free; none, or none left, where it may be claimed.
const WAIT: &str = "
    SELECT ceil(1000 * extract(epoch FROM free_at - clock_timestamp()))::bigint
    FROM groundcontrol_queue_jobs WHERE name = $1";
/// Of several at once one writes; the others wait for its commit and find the job taken.
const CLAIM: &str = "
    INSERT INTO groundcontrol_queue_jobs AS job (name, token, claimed_at, held, free_at)
    VALUES ($1, 0, clock_timestamp(), true,
            clock_timestamp() + $2::float8 * interval '1 millisecond')
    ON CONFLICT (name) DO UPDATE SET
        token = job.token + 1, claimed_at = clock_timestamp(), held = true,
        free_at = clock_timestamp() + $2::float8 * interval '1 millisecond'
    WHERE job.free_at <= clock_timestamp()
    RETURNING token";
const RENEW: &str = "
    UPDATE groundcontrol_queue_jobs
    SET free_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
    WHERE name = $1 AND token = $2 AND held RETURNING token";
const FINISH: &str = "
    UPDATE groundcontrol_queue_jobs
    SET held = false, free_at = claimed_at + $3::float8 * interval '1 millisecond'
    WHERE name = $1 AND token = $2 AND held RETURNING token";

/// Others who claim at the same moment have it; how they fare is soon known.
const OVERTAKEN: Millis = Millis::new(10);

#[async_trait]
impl RecurringWork for PostgresQueue {
    async fn claim(&self, job: Job, lease: Millis) -> QueueResult<Turn> {
        let (doing, name) = ("claim a job", job.name.as_str());
        let connections = &self.shared.connections;
        let found = connections.rows(doing, sqlx::query(WAIT).bind(name)).await?;
        let wait: Option<i64> = found.first().map(|row| number(doing, row)).transpose()?;
        if let Some(wait) = wait.and_then(|wait| u64::try_from(wait).ok()).filter(|wait| *wait > 0)
        {
            return Ok(Turn::NotBefore(Millis::new(wait)));
        }
        let claim = sqlx::query(CLAIM).bind(name).bind(millis(lease));
        match connections.rows(doing, claim).await?.first() {
            None => Ok(Turn::NotBefore(OVERTAKEN)),
            Some(row) => {
                let token = number(doing, row)?.cast_unsigned();
                Ok(Turn::Yours(Run { job, token }))
            }
        }
    }

    async fn renew(&self, run: &Run, lease: Millis) -> QueueResult<bool> {
        let renew = sqlx::query(RENEW).bind(run.job.name.as_str()).bind(run.token.cast_signed());
        let renewed = self.shared.connections.rows("renew a job", renew.bind(millis(lease)));
        Ok(!renewed.await?.is_empty())
    }

    async fn finish(&self, run: Run) -> QueueResult<bool> {
        let finish = sqlx::query(FINISH).bind(run.job.name.as_str()).bind(run.token.cast_signed());
        let finish = finish.bind(millis(run.job.every));
        let finished = self.shared.connections.rows("finish a job", finish);
        Ok(!finished.await?.is_empty())
    }
}

fn millis(span: Millis) -> f64 {
    span.get() as f64
}

fn number(doing: &'static str, row: &PgRow) -> QueueResult<i64> {
    row.try_get(0).map_err(|error| QueueError::Corrupt {
        doing,
        detail: format!("a row of groundcontrol_queue_jobs: {error}"),
    })
}

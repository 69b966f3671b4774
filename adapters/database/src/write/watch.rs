//! Watch leases and the span that they make (rule T5).

use async_trait::async_trait;
use groundcontrol_core::connection::WatchSpan;
use groundcontrol_core::satellite::PodName;
use groundcontrol_core::time::{Millis, Timestamp};
use sea_orm::Value;

use super::job::Write;
use super::transitions::Recording;
use crate::database::Database;
use crate::error::Failure;
use crate::rows::{Columns, watch_span};

/// Renews a pod's lease.
pub(crate) struct RenewWatch {
    pub(crate) pod: PodName,
    pub(crate) now: Timestamp,
    pub(crate) lease: Millis,
}

/// Ends a pod's lease.
pub(crate) struct EndWatch {
    pub(crate) pod: PodName,
    pub(crate) now: Timestamp,
}

#[async_trait]
impl Write for RenewWatch {
    type Output = WatchSpan;
    const DOING: &'static str = "renew the watch lease";
    const CHANGES_WATCHING: bool = true;

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<WatchSpan, Failure> {
        let span = WatchSpan::renewed(read_span(database).await?, self.now, self.lease);
        // The leases of pods that died would otherwise stay for ever.
        let expire = "DELETE FROM watch_leases WHERE until < $1";
        database.execute(expire, [self.now.as_millis().into()]).await?;
        let renew = "INSERT INTO watch_leases (pod, until) VALUES ($1, $2) \
            ON CONFLICT (pod) DO UPDATE SET until = excluded.until \
            WHERE excluded.until > watch_leases.until";
        let until = (self.now + self.lease).as_millis();
        let values: [Value; 2] = [self.pod.as_str().into(), until.into()];
        database.execute(renew, values).await?;
        write_span(database, span).await?;
        Ok(span)
    }
}

#[async_trait]
impl Write for EndWatch {
    type Output = ();
    const DOING: &'static str = "end the watch lease";
    const CHANGES_WATCHING: bool = true;

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let end = "DELETE FROM watch_leases WHERE pod = $1 RETURNING until";
        let own = database.one(end, [self.pod.as_str().into()]).await?;
        let Some(own) = own else { return Ok(()) };
        let own = Timestamp::from_millis(Columns::of(&own, "watch lease").int()?);
        let last = match database.one("SELECT max(until) FROM watch_leases", []).await? {
            Some(row) => Columns::of(&row, "watch lease").opt_time()?,
            None => None,
        };
        let last = last.map_or(own.min(self.now), |last| last.max(own.min(self.now)));
        if let Some(span) = read_span(database).await? {
            write_span(database, WatchSpan { until: span.until.min(last), ..span }).await?;
        }
        Ok(())
    }
}

async fn read_span(database: &Database) -> Result<Option<WatchSpan>, Failure> {
    match database.one("SELECT since, until FROM watch_span", []).await? {
        Some(row) => watch_span(&mut Columns::of(&row, "watch span")),
        None => Ok(None),
    }
}

async fn write_span(database: &Database, span: WatchSpan) -> Result<(), Failure> {
    let upsert = "INSERT INTO watch_span (singleton, since, until) VALUES (1, $1, $2) \
        ON CONFLICT (singleton) DO UPDATE SET since = excluded.since, until = excluded.until";
    let values = [span.since.as_millis().into(), span.until.as_millis().into()];
    database.execute(upsert, values).await.map(drop)
}

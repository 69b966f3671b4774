//! The port of sinks: which call goes where, and what it reads.

use async_trait::async_trait;
use groundcontrol_core::ports::{EventCursor, SinkClaim, SinkName, SinkStore, StoreResult};
use groundcontrol_core::satellite::PodName;
use groundcontrol_core::time::{Millis, Timestamp};

use crate::database::Database;
use crate::error::Failure;
use crate::rows::Columns;
use crate::store::{DatabaseStore, doing};
use crate::write::{ClaimSink, MakeSink, ReleaseSink, SinkReached};

#[async_trait]
impl SinkStore for DatabaseStore {
    async fn sink_cursor(&self, sink: &SinkName) -> StoreResult<Option<EventCursor>> {
        let known = doing("read where a sink is", cursor(self.reader(), sink).await)?;
        match known {
            Some(position) => Ok(place(position)),
            None => Ok(place(self.writer().write(MakeSink(sink.clone())).await?)),
        }
    }

    async fn claim_sink(
        &self,
        sink: &SinkName,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<Option<SinkClaim>> {
        let (sink, pod, until) = (sink.clone(), pod.clone(), now + lease);
        self.writer().write(ClaimSink { sink, pod, now, until }).await
    }

    async fn sink_reached(
        &self,
        claim: &SinkClaim,
        reached: Option<EventCursor>,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<bool> {
        let until = now + lease;
        self.writer().write(SinkReached { claim: claim.clone(), reached, until }).await
    }

    async fn release_sink(&self, claim: &SinkClaim) -> StoreResult<()> {
        self.writer().write(ReleaseSink(claim.clone())).await
    }
}

/// The position; none where the sink was never asked for.
async fn cursor(database: &Database, sink: &SinkName) -> Result<Option<u64>, Failure> {
    let sql = "SELECT cursor_position FROM event_sinks WHERE name = $1";
    let row = database.one(sql, [sink.as_str().into()]).await?;
    row.map(|row| Columns::of(&row, "sink").count()).transpose()
}

/// Before the first event there is no place.
pub(crate) fn place(position: u64) -> Option<EventCursor> {
    (position > 0).then_some(EventCursor { commit: 0, position })
}

//! Feeding a sink: claims, and how far it came.

use async_trait::async_trait;
use groundcontrol_core::ports::{EventCursor, SinkClaim, SinkName};
use groundcontrol_core::satellite::PodName;
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;

use super::job::Write;
use super::transitions::Recording;
use crate::database::Database;
use crate::error::Failure;
use crate::rows::Columns;
use crate::sinks::place;

/// Makes a sink that begins with what happens from now on; answers its position.
pub(crate) struct MakeSink(pub(crate) SinkName);

/// Claims a sink.
pub(crate) struct ClaimSink {
    pub(crate) sink: SinkName,
    pub(crate) pod: PodName,
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
}

/// Moves a sink's cursor.
pub(crate) struct SinkReached {
    pub(crate) claim: SinkClaim,
    pub(crate) reached: Option<EventCursor>,
    pub(crate) until: Timestamp,
}

/// Gives a claim back.
pub(crate) struct ReleaseSink(pub(crate) SinkClaim);

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[async_trait]
impl Write for MakeSink {
    type Output = u64;
    const DOING: &'static str = "remember a sink";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<u64, Failure> {
        let name: Value = self.0.as_str().into();
        let make = "INSERT INTO event_sinks (name, cursor_position, lease_token) \
            SELECT $1, COALESCE(MAX(position), 0), 0 FROM transitions WHERE true \
            ON CONFLICT DO NOTHING";
        database.execute(make, [name.clone()]).await?;
        let read = "SELECT cursor_position FROM event_sinks WHERE name = $1";
        match database.one(read, [name]).await? {
            Some(row) => Columns::of(&row, "sink").count(),
            None => Ok(0),
        }
    }
}

#[async_trait]
impl Write for ClaimSink {
    type Output = Option<SinkClaim>;
    const DOING: &'static str = "claim a sink";

    async fn write(
        &self,
        database: &Database,
        _: &mut Recording,
    ) -> Result<Option<SinkClaim>, Failure> {
        let name: Value = self.sink.as_str().into();
        let claim = "UPDATE event_sinks SET lease_pod = $2, lease_until = $3, \
            lease_token = lease_token + 1 WHERE name = $1 \
            AND (lease_until IS NULL OR lease_until <= $4)";
        let values: [Value; 4] = [
            name.clone(),
            self.pod.to_string().into(),
            self.until.as_millis().into(),
            self.now.as_millis().into(),
        ];
        if database.execute(claim, values).await? == 0 {
            return Ok(None);
        }
        let read = "SELECT lease_token, cursor_position FROM event_sinks WHERE name = $1";
        let Some(row) = database.one(read, [name]).await? else { return Ok(None) };
        let columns = &mut Columns::of(&row, "sink");
        let (token, cursor) = (columns.count()?, place(columns.count()?));
        Ok(Some(SinkClaim { sink: self.sink.clone(), token, cursor }))
    }
}

#[async_trait]
impl Write for SinkReached {
    type Output = bool;
    const DOING: &'static str = "remember how far a sink came";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let moved = "UPDATE event_sinks SET cursor_position = $3, lease_until = $4 \
            WHERE name = $1 AND lease_token = $2";
        let values: [Value; 4] = [
            self.claim.sink.as_str().into(),
            signed(self.claim.token).into(),
            signed(self.reached.map_or(0, |cursor| cursor.position)).into(),
            self.until.as_millis().into(),
        ];
        database.execute(moved, values).await.map(|rows| rows == 1)
    }
}

#[async_trait]
impl Write for ReleaseSink {
    type Output = ();
    const DOING: &'static str = "give back the claim of a sink";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let release = "UPDATE event_sinks SET lease_pod = NULL, lease_until = NULL \
            WHERE name = $1 AND lease_token = $2";
        let values: [Value; 2] = [self.0.sink.as_str().into(), signed(self.0.token).into()];
        database.execute(release, values).await.map(drop)
    }
}

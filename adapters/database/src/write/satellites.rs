//! Making, describing and removing satellites.

use async_trait::async_trait;
use groundcontrol_core::desired::Manager;
use groundcontrol_core::ports::{
    CreateOutcome, NewSatellite, Removal, SatelliteUpdate, UpdateOutcome, WriteOutcome,
};
use groundcontrol_core::satellite::{HashedToken, OwnThreshold, SatelliteId, Tags};
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;

use super::edges;
use super::job::Write;
use super::transitions::Recording;
use crate::database::{Database, json};
use crate::error::Failure;

/// Makes a satellite.
pub(crate) struct Create(pub(crate) NewSatellite);

/// Changes how a satellite is described.
pub(crate) struct Update {
    pub(crate) id: SatelliteId,
    pub(crate) update: SatelliteUpdate,
}

/// Removes a satellite (rule T7).
pub(crate) struct Remove(pub(crate) Removal);

#[async_trait]
impl Write for Create {
    type Output = CreateOutcome;
    const DOING: &'static str = "create a satellite";

    async fn write(
        &self,
        database: &Database,
        _: &mut Recording,
    ) -> Result<CreateOutcome, Failure> {
        let satellite = &self.0.satellite;
        let id = satellite.id.0;
        let insert = "INSERT INTO satellites (id, name, region, tags, enabled, version, \
            capabilities, created_at, managed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
            ON CONFLICT DO NOTHING";
        let values: [Value; 9] = [
            id.into(),
            satellite.name.as_str().into(),
            satellite.region.as_str().into(),
            tags(&satellite.tags)?.into(),
            satellite.enabled.into(),
            satellite.agent.version.clone().into(),
            json(&satellite.agent.capabilities)?.into(),
            satellite.created_at.as_millis().into(),
            manager(satellite.managed_by),
        ];
        if database.execute(insert, values).await? == 0 {
            let same = edges::existing(database, &[id]).await?;
            let made = !same.is_empty();
            return Ok(if made { CreateOutcome::Created } else { CreateOutcome::NameTaken });
        }
        let connection = "INSERT INTO satellite_connections (satellite_id, offline_threshold_ms) \
            VALUES ($1, $2)";
        let threshold = satellite.own_threshold.map(millis);
        database.execute(connection, [id.into(), threshold.into()]).await?;
        insert_token(database, satellite.id, &self.0.token).await?;
        Ok(CreateOutcome::Created)
    }
}

#[async_trait]
impl Write for Update {
    type Output = UpdateOutcome;
    const DOING: &'static str = "update a satellite";

    async fn write(
        &self,
        database: &Database,
        _: &mut Recording,
    ) -> Result<UpdateOutcome, Failure> {
        let SatelliteUpdate { name, region, tags: labels, own_threshold } = &self.update;
        let id = self.id.0;
        let name = name.as_ref().map(|name| name.as_str().to_owned());
        let region = region.as_ref().map(|region| region.as_str().to_owned());
        let labels = labels.as_ref().map(tags).transpose()?;
        let update = "UPDATE satellites SET name = COALESCE($2, name), \
            region = COALESCE($3, region), tags = COALESCE($4, tags) WHERE id = $1 \
            AND NOT EXISTS (SELECT 1 FROM satellites AS o WHERE o.name = $2 AND o.id <> $1)";
        let values = [id.into(), name.into(), region.into(), labels.into()];
        if database.execute(update, values).await? == 0 {
            let exists = !edges::existing(database, &[id]).await?.is_empty();
            return Ok(if exists { UpdateOutcome::NameTaken } else { UpdateOutcome::Gone });
        }
        if let Some(own) = own_threshold {
            let update = "UPDATE satellite_connections SET offline_threshold_ms = $2 \
                WHERE satellite_id = $1";
            let own = own.map(millis);
            database.execute(update, [id.into(), own.into()]).await?;
        }
        Ok(UpdateOutcome::Updated)
    }
}

#[async_trait]
impl Write for Remove {
    type Output = WriteOutcome;
    const DOING: &'static str = "remove a satellite";

    async fn write(
        &self,
        database: &Database,
        recording: &mut Recording,
    ) -> Result<WriteOutcome, Failure> {
        let read = &self.0.read;
        let id = read.satellite.0;
        let delete = "DELETE FROM satellite_connections \
            WHERE satellite_id = $1 AND epoch = $2 AND seq = $3";
        let (epoch, seq) = (count(read.record.epoch.0), count(read.record.seq.0));
        let deleted = database.execute(delete, [id.into(), epoch, seq]).await?;
        if deleted == 0 {
            return edges::refused(database, id).await;
        }
        recording.add(self.0.transition(), read);
        let delete = "DELETE FROM satellites WHERE id = $1";
        database.execute(delete, [id.into()]).await?;
        Ok(WriteOutcome::Applied)
    }
}

pub(super) async fn insert_token(
    database: &Database,
    satellite: SatelliteId,
    token: &HashedToken,
) -> Result<(), Failure> {
    let insert = "INSERT INTO satellite_tokens (satellite_id, token_id, hash, expires_at) \
        VALUES ($1, $2, $3, $4)";
    let values: [Value; 4] = [
        satellite.0.into(),
        token.id.0.into(),
        token.hash.to_stored().into(),
        token.expires_at.map(Timestamp::as_millis).into(),
    ];
    database.execute(insert, values).await.map(drop)
}

/// A counter as it is stored; none comes near the end of the signed range.
pub(super) fn count(value: u64) -> Value {
    Value::from(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A manager as it is stored.
pub(super) fn manager(manager: Option<Manager>) -> Value {
    manager.map(|manager| manager.name().to_owned()).into()
}

fn millis(own: OwnThreshold) -> i64 {
    own.get().as_i64()
}

fn tags(tags: &Tags) -> Result<String, Failure> {
    json(tags.as_map())
}

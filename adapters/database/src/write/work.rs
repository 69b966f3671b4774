//! Making, changing and removing systems and checks; the sandbox policy.

use async_trait::async_trait;
use groundcontrol_core::assignment::{Check, CheckId, Json, System, SystemId};
use groundcontrol_core::ports::{CheckUpdate, Saved, SystemUpdate};
use sea_orm::Value;
use uuid::Uuid;

use super::job::Write;
use super::satellites::manager;
use super::transitions::Recording;
use crate::database::Database;
use crate::error::Failure;
use crate::read::work::stored_collectors;

/// Makes a system.
pub(crate) struct CreateSystem(pub(crate) System);

/// Changes a system.
pub(crate) struct UpdateSystem(pub(crate) SystemId, pub(crate) SystemUpdate);

/// Makes a check.
pub(crate) struct CreateCheck(pub(crate) Check);

/// Changes a check.
pub(crate) struct UpdateCheck(pub(crate) CheckId, pub(crate) CheckUpdate);

/// Removes a system or a check; its assignments go by themselves.
pub(crate) struct RemoveNamed {
    pub(crate) table: &'static str,
    pub(crate) id: Uuid,
}

/// Sets or unsets the sandbox policy.
pub(crate) struct SetPolicy(pub(crate) Option<Json>);

#[async_trait]
impl Write for CreateSystem {
    type Output = Saved;
    const DOING: &'static str = "create a system";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<Saved, Failure> {
        let System { id, name, metadata, managed_by, created_at } = &self.0;
        let insert = "INSERT INTO systems (id, name, metadata, created_at, managed_by) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let values: [Value; 5] = [
            id.0.into(),
            name.as_str().into(),
            metadata.as_str().into(),
            created_at.as_millis().into(),
            manager(*managed_by),
        ];
        created(database, "systems", id.0, database.execute(insert, values).await?).await
    }
}

#[async_trait]
impl Write for UpdateSystem {
    type Output = Saved;
    const DOING: &'static str = "update a system";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<Saved, Failure> {
        let Self(id, SystemUpdate { name, metadata }) = self;
        let update = "UPDATE systems SET name = COALESCE($2, name), \
            metadata = COALESCE($3, metadata) WHERE id = $1 \
            AND NOT EXISTS (SELECT 1 FROM systems AS o WHERE o.name = $2 AND o.id <> $1)";
        let name = name.as_ref().map(|name| name.as_str().to_owned());
        let metadata = metadata.as_ref().map(|json| json.as_str().to_owned());
        let values: [Value; 3] = [id.0.into(), name.into(), metadata.into()];
        updated(database, "systems", id.0, database.execute(update, values).await?).await
    }
}

#[async_trait]
impl Write for CreateCheck {
    type Output = Saved;
    const DOING: &'static str = "create a check";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<Saved, Failure> {
        let check = &self.0;
        let insert = "INSERT INTO checks (id, name, strategy_id, config, collectors, \
            interval_seconds, created_at, managed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
            ON CONFLICT DO NOTHING";
        let values: [Value; 8] = [
            check.id.0.into(),
            check.name.as_str().into(),
            check.strategy.as_str().into(),
            check.config.as_str().into(),
            stored_collectors(&check.collectors)?.into(),
            i64::from(check.interval.seconds()).into(),
            check.created_at.as_millis().into(),
            manager(check.managed_by),
        ];
        created(database, "checks", check.id.0, database.execute(insert, values).await?).await
    }
}

#[async_trait]
impl Write for UpdateCheck {
    type Output = Saved;
    const DOING: &'static str = "update a check";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<Saved, Failure> {
        let Self(id, change) = self;
        let update = "UPDATE checks SET name = COALESCE($2, name), \
            strategy_id = COALESCE($3, strategy_id), config = COALESCE($4, config), \
            collectors = COALESCE($5, collectors), \
            interval_seconds = COALESCE($6, interval_seconds) WHERE id = $1 \
            AND NOT EXISTS (SELECT 1 FROM checks AS o WHERE o.name = $2 AND o.id <> $1)";
        let name = change.name.as_ref().map(|name| name.as_str().to_owned());
        let strategy = change.strategy.as_ref().map(|strategy| strategy.as_str().to_owned());
        let config = change.config.as_ref().map(|json| json.as_str().to_owned());
        let collectors = change.collectors.as_ref().map(stored_collectors).transpose()?;
        let interval = change.interval.map(|interval| i64::from(interval.seconds()));
        let values: [Value; 6] = [
            id.0.into(),
            name.into(),
            strategy.into(),
            config.into(),
            collectors.into(),
            interval.into(),
        ];
        updated(database, "checks", id.0, database.execute(update, values).await?).await
    }
}

#[async_trait]
impl Write for RemoveNamed {
    type Output = bool;
    const DOING: &'static str = "remove a system or a check";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let delete = format!("DELETE FROM {} WHERE id = $1", self.table);
        database.execute(delete, [self.id.into()]).await.map(|rows| rows == 1)
    }
}

#[async_trait]
impl Write for SetPolicy {
    type Output = ();
    const DOING: &'static str = "set the sandbox policy";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let Some(policy) = &self.0 else {
            return database.execute("DELETE FROM sandbox_policy", []).await.map(drop);
        };
        let upsert = "INSERT INTO sandbox_policy (singleton, policy) VALUES (1, $1) \
            ON CONFLICT (singleton) DO UPDATE SET policy = excluded.policy";
        database.execute(upsert, [policy.as_str().into()]).await.map(drop)
    }
}

/// What a creation came to that made so many rows.
async fn created(database: &Database, table: &str, id: Uuid, rows: u64) -> Result<Saved, Failure> {
    let is_there = rows > 0 || exists(database, table, id).await?;
    Ok(if is_there { Saved::Done } else { Saved::NameTaken })
}

/// What a change came to that changed so many rows.
async fn updated(database: &Database, table: &str, id: Uuid, rows: u64) -> Result<Saved, Failure> {
    if rows > 0 {
        return Ok(Saved::Done);
    }
    let is_there = exists(database, table, id).await?;
    Ok(if is_there { Saved::NameTaken } else { Saved::Gone })
}

/// Whether a row with this id is there.
pub(super) async fn exists(database: &Database, table: &str, id: Uuid) -> Result<bool, Failure> {
    let sql = format!("SELECT id FROM {table} WHERE id = $1");
    Ok(database.one(sql, [id.into()]).await?.is_some())
}

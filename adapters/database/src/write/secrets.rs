//! Sealed secrets, and the record of deliveries: one statement for any number of them.

use async_trait::async_trait;
use groundcontrol_core::ports::SealedSecret;
use groundcontrol_core::secrets::{Delivery, SecretName};
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;

use super::job::Write;
use super::transitions::Recording;
use crate::database::{Database, json};
use crate::dialect::Type;
use crate::error::Failure;
use crate::table::{self, Cell};

/// Keeps a sealed secret.
pub(crate) struct PutSealed(pub(crate) SealedSecret);

/// Deletes a sealed secret.
pub(crate) struct DeleteSealed(pub(crate) SecretName);

/// Keeps a sealed secret in place of what was read.
pub(crate) struct ReplaceSealed {
    pub(crate) old: SealedSecret,
    pub(crate) new: SealedSecret,
}

/// Puts deliveries on record.
pub(crate) struct RecordDeliveries(pub(crate) Vec<Delivery>);

/// Deletes old deliveries.
pub(crate) struct PruneSecretDeliveries {
    pub(crate) before: Timestamp,
    pub(crate) limit: usize,
}

const DELIVERIES: &[(&str, Type); 8] = &[
    ("satellite_id", Type::Id),
    ("config_id", Type::Text),
    ("collector_id", Type::Text),
    ("run_id", Type::Text),
    ("names", Type::Text),
    ("error", Type::Text),
    ("at", Type::Int),
    ("pod", Type::Text),
];

#[async_trait]
impl Write for PutSealed {
    type Output = ();
    const DOING: &'static str = "store a sealed secret";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let upsert = "INSERT INTO sealed_secrets (name, key_id, sealed) VALUES ($1, $2, $3) \
            ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed";
        let SealedSecret { name, key_id, sealed } = &self.0;
        let values: [Value; 3] =
            [name.as_str().into(), key_id.as_str().into(), sealed.as_str().into()];
        database.execute(upsert, values).await.map(drop)
    }
}

#[async_trait]
impl Write for DeleteSealed {
    type Output = bool;
    const DOING: &'static str = "delete a sealed secret";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let delete = "DELETE FROM sealed_secrets WHERE name = $1";
        database.execute(delete, [self.0.as_str().into()]).await.map(|rows| rows == 1)
    }
}

#[async_trait]
impl Write for ReplaceSealed {
    type Output = bool;
    const DOING: &'static str = "seal a secret again";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let update = "UPDATE sealed_secrets SET key_id = $1, sealed = $2 \
            WHERE name = $3 AND key_id = $4 AND sealed = $5";
        let Self { old, new } = self;
        let values: [Value; 5] = [
            new.key_id.as_str().into(),
            new.sealed.as_str().into(),
            old.name.as_str().into(),
            old.key_id.as_str().into(),
            old.sealed.as_str().into(),
        ];
        database.execute(update, values).await.map(|rows| rows == 1)
    }
}

#[async_trait]
impl Write for RecordDeliveries {
    type Output = ();
    const DOING: &'static str = "record deliveries of secrets";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let rows = self.0.iter().map(row).collect::<Result<_, _>>()?;
        let rows = table::parameters(database.dialect, DELIVERIES, rows)?;
        let names: Vec<_> = DELIVERIES.iter().map(|(name, _)| *name).collect();
        let of_rows: Vec<_> = names.iter().map(|name| format!("w.{name}")).collect();
        let sql = format!(
            "INSERT INTO secret_deliveries ({}) SELECT {} FROM {} AS w",
            names.join(", "),
            of_rows.join(", "),
            database.dialect.rows(DELIVERIES)
        );
        database.execute(sql, rows).await.map(drop)
    }
}

fn row(delivery: &Delivery) -> Result<[Cell<'_>; 8], Failure> {
    let names: Vec<_> = delivery.names.iter().map(SecretName::as_str).collect();
    Ok([
        delivery.satellite.0.into(),
        delivery.place.config_id.as_str().into(),
        delivery.place.collector_id.as_deref().into(),
        delivery.run_id.as_str().into(),
        json(&names)?.into(),
        delivery.error.as_deref().into(),
        delivery.at.as_millis().into(),
        delivery.pod.as_str().into(),
    ])
}

pub(crate) const PRUNE: &str = "DELETE FROM secret_deliveries WHERE number IN (SELECT number \
    FROM secret_deliveries WHERE at < $1 ORDER BY at, number LIMIT $2)";

#[async_trait]
impl Write for PruneSecretDeliveries {
    type Output = u64;
    const DOING: &'static str = "delete old deliveries of secrets";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<u64, Failure> {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        database.execute(PRUNE, [self.before.as_millis().into(), limit.into()]).await
    }
}

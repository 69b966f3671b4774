//! Settings of the fleet, the end of old transitions, and the probe.

use async_trait::async_trait;
use groundcontrol_core::satellite::Liveness;
use groundcontrol_core::time::Timestamp;

use super::job::Write;
use super::transitions::Recording;
use crate::database::Database;
use crate::error::Failure;
use crate::read::fleet;

/// Stores the fleet-wide settings.
pub(crate) struct SetLiveness(pub(crate) Liveness);

/// Deletes old transitions.
pub(crate) struct Prune {
    pub(crate) before: Timestamp,
    pub(crate) limit: usize,
}

/// Writes a trifle.
pub(crate) struct Probe(pub(crate) Timestamp);

#[async_trait]
impl Write for SetLiveness {
    type Output = Option<Liveness>;
    const DOING: &'static str = "store the fleet's settings";
    const CHANGES_WATCHING: bool = true;

    async fn write(
        &self,
        database: &Database,
        _: &mut Recording,
    ) -> Result<Option<Liveness>, Failure> {
        let before = fleet::liveness(database).await?;
        let upsert = "INSERT INTO fleet_settings \
            (singleton, heartbeat_interval_ms, default_threshold_ms) VALUES (1, $1, $2) \
            ON CONFLICT (singleton) DO UPDATE SET \
            heartbeat_interval_ms = excluded.heartbeat_interval_ms, \
            default_threshold_ms = excluded.default_threshold_ms";
        let Liveness { heartbeat_interval, default_threshold } = self.0;
        let values = [heartbeat_interval.as_i64().into(), default_threshold.as_i64().into()];
        database.execute(upsert, values).await.map(|_| before)
    }
}

#[async_trait]
impl Write for Prune {
    type Output = u64;
    const DOING: &'static str = "delete old transitions";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<u64, Failure> {
        let delete = "DELETE FROM transitions WHERE position IN (SELECT position FROM transitions \
            WHERE occurred_at < $1 ORDER BY occurred_at, position LIMIT $2)";
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        database.execute(delete, [self.before.as_millis().into(), limit.into()]).await
    }
}

#[async_trait]
impl Write for Probe {
    type Output = ();
    const DOING: &'static str = "write to the store";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let upsert = "INSERT INTO store_probe (singleton, probed_at) VALUES (1, $1) \
            ON CONFLICT (singleton) DO UPDATE SET probed_at = excluded.probed_at";
        database.execute(upsert, [self.0.as_millis().into()]).await.map(drop)
    }
}

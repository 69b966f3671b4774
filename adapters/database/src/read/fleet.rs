//! What is stored once for the whole fleet.

use groundcontrol_core::satellite::Liveness;
use groundcontrol_core::time::Timestamp;

use crate::database::Database;
use crate::error::Failure;
use crate::rows::Columns;

/// The fleet-wide settings. They were checked when they were set, by limits that may since have
/// changed; so they are taken as they are.
pub(crate) async fn liveness(database: &Database) -> Result<Option<Liveness>, Failure> {
    let sql = "SELECT heartbeat_interval_ms, default_threshold_ms FROM fleet_settings";
    let Some(row) = database.one(sql, []).await? else { return Ok(None) };
    let columns = &mut Columns::of(&row, "fleet settings");
    let (heartbeat_interval, default_threshold) = (columns.millis()?, columns.millis()?);
    Ok(Some(Liveness { heartbeat_interval, default_threshold }))
}

/// The latest past moment that is stored anywhere, from which store time goes on.
pub(crate) async fn latest_time(database: &Database) -> Result<Option<Timestamp>, Failure> {
    let sql = "SELECT max(at) FROM (\
        SELECT max(last_heartbeat_at) AS at FROM satellite_connections \
        UNION ALL SELECT max(last_event_at) FROM satellite_connections \
        UNION ALL SELECT max(occurred_at) FROM transitions \
        UNION ALL SELECT max(since) FROM watch_span \
        UNION ALL SELECT max(created_at) FROM satellites \
        UNION ALL SELECT max(created_at) FROM api_tokens \
        UNION ALL SELECT max(probed_at) FROM store_probe) AS times";
    match database.one(sql, []).await? {
        Some(row) => Columns::of(&row, "times").opt_time(),
        None => Ok(None),
    }
}

/// Reads a trifle.
pub(crate) async fn probe(database: &Database) -> Result<(), Failure> {
    database.one("SELECT probed_at FROM store_probe", []).await.map(drop)
}

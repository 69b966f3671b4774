//! Whose time has come: overdue satellites, thresholds, expired tokens. Each through an index that
//! leads to those rows and no others.

use groundcontrol_core::limits;
use groundcontrol_core::ports::ConnectionSnapshot;
use groundcontrol_core::satellite::{SatelliteId, TokenId};
use groundcontrol_core::time::{Millis, Timestamp};

use super::limit;
use crate::database::Database;
use crate::error::Failure;
use crate::rows::{self, Columns};

/// Rule T5 as a cutoff: those that are overdue at `now`.
pub(crate) async fn overdue(
    database: &Database,
    now: Timestamp,
    settle: Millis,
    watching_since: Timestamp,
    most: usize,
) -> Result<Vec<ConnectionSnapshot>, Failure> {
    let cutoff = now.minus(settle).as_millis();
    // A threshold shorter than this has passed since watching began, too.
    let watched = cutoff.saturating_sub(watching_since.as_millis());
    let values = [cutoff.into(), watched.into(), limit(most)];
    let rows = database.all(overdue_sql(), values).await?;
    rows::all(&rows, |row| rows::snapshot(&mut Columns::of(row, "satellite")))
}

/// `$1`: now − settle; `$2`: that less the start of watching; `$3`: how many.
pub(crate) fn overdue_sql() -> String {
    let default = rows::default_threshold();
    let snapshot = rows::snapshot_columns();
    format!(
        "SELECT {snapshot} FROM (\
         SELECT * FROM (SELECT satellite_id, last_heartbeat_at + {default} AS passed_at \
         FROM satellite_connections WHERE last_event = 'connected' \
         AND offline_threshold_ms IS NULL \
         AND last_heartbeat_at < $1 - {default} AND {default} < $2 \
         ORDER BY last_heartbeat_at LIMIT $3) AS by_default \
         UNION ALL \
         SELECT * FROM (SELECT satellite_id, \
         last_heartbeat_at + offline_threshold_ms AS passed_at \
         FROM satellite_connections WHERE last_event = 'connected' \
         AND offline_threshold_ms IS NOT NULL \
         AND last_heartbeat_at + offline_threshold_ms < $1 AND offline_threshold_ms < $2 \
         ORDER BY last_heartbeat_at + offline_threshold_ms LIMIT $3) AS by_own\
         ) AS o JOIN satellite_connections AS c ON c.satellite_id = o.satellite_id \
         JOIN satellites AS s ON s.id = o.satellite_id \
         ORDER BY o.passed_at, o.satellite_id LIMIT $3"
    )
}

/// The earliest moment at which a connected satellite's threshold passes.
pub(crate) async fn next_threshold(database: &Database) -> Result<Option<Timestamp>, Failure> {
    let Some(row) = database.one(next_threshold_sql(), []).await? else { return Ok(None) };
    let columns = &mut Columns::of(&row, "connections");
    let (by_default, by_own) = (columns.opt_time()?, columns.opt_time()?);
    Ok(by_default.into_iter().chain(by_own).min())
}

pub(crate) fn next_threshold_sql() -> String {
    let default = rows::default_threshold();
    format!(
        "SELECT (SELECT last_heartbeat_at FROM satellite_connections \
         WHERE last_event = 'connected' AND offline_threshold_ms IS NULL \
         AND last_heartbeat_at IS NOT NULL ORDER BY last_heartbeat_at LIMIT 1) + {default}, \
         (SELECT last_heartbeat_at + offline_threshold_ms FROM satellite_connections \
         WHERE last_event = 'connected' AND offline_threshold_ms IS NOT NULL \
         AND last_heartbeat_at + offline_threshold_ms IS NOT NULL \
         ORDER BY last_heartbeat_at + offline_threshold_ms LIMIT 1)"
    )
}

/// The smallest threshold of any satellite, or the default if that is smaller.
pub(crate) async fn smallest_threshold(database: &Database) -> Result<Millis, Failure> {
    let Some(row) = database.one(smallest_threshold_sql(), []).await? else {
        return Ok(limits::OFFLINE_THRESHOLD);
    };
    let columns = &mut Columns::of(&row, "thresholds");
    let default = columns.millis()?;
    let own = columns.opt_int()?.and_then(|own| u64::try_from(own).ok());
    Ok(own.map_or(default, |own| default.min(Millis::new(own))))
}

pub(crate) fn smallest_threshold_sql() -> String {
    format!(
        "SELECT {}, (SELECT offline_threshold_ms FROM satellite_connections \
         WHERE offline_threshold_ms IS NOT NULL ORDER BY offline_threshold_ms LIMIT 1)",
        rows::default_threshold()
    )
}

/// Tokens that expired at or before `now`.
pub(crate) async fn expired_tokens(
    database: &Database,
    now: Timestamp,
    most: usize,
) -> Result<Vec<(SatelliteId, TokenId)>, Failure> {
    let rows = database.all(EXPIRED_TOKENS, [now.as_millis().into(), limit(most)]).await?;
    let read = |row| {
        let columns = &mut Columns::of(row, "token");
        Ok((SatelliteId(columns.id()?), TokenId(columns.id()?)))
    };
    rows.iter().map(read).collect()
}

pub(crate) const EXPIRED_TOKENS: &str = "SELECT satellite_id, token_id FROM satellite_tokens \
    WHERE expires_at IS NOT NULL AND expires_at <= $1 LIMIT $2";

/// Whether any hash takes a slow check.
pub(crate) async fn has_slow_hashes(database: &Database) -> Result<bool, Failure> {
    Ok(database.one(SLOW_HASH, []).await?.is_some())
}

pub(crate) const SLOW_HASH: &str =
    "SELECT satellite_id FROM satellite_tokens WHERE substr(hash, 1, 2) = '$2' LIMIT 1";

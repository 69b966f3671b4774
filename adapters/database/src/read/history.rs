//! Transitions: of one satellite, and of all in the order of events.

use groundcontrol_core::connection::Transition;
use groundcontrol_core::ports::{EventCursor, RecordedEvent};
use groundcontrol_core::satellite::{SatelliteId, Seq};
use sea_orm::Value;

use super::limit;
use crate::database::Database;
use crate::error::Failure;
use crate::rows::{self, Columns, TRANSITION_COLUMNS};

/// A satellite's transitions below `before`, newest first.
pub(crate) async fn transitions(
    database: &Database,
    satellite: SatelliteId,
    before: Option<Seq>,
    most: usize,
) -> Result<Vec<Transition>, Failure> {
    let sql = format!(
        "SELECT {TRANSITION_COLUMNS} FROM transitions WHERE satellite_id = $1 AND seq < $2 \
         ORDER BY seq DESC LIMIT $3"
    );
    let before = before.map_or(i64::MAX, |seq| i64::try_from(seq.0).unwrap_or(i64::MAX));
    let rows = database.all(sql, [satellite.0.into(), before.into(), limit(most)]).await?;
    let found = rows::all(&rows, rows::recorded_event)?;
    Ok(found.into_iter().filter_map(|event| event.recorded.into_transition()).collect())
}

/// All transitions after `after`. Positions are in the order of commits: there is one writer, or
/// [`Lock::Events`](crate::dialect::Lock::Events) makes the writers take turns.
pub(crate) async fn events_after(
    database: &Database,
    after: Option<EventCursor>,
    most: usize,
) -> Result<Vec<RecordedEvent>, Failure> {
    let sql = events_after_sql();
    let after = after.map_or(0, |cursor| i64::try_from(cursor.position).unwrap_or(i64::MAX));
    let rows = database.all(sql, [Value::from(after), limit(most)]).await?;
    rows::all(&rows, rows::recorded_event)
}

pub(crate) fn events_after_sql() -> String {
    format!(
        "SELECT {TRANSITION_COLUMNS} FROM transitions WHERE position > $1 \
         ORDER BY position LIMIT $2"
    )
}

/// The newest of them.
pub(crate) async fn newest_event(database: &Database) -> Result<Option<EventCursor>, Failure> {
    let sql = "SELECT position FROM transitions ORDER BY position DESC LIMIT 1";
    let Some(row) = database.one(sql, []).await? else { return Ok(None) };
    let position = Columns::of(&row, "transition").count()?;
    Ok(Some(EventCursor { commit: 0, position }))
}

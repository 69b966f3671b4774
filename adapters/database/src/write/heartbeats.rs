//! Heartbeats: rule T2 as one statement for up to a thousand of them.

use std::collections::HashSet;

use groundcontrol_core::ports::HeartbeatWrite;
use sea_orm::QueryResult;

use super::job::{Heartbeats, rounds};
use crate::database::Database;
use crate::dialect::{Dialect, Type};
use crate::error::Failure;
use crate::rows::Columns;
use crate::table::{self, Cell};

/// Heartbeats of one statement.
const CHUNK: usize = 1000;

/// `n` is a heartbeat's place in the round.
const COLUMNS: &[(&str, Type); 4] =
    &[("id", Type::Id), ("epoch", Type::Int), ("at", Type::Int), ("n", Type::Int)];

/// Where a heartbeat came from: job and index in it.
struct Source {
    beat: HeartbeatWrite,
    job: usize,
    index: usize,
}

/// Writes all heartbeats of all jobs and notes those that were not applied.
pub(super) async fn apply(database: &Database, jobs: &mut [Heartbeats]) -> Result<(), Failure> {
    let mut sources = Vec::with_capacity(jobs.iter().map(|job| job.beats.len()).sum());
    for (job, heartbeats) in jobs.iter_mut().enumerate() {
        heartbeats.refused.clear();
        let beats = heartbeats.beats.iter().enumerate();
        sources.extend(beats.map(|(index, beat)| Source { beat: *beat, job, index }));
    }
    if sources.is_empty() {
        return Ok(());
    }
    for round in rounds(sources, |source| source.beat.satellite, CHUNK) {
        for n in write(database, &round).await? {
            if let Some(source) = round.get(n) {
                jobs[source.job].refused.push(source.index);
            }
        }
    }
    jobs.iter_mut().for_each(|job| job.refused.sort_unstable());
    Ok(())
}

/// Writes one round and answers the places of those that were not applied.
async fn write(database: &Database, round: &[Source]) -> Result<Vec<usize>, Failure> {
    let cells = |(n, Source { beat, .. }): (usize, &Source)| -> [Cell<'_>; 4] {
        [
            beat.satellite.0.into(),
            beat.epoch.0.into(),
            beat.at.as_millis().into(),
            (n as u64).into(),
        ]
    };
    let rows = round.iter().enumerate().map(cells).collect();
    let rows = table::parameters(database.dialect, COLUMNS, rows)?;
    let update = update(database.dialect);
    if let Some(returning) = database.dialect.returning("n") {
        let applied = places(&database.all(update + &returning, rows).await?)?;
        let applied: HashSet<usize> = applied.into_iter().collect();
        return Ok((0..round.len()).filter(|n| !applied.contains(n)).collect());
    }
    if database.execute(update, rows.clone()).await? == round.len() as u64 {
        return Ok(Vec::new());
    }
    places(&database.all(refused(database.dialect), rows).await?)
}

fn places(rows: &[QueryResult]) -> Result<Vec<usize>, Failure> {
    let place = |row| Columns::of(row, "heartbeat").count().map(|n| n as usize);
    rows.iter().map(place).collect()
}

/// Rule T2, for the sessions that are current and connected.
pub(crate) fn update(dialect: Dialect) -> String {
    format!(
        "UPDATE satellite_connections AS c SET last_heartbeat_at = \
         CASE WHEN c.last_heartbeat_at >= w.at THEN c.last_heartbeat_at ELSE w.at END \
         FROM {} AS w WHERE c.satellite_id = w.id AND c.epoch = w.epoch \
         AND c.last_event = 'connected'",
        dialect.rows(COLUMNS)
    )
}

/// Those that [`update`] did not touch: it changes neither epoch nor event. Mostly nobody asks.
fn refused(dialect: Dialect) -> String {
    format!(
        "SELECT w.n FROM {} AS w WHERE NOT EXISTS (SELECT 1 FROM satellite_connections AS c \
         WHERE c.satellite_id = w.id AND c.epoch = w.epoch AND c.last_event = 'connected')",
        dialect.rows(COLUMNS)
    )
}

//! Edges: the conditional writes of connection records, each with its transition (rule E3).
//!
//! One statement writes up to a thousand edges, each under its own condition, and answers whose
//! were written; a second one records their transitions. A satellite's second edge waits for the
//! next statement of the same transaction.

use std::collections::HashSet;

use groundcontrol_core::connection::{ConnectionRecord, LifecycleEvent};
use groundcontrol_core::ports::{ConnectionSnapshot, EdgeWrite, Guard, WriteOutcome};
use groundcontrol_core::satellite::OwnThreshold;
use groundcontrol_core::time::Timestamp;
use uuid::Uuid;

use super::job::{Edges, rounds};
use super::transitions::Recording;
use crate::database::Database;
use crate::dialect::{Dialect, Type};
use crate::error::Failure;
use crate::rows::{Columns, default_threshold};
use crate::table::{self, Cell};

/// Edges of one statement.
const CHUNK: usize = 1000;

/// Where an edge came from: job and index in it.
struct Source<'a> {
    write: &'a EdgeWrite,
    job: usize,
    index: usize,
}

/// Writes all edges of all jobs and notes what became of each. `now` is store time.
pub(super) async fn apply(
    database: &Database,
    jobs: &mut [Edges],
    now: Timestamp,
    recording: &mut Recording,
) -> Result<(), Failure> {
    let mut results = Vec::new();
    for round in rounds(sources(jobs), |source| source.write.read.satellite, CHUNK) {
        let outcomes = write(database, &round, now, recording).await?;
        let places = round.iter().map(|source| (source.job, source.index));
        results.extend(places.zip(outcomes));
    }
    for ((job, index), outcome) in results {
        jobs[job].outcomes[index] = outcome;
    }
    Ok(())
}

fn sources(jobs: &[Edges]) -> Vec<Source<'_>> {
    let each = |(job, edges): (usize, &'_ Edges)| -> Vec<(usize, usize)> {
        (0..edges.writes.len()).map(|index| (job, index)).collect()
    };
    let places = jobs.iter().enumerate().flat_map(each);
    places.map(|(job, index)| Source { write: &jobs[job].writes[index], job, index }).collect()
}

/// Writes one round, and adds the transitions of those that held to what is recorded.
async fn write(
    database: &Database,
    round: &[Source<'_>],
    now: Timestamp,
    recording: &mut Recording,
) -> Result<Vec<WriteOutcome>, Failure> {
    let rows: Vec<_> = round.iter().map(|source| Row::of_edge(source.write, now)).collect();
    let written = update(database, &rows).await?;
    let mut recorded: Vec<&Source<'_>> =
        round.iter().filter(|source| written.contains(&source.write.read.satellite.0)).collect();
    recorded.sort_by_key(|source| (source.job, source.index));
    for source in recorded {
        recording.add(source.write.transition(), &source.write.read);
    }
    let refused = round.iter().map(|source| source.write.read.satellite.0);
    let refused: Vec<_> = refused.filter(|id| !written.contains(id)).collect();
    let existing = existing(database, &refused).await?;
    let outcome = |source: &Source<'_>| {
        let id = source.write.read.satellite.0;
        match (written.contains(&id), existing.contains(&id)) {
            (true, _) => WriteOutcome::Applied,
            (false, true) => WriteOutcome::Conflict,
            (false, false) => WriteOutcome::Gone,
        }
    };
    Ok(round.iter().map(outcome).collect())
}

const COLUMNS: &[(&str, Type); 19] = &[
    ("id", Type::Id),
    ("read_epoch", Type::Int),
    ("read_seq", Type::Int),
    ("read_version", Type::Int),
    ("read_heartbeat", Type::Int),
    ("read_own", Type::Int),
    ("read_default", Type::Int),
    ("read_since", Type::Int),
    ("leased_pod", Type::Text),
    ("leased_at", Type::Int),
    ("version", Type::Int),
    ("epoch", Type::Int),
    ("session", Type::Id),
    ("token", Type::Id),
    ("heartbeat", Type::Int),
    ("event", Type::Text),
    ("event_at", Type::Int),
    ("cause", Type::Text),
    ("seq", Type::Int),
];

/// What must still be so, and what is written then. Conditions that do not apply are null.
pub(super) struct Row<'a> {
    id: Uuid,
    read_epoch: u64,
    read_seq: u64,
    /// The credential version, where it counts.
    read_version: Option<u64>,
    /// What a silence depends on, if `leased_pod` is present.
    read_heartbeat: Option<i64>,
    read_own: Option<i64>,
    read_default: i64,
    read_since: Option<i64>,
    leased_pod: Option<&'a str>,
    leased_at: i64,
    /// The new credential version; null: it stays.
    version: Option<u64>,
    epoch: u64,
    session: Option<Uuid>,
    token: Option<Uuid>,
    heartbeat: Option<i64>,
    event: Option<&'static str>,
    event_at: Option<i64>,
    cause: Option<&'static str>,
    seq: u64,
}

impl<'a> Row<'a> {
    /// A record in place of the one that was read, if seq and epoch are as read.
    pub(super) fn new(read: &ConnectionSnapshot, next: &ConnectionRecord) -> Self {
        Self {
            id: read.satellite.0,
            read_epoch: read.record.epoch.0,
            read_seq: read.record.seq.0,
            read_version: None,
            read_heartbeat: read.record.last_heartbeat_at.map(Timestamp::as_millis),
            read_own: read.own_threshold.map(|own: OwnThreshold| own.get().as_i64()),
            read_default: read.default_threshold.as_i64(),
            read_since: read.watch.map(|watch| watch.since.as_millis()),
            leased_pod: None,
            leased_at: 0,
            version: None,
            epoch: next.epoch.0,
            session: next.session.map(|session| session.0),
            token: next.token.map(|token| token.0),
            heartbeat: next.last_heartbeat_at.map(Timestamp::as_millis),
            event: next.last_event.map(LifecycleEvent::name),
            event_at: next.last_event_at.map(Timestamp::as_millis),
            cause: next.last_cause.map(|cause| cause.name()),
            seq: next.seq.0,
        }
    }

    /// The same, if the credential version is as read too.
    pub(super) fn with_credential(self, read: &ConnectionSnapshot) -> Self {
        Self { read_version: Some(read.credential_version.0), ..self }
    }

    /// The same, with a new credential version.
    pub(super) fn with_version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// In the order of the columns.
    fn cells(&self) -> [Cell<'a>; 19] {
        [
            self.id.into(),
            self.read_epoch.into(),
            self.read_seq.into(),
            self.read_version.into(),
            self.read_heartbeat.into(),
            self.read_own.into(),
            self.read_default.into(),
            self.read_since.into(),
            self.leased_pod.into(),
            self.leased_at.into(),
            self.version.into(),
            self.epoch.into(),
            self.session.into(),
            self.token.into(),
            self.heartbeat.into(),
            self.event.into(),
            self.event_at.into(),
            self.cause.into(),
            self.seq.into(),
        ]
    }

    fn of_edge(write: &'a EdgeWrite, now: Timestamp) -> Self {
        let row = Self::new(&write.read, &write.change.next);
        match write.guard {
            Guard::Session => row,
            Guard::Credential => row.with_credential(&write.read),
            // The lease must be alive now, not only when it was decided: whoever was held up in
            // between may have been deaf in between.
            Guard::Silence => Self {
                leased_pod: Some(write.origin.pod.as_str()),
                leased_at: write.now.max(now).as_millis(),
                ..row
            },
        }
    }
}

/// Writes the records whose conditions hold and answers their ids.
pub(super) async fn update(
    database: &Database,
    rows: &[Row<'_>],
) -> Result<HashSet<Uuid>, Failure> {
    let rows = rows.iter().map(Row::cells).collect();
    let rows = table::parameters(database.dialect, COLUMNS, rows)?;
    let written = database.all(update_sql(database.dialect), rows).await?;
    written.iter().map(|row| Columns::of(row, "written record").id()).collect()
}

pub(crate) fn update_sql(dialect: Dialect) -> String {
    format!(
        "UPDATE satellite_connections AS c SET epoch = w.epoch, session = w.session, \
         token_id = w.token, last_heartbeat_at = w.heartbeat, last_event = w.event, \
         last_event_at = w.event_at, last_cause = w.cause, seq = w.seq, \
         credential_version = COALESCE(w.version, c.credential_version) \
         FROM {} AS w WHERE c.satellite_id = w.id \
         AND c.epoch = w.read_epoch AND c.seq = w.read_seq \
         AND (w.read_version IS NULL OR c.credential_version = w.read_version) \
         AND (w.leased_pod IS NULL OR (\
         c.last_heartbeat_at IS NOT DISTINCT FROM w.read_heartbeat \
         AND c.offline_threshold_ms IS NOT DISTINCT FROM w.read_own \
         AND {} = w.read_default \
         AND (SELECT since FROM watch_span) IS NOT DISTINCT FROM w.read_since \
         AND EXISTS (SELECT 1 FROM watch_leases AS l \
         WHERE l.pod = w.leased_pod AND l.until >= w.leased_at))) \
         RETURNING satellite_id",
        dialect.rows(COLUMNS),
        default_threshold()
    )
}

/// Those of `ids` that exist.
pub(super) async fn existing(database: &Database, ids: &[Uuid]) -> Result<HashSet<Uuid>, Failure> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "SELECT satellite_id FROM satellite_connections WHERE satellite_id IN {}",
        database.dialect.ids()
    );
    let ids = table::ids(database.dialect, ids.iter().copied())?;
    let rows = database.all(sql, [ids]).await?;
    rows.iter().map(|row| Columns::of(row, "connection").id()).collect()
}

/// What a conditional write came to that was not made.
pub(super) async fn refused(database: &Database, id: Uuid) -> Result<WriteOutcome, Failure> {
    let exists = !existing(database, &[id]).await?.is_empty();
    Ok(if exists { WriteOutcome::Conflict } else { WriteOutcome::Gone })
}

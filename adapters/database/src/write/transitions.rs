//! Transitions, as they are recorded.

use groundcontrol_core::connection::{ConnectionState, Transition};
use groundcontrol_core::ports::ConnectionSnapshot;
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;
use serde::Serialize;
use uuid::Uuid;

use crate::database::{Database, json};
use crate::dialect::{Dialect, Type};
use crate::error::Failure;

const COLUMNS: &[(&str, Type)] = &[
    ("satellite_id", Type::Id),
    ("seq", Type::Int),
    ("epoch", Type::Int),
    ("session", Type::Id),
    ("event", Type::Text),
    ("cause", Type::Text),
    ("occurred_at", Type::Int),
    ("pod", Type::Text),
    ("actor", Type::Text),
    ("remote_address", Type::Text),
    ("name", Type::Text),
    ("region", Type::Text),
    ("previous_status", Type::Text),
    ("previous_epoch", Type::Int),
    ("previous_last_seen_at", Type::Int),
    ("previous_event", Type::Text),
    ("previous_event_at", Type::Int),
    ("previous_cause", Type::Text),
    ("next_status", Type::Text),
    ("next_last_seen_at", Type::Int),
    ("n", Type::Int),
];

#[derive(Serialize)]
struct Row<'a> {
    satellite_id: Uuid,
    seq: u64,
    epoch: u64,
    session: Option<Uuid>,
    event: &'static str,
    cause: Option<&'static str>,
    occurred_at: i64,
    pod: &'a str,
    actor: Option<&'a str>,
    remote_address: Option<&'a str>,
    name: &'a str,
    region: &'a str,
    previous_status: Option<&'static str>,
    previous_epoch: Option<u64>,
    previous_last_seen_at: Option<i64>,
    previous_event: Option<&'static str>,
    previous_event_at: Option<i64>,
    previous_cause: Option<&'static str>,
    next_status: Option<&'static str>,
    next_last_seen_at: Option<i64>,
    n: usize,
}

impl<'a> Row<'a> {
    fn of(n: usize, transition: &'a Transition, read: &'a ConnectionSnapshot) -> Self {
        let (previous, next) = (transition.previous.as_ref(), transition.next.as_ref());
        let seen = |state: Option<&ConnectionState>| {
            state.and_then(|state| state.last_seen_at).map(Timestamp::as_millis)
        };
        Self {
            satellite_id: transition.satellite.0,
            seq: transition.seq.0,
            epoch: transition.epoch.0,
            session: transition.session.map(|session| session.0),
            event: transition.kind.map_or("", |kind| kind.name()),
            cause: transition.cause.map(|cause| cause.name()),
            occurred_at: transition.occurred_at.as_millis(),
            pod: transition.pod.as_str(),
            actor: transition.actor.as_ref().map(|actor| actor.0.as_str()),
            remote_address: transition.remote_address.as_deref(),
            name: read.name.as_str(),
            region: read.region.as_str(),
            previous_status: previous.map(|state| state.status.name()),
            previous_epoch: previous.map(|state| state.epoch.0),
            previous_last_seen_at: seen(previous),
            previous_event: previous.and_then(|state| state.last_event).map(|event| event.name()),
            previous_event_at: previous
                .and_then(|state| state.last_event_at)
                .map(Timestamp::as_millis),
            previous_cause: previous.and_then(|state| state.cause).map(|cause| cause.name()),
            next_status: next.map(|state| state.status.name()),
            next_last_seen_at: seen(next),
            n,
        }
    }
}

/// Records `transitions`, each with what it was decided on, in this order.
pub(super) async fn insert(
    database: &Database,
    transitions: &[(Transition, &ConnectionSnapshot)],
) -> Result<(), Failure> {
    if transitions.is_empty() {
        return Ok(());
    }
    let rows = transitions.iter().enumerate();
    let rows: Vec<_> = rows.map(|(n, (transition, read))| Row::of(n, transition, read)).collect();
    let rows = json(&rows)?;
    database.execute(insert_sql(database.dialect), [Value::from(rows)]).await.map(drop)
}

fn insert_sql(dialect: Dialect) -> String {
    let names = COLUMNS.iter().map(|(name, _)| *name).filter(|name| *name != "n");
    let names = names.collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO transitions ({names}) SELECT {names} FROM {} AS w ORDER BY w.n",
        dialect.rows(COLUMNS)
    )
}

//! Transitions, as they are recorded.

use groundcontrol_core::connection::{ConnectionState, Transition};
use groundcontrol_core::ports::ConnectionSnapshot;
use groundcontrol_core::satellite::{Name, Region};
use groundcontrol_core::time::Timestamp;

use crate::database::Database;
use crate::dialect::{Dialect, Lock, Type};
use crate::error::Failure;
use crate::table::{self, Cell};

/// Transitions of one statement.
const CHUNK: usize = 1000;

const COLUMNS: &[(&str, Type); 21] = &[
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

/// The transitions of a group of writes, in the order in which they become events.
///
/// They are written last: from when the first has its position until the commit, no other pod can
/// record any, and so that nothing else is waited for meanwhile.
#[derive(Default)]
pub(crate) struct Recording(Vec<Recorded>);

/// A transition, and how its satellite was called.
struct Recorded {
    transition: Transition,
    name: Name,
    region: Region,
}

impl Recording {
    /// Adds a transition that was decided on what was `read`.
    pub(super) fn add(&mut self, transition: Transition, read: &ConnectionSnapshot) {
        self.0.push(Recorded { transition, name: read.name.clone(), region: read.region.clone() });
    }

    /// Writes them. Whoever wrote some before has committed by the time these get their positions.
    pub(super) async fn insert(self, database: &Database) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        database.lock(Lock::Events).await?;
        for chunk in self.0.chunks(CHUNK) {
            let rows = chunk.iter().enumerate().map(|(n, recorded)| recorded.cells(n)).collect();
            let rows = table::parameters(database.dialect, COLUMNS, rows)?;
            database.execute(insert_sql(database.dialect), rows).await?;
        }
        Ok(())
    }
}

impl Recorded {
    /// In the order of the columns; `n` is its place in the chunk.
    fn cells(&self, n: usize) -> [Cell<'_>; 21] {
        let Self { transition, name, region } = self;
        let (previous, next) = (transition.previous.as_ref(), transition.next.as_ref());
        let seen = |state: Option<&ConnectionState>| {
            state.and_then(|state| state.last_seen_at).map(Timestamp::as_millis)
        };
        let previous_event = previous.and_then(|state| state.last_event);
        let previous_event_at = previous.and_then(|state| state.last_event_at);
        [
            transition.satellite.0.into(),
            transition.seq.0.into(),
            transition.epoch.0.into(),
            transition.session.map(|session| session.0).into(),
            transition.kind.map_or("", |kind| kind.name()).into(),
            transition.cause.map(|cause| cause.name()).into(),
            transition.occurred_at.as_millis().into(),
            transition.pod.as_str().into(),
            transition.actor.as_ref().map(|actor| actor.0.as_str()).into(),
            transition.remote_address.as_deref().into(),
            name.as_str().into(),
            region.as_str().into(),
            previous.map(|state| state.status.name()).into(),
            previous.map(|state| state.epoch.0).into(),
            seen(previous).into(),
            previous_event.map(|event| event.name()).into(),
            previous_event_at.map(Timestamp::as_millis).into(),
            previous.and_then(|state| state.cause).map(|cause| cause.name()).into(),
            next.map(|state| state.status.name()).into(),
            seen(next).into(),
            (n as u64).into(),
        ]
    }
}

fn insert_sql(dialect: Dialect) -> String {
    let names = COLUMNS.iter().map(|(name, _)| *name).filter(|name| *name != "n");
    let names = names.collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO transitions ({names}) SELECT {names} FROM {} AS w ORDER BY w.n",
        dialect.rows(COLUMNS)
    )
}

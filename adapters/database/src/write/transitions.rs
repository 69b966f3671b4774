//! Transitions, as they are recorded, and what else is an event.

use groundcontrol_core::connection::{ConnectionState, RegionLoss, Transition};
use groundcontrol_core::ports::ConnectionSnapshot;
use groundcontrol_core::satellite::{Name, Region};
use groundcontrol_core::time::Timestamp;

use crate::database::{Database, json};
use crate::dialect::{Dialect, Lock, Type};
use crate::error::Failure;
use crate::rows::{REGION_LOSS, RegionLossDetails};
use crate::table::{self, Cell};

/// Transitions of one statement.
const CHUNK: usize = 1000;

const COLUMNS: &[(&str, Type); 22] = &[
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
    ("details", Type::Text),
    ("n", Type::Int),
];

/// The events of a group of writes, in their order.
///
/// They are written last: from when the first has its position until the commit, no other pod can
/// record any, and so that nothing else is waited for meanwhile.
#[derive(Default)]
pub(crate) struct Recording(Vec<Row>);

/// A row to be written.
enum Row {
    /// A transition, and how its satellite was called.
    Edge { transition: Box<Transition>, name: Name, region: Region },
    /// The loss of a region, with what has no column, as text.
    RegionLoss(RegionLoss, String),
}

impl Recording {
    /// Adds a transition that was decided on what was `read`.
    pub(super) fn add(&mut self, transition: Transition, read: &ConnectionSnapshot) {
        let (name, region) = (read.name.clone(), read.region.clone());
        self.0.push(Row::Edge { transition: Box::new(transition), name, region });
    }

    /// Adds the loss of a region.
    pub(super) fn add_region_loss(&mut self, loss: RegionLoss) -> Result<(), Failure> {
        let details = json(&RegionLossDetails {
            since: loss.since.as_millis(),
            lost: loss.lost,
            total: loss.total,
            window_ms: loss.window.get(),
        })?;
        self.0.push(Row::RegionLoss(loss, details));
        Ok(())
    }

    /// Writes them. Whoever wrote some before has committed by the time these get their positions.
    pub(super) async fn insert(self, database: &Database) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        database.lock(Lock::Events).await?;
        for chunk in self.0.chunks(CHUNK) {
            let rows = chunk.iter().enumerate().map(|(n, row)| row.cells(n)).collect();
            let rows = table::parameters(database.dialect, COLUMNS, rows)?;
            database.execute(insert_sql(database.dialect), rows).await?;
        }
        Ok(())
    }
}

impl Row {
    /// In the order of the columns; `n` is its place in the chunk.
    fn cells(&self, n: usize) -> [Cell<'_>; 22] {
        match self {
            Self::Edge { transition, name, region } => Self::edge(transition, name, region, n),
            Self::RegionLoss(loss, details) => Self::region_loss(loss, details, n),
        }
    }

    fn region_loss<'a>(loss: &'a RegionLoss, details: &'a str, n: usize) -> [Cell<'a>; 22] {
        let mut cells = [const { Cell::Text(None) }; 22];
        let given: [(usize, Cell<'a>); 10] = [
            (0, loss.context().0.into()),
            (1, loss.seq.0.into()),
            (2, 0_i64.into()),
            (4, REGION_LOSS.into()),
            (6, loss.occurred_at.as_millis().into()),
            (7, loss.pod.as_str().into()),
            (10, loss.region.as_str().into()),
            (11, loss.region.as_str().into()),
            (20, details.into()),
            (21, (n as u64).into()),
        ];
        for ((at, cell), (_, kind)) in cells.iter_mut().enumerate().zip(COLUMNS) {
            *cell = match kind {
                Type::Id => Cell::Id(None),
                Type::Int => Cell::Int(None),
                Type::Text => Cell::Text(None),
            };
            if let Some((_, given)) = given.iter().find(|(place, _)| *place == at) {
                *cell = given.clone();
            }
        }
        cells
    }

    fn edge<'a>(
        transition: &'a Transition,
        name: &'a Name,
        region: &'a Region,
        n: usize,
    ) -> [Cell<'a>; 22] {
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
            Cell::Text(None),
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

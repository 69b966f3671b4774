//! What agents say of themselves: one statement for all that said something.

use std::collections::BTreeMap;

use super::job::Agent;
use crate::database::{Database, json};
use crate::dialect::Type;
use crate::error::Failure;
use crate::table::{self, Cell};

const COLUMNS: &[(&str, Type); 3] =
    &[("id", Type::Id), ("version", Type::Text), ("capabilities", Type::Text)];

/// Writes them all; of two reports of one satellite the later holds.
pub(super) async fn apply(database: &Database, jobs: &[Agent]) -> Result<(), Failure> {
    if jobs.is_empty() {
        return Ok(());
    }
    let latest: BTreeMap<_, _> = jobs.iter().map(|job| (job.satellite, &job.agent)).collect();
    let mut rows: Vec<[Cell<'_>; 3]> = Vec::with_capacity(latest.len());
    for (satellite, agent) in latest {
        let capabilities = json(&agent.capabilities)?;
        rows.push([satellite.0.into(), agent.version.as_deref().into(), capabilities.into()]);
    }
    let rows = table::parameters(database.dialect, COLUMNS, rows)?;
    let sql = format!(
        "UPDATE satellites AS s SET version = w.version, capabilities = w.capabilities \
         FROM {} AS w WHERE s.id = w.id",
        database.dialect.rows(COLUMNS)
    );
    database.execute(sql, rows).await.map(drop)
}

//! What agents say of themselves: one statement for all that said something.

use std::collections::HashMap;

use sea_orm::Value;
use serde::Serialize;
use uuid::Uuid;

use super::job::Agent;
use crate::database::{Database, json};
use crate::dialect::Type;
use crate::error::Failure;

const COLUMNS: &[(&str, Type)] =
    &[("id", Type::Id), ("version", Type::Text), ("capabilities", Type::Text)];

#[derive(Serialize)]
struct Row<'a> {
    id: Uuid,
    version: Option<&'a str>,
    capabilities: String,
}

/// Writes them all; of two reports of one satellite the later holds.
pub(super) async fn apply(database: &Database, jobs: &[Agent]) -> Result<(), Failure> {
    if jobs.is_empty() {
        return Ok(());
    }
    let latest: HashMap<_, _> = jobs.iter().map(|job| (job.satellite, &job.agent)).collect();
    let mut rows = Vec::with_capacity(latest.len());
    for (satellite, agent) in latest {
        let capabilities = json(&agent.capabilities)?;
        rows.push(Row { id: satellite.0, version: agent.version.as_deref(), capabilities });
    }
    let rows = json(&rows)?;
    let sql = format!(
        "UPDATE satellites AS s SET version = w.version, capabilities = w.capabilities \
         FROM {} AS w WHERE s.id = w.id",
        database.dialect.rows(COLUMNS)
    );
    database.execute(sql, [Value::from(rows)]).await.map(drop)
}

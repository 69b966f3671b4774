//! The schema that a database has, and the one that this version needs.

use groundcontrol_migrations::Migrator;
use sea_orm::DbErr;
use sea_orm_migration::MigratorTrait;

use super::OpenError;
use crate::database::Database;
use crate::error::{Failure, detail};

/// One step of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStep {
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Where the migrator notes the steps that were applied.
const STEPS_TABLE: &str = "seaql_migrations";

/// Runs the steps that are missing and answers their names, in order.
pub(super) async fn bring_up_to_date(database: &Database) -> Result<Vec<String>, OpenError> {
    let missing = status(database).await?.into_iter().filter(|step| !step.applied);
    let missing: Vec<String> = missing.map(|step| step.name).collect();
    if !missing.is_empty() {
        let up = Migrator::up(&database.connection, None).await;
        up.map_err(|error| failed("bring the schema up to date", &error))?;
    }
    Ok(missing)
}

/// The steps and whether each was applied; changes nothing.
pub(super) async fn status(database: &Database) -> Result<Vec<MigrationStep>, OpenError> {
    let applied = applied(database).await?;
    let known: Vec<String> =
        Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    if let Some(step) = applied.iter().find(|step| !known.contains(step)) {
        return Err(OpenError::Newer { step: step.clone() });
    }
    let step = |name: String| MigrationStep { applied: applied.contains(&name), name };
    Ok(known.into_iter().map(step).collect())
}

async fn applied(database: &Database) -> Result<Vec<String>, OpenError> {
    let tables = names(database, database.dialect.tables()).await?;
    if tables.iter().any(|table| table == STEPS_TABLE) {
        return names(database, &format!("SELECT version FROM {STEPS_TABLE}")).await;
    }
    match tables.into_iter().next() {
        Some(table) => Err(OpenError::NotOurs { table }),
        None => Ok(Vec::new()),
    }
}

async fn names(database: &Database, sql: &str) -> Result<Vec<String>, OpenError> {
    let doing = "read the schema";
    let rows = database.all(sql, []).await.map_err(|failure| match failure {
        Failure::Database(error, _) | Failure::OutcomeUnknown(error) => failed(doing, &error),
        Failure::Corrupt(detail) => OpenError::Database { doing, detail },
        Failure::Closed => OpenError::Database { doing, detail: "it was closed".to_owned() },
    })?;
    let name = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(0);
    rows.iter().map(name).collect::<Result<_, _>>().map_err(|error| failed(doing, &error))
}

fn failed(doing: &'static str, error: &DbErr) -> OpenError {
    OpenError::Database { doing, detail: detail(error) }
}

//! The schema that a database has, and the one that this version needs.

use groundcontrol_migrations::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement, TransactionTrait};
use sea_orm_migration::MigratorTrait;

use super::OpenError;
use crate::dialect::{Dialect, LOCKS};
use crate::error::detail;

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

/// Runs the steps that are missing and answers their names, in order. On a server, pods that start
/// at once take turns, all missing steps are one transaction, and who comes later finds them done.
pub(super) async fn bring_up_to_date(
    connection: &DatabaseConnection,
    dialect: Dialect,
) -> Result<Vec<String>, OpenError> {
    let missing = missing(connection, dialect).await?;
    if missing.is_empty() {
        return Ok(missing);
    }
    let doing = "bring the schema up to date";
    let failed = |error| failed(doing, &error);
    match dialect {
        Dialect::Sqlite => {
            Migrator::up(connection, None).await.map_err(failed)?;
            Ok(missing)
        }
        Dialect::Postgres => {
            let transaction = connection.begin().await.map_err(failed)?;
            let turn = format!("SELECT pg_advisory_xact_lock({LOCKS}, hashtext(current_schema()))");
            transaction.execute_unprepared(&turn).await.map_err(failed)?;
            let missing = self::missing(&transaction, dialect).await?;
            if !missing.is_empty() {
                Migrator::up(&transaction, None).await.map_err(failed)?;
            }
            transaction.commit().await.map_err(failed)?;
            Ok(missing)
        }
    }
}

/// The steps and whether each was applied; changes nothing.
pub(super) async fn status(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
) -> Result<Vec<MigrationStep>, OpenError> {
    let applied = applied(connection, dialect).await?;
    let known: Vec<String> =
        Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    if let Some(step) = applied.iter().find(|step| !known.contains(step)) {
        return Err(OpenError::Newer { step: step.clone() });
    }
    let step = |name: String| MigrationStep { applied: applied.contains(&name), name };
    Ok(known.into_iter().map(step).collect())
}

async fn missing(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
) -> Result<Vec<String>, OpenError> {
    let missing = status(connection, dialect).await?.into_iter().filter(|step| !step.applied);
    Ok(missing.map(|step| step.name).collect())
}

async fn applied(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
) -> Result<Vec<String>, OpenError> {
    let tables = names(connection, dialect, dialect.tables()).await?;
    if tables.iter().any(|table| table == STEPS_TABLE) {
        return names(connection, dialect, &format!("SELECT version FROM {STEPS_TABLE}")).await;
    }
    match tables.into_iter().next() {
        Some(table) => Err(OpenError::NotOurs { table }),
        None => Ok(Vec::new()),
    }
}

async fn names(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    sql: &str,
) -> Result<Vec<String>, OpenError> {
    let failed = |error| failed("read the schema", &error);
    let read = Statement::from_string(dialect.backend(), sql);
    let rows = connection.query_all_raw(read).await.map_err(failed)?;
    let name = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(0);
    rows.iter().map(name).collect::<Result<_, _>>().map_err(failed)
}

fn failed(doing: &'static str, error: &DbErr) -> OpenError {
    OpenError::Database { doing, detail: detail(error) }
}

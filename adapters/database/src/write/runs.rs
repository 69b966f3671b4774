//! What satellites report: two statements for any number of runs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use groundcontrol_core::run::{Run, StrategyError};
use groundcontrol_core::time::Timestamp;
use sea_orm::QueryResult;

use super::job::Write;
use super::transitions::Recording;
use crate::database::Database;
use crate::dialect::{Dialect, Type};
use crate::error::Failure;
use crate::rows::{self, Columns};
use crate::table::{self, Cell};

/// Keeps runs.
pub(crate) struct RecordRuns(pub(crate) Vec<Run>);

/// Keeps what agents said of strategies.
pub(crate) struct RecordStrategyErrors(pub(crate) Vec<StrategyError>);

/// Deletes old runs.
pub(crate) struct PruneRuns {
    pub(crate) before: Timestamp,
    pub(crate) limit: usize,
}

const RUNS: &[(&str, Type); 13] = &[
    ("satellite_id", Type::Id),
    ("repetition", Type::Text),
    ("source", Type::Text),
    ("check_id", Type::Id),
    ("system_id", Type::Id),
    ("environment", Type::Text),
    ("status", Type::Text),
    ("latency_us", Type::Int),
    ("result", Type::Text),
    ("failed", Type::Text),
    ("result_id", Type::Text),
    ("executed_at", Type::Int),
    ("received_at", Type::Int),
];

const NUMBERS: &[(&str, Type); 1] = &[("number", Type::Int)];

const KEYS: &[(&str, Type); 5] = &[
    ("check_id", Type::Id),
    ("system_id", Type::Id),
    ("satellite_id", Type::Id),
    ("environment", Type::Text),
    ("number", Type::Int),
];

const ERRORS: &[(&str, Type); 4] = &[
    ("satellite_id", Type::Id),
    ("strategy_id", Type::Text),
    ("message", Type::Text),
    ("said_at", Type::Int),
];

#[async_trait]
impl Write for RecordRuns {
    type Output = ();
    const DOING: &'static str = "keep runs";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let rows = table::parameters(database.dialect, RUNS, self.0.iter().map(row).collect())?;
        let names: Vec<_> = RUNS.iter().map(|(name, _)| *name).collect();
        let of_rows: Vec<_> = names.iter().map(|name| format!("w.{name}")).collect();
        let sql = format!(
            "INSERT INTO runs ({}) SELECT {} FROM {} AS w WHERE true \
             ON CONFLICT (satellite_id, repetition) DO NOTHING RETURNING number",
            names.join(", "),
            of_rows.join(", "),
            database.dialect.rows(RUNS)
        );
        let kept = database.all(sql, rows).await?;
        let kept = rows::all(&kept, |row| Ok([Columns::of(row, "run").int()?.into()]))?;
        if kept.is_empty() {
            return Ok(());
        }
        let numbers = table::parameters(database.dialect, NUMBERS, kept)?;
        database.execute(latest_sql(database.dialect), numbers).await.map(drop)
    }
}

/// Makes of the runs with these numbers those the latest which are, in the one order in which
/// everybody does.
pub(crate) fn latest_sql(dialect: Dialect) -> String {
    let key = "check_id, system_id, satellite_id, environment";
    format!(
        "INSERT INTO latest_runs ({key}, number, executed_at, received_at) \
         SELECT {key}, number, executed_at, received_at FROM (\
         SELECT r.check_id, r.system_id, r.satellite_id, \
         COALESCE(r.environment, '') AS environment, r.number, r.executed_at, r.received_at, \
         row_number() OVER (PARTITION BY r.check_id, r.system_id, r.satellite_id, \
         COALESCE(r.environment, '') ORDER BY r.executed_at DESC, r.number DESC) AS place \
         FROM {} AS w JOIN runs AS r ON r.number = w.number) AS newest \
         WHERE place = 1 ORDER BY {key} \
         ON CONFLICT ({key}) DO UPDATE SET number = excluded.number, \
         executed_at = excluded.executed_at, received_at = excluded.received_at \
         WHERE excluded.executed_at > latest_runs.executed_at \
         OR excluded.executed_at = latest_runs.executed_at \
         AND excluded.number > latest_runs.number",
        dialect.rows(NUMBERS)
    )
}

fn row(kept: &Run) -> [Cell<'_>; 13] {
    let run = &kept.run;
    [
        rows::runner_id(kept.satellite).into(),
        kept.repetition().into(),
        kept.source.as_str().into(),
        run.check.0.into(),
        run.system.0.into(),
        run.environment.as_deref().into(),
        run.status.name().into(),
        run.latency_ms.map(microseconds).into(),
        run.result.as_ref().map(|json| json.as_str()).into(),
        kept.failed.as_ref().map(|json| json.as_str()).into(),
        run.result_id.as_deref().into(),
        run.executed_at.as_millis().into(),
        kept.received_at.as_millis().into(),
    ]
}

/// What is beyond the range of a run's time is cut to it.
fn microseconds(millis: f64) -> i64 {
    const MOST: f64 = 1e15;
    (millis * 1_000.0).round().clamp(0.0, MOST) as i64
}

#[async_trait]
impl Write for RecordStrategyErrors {
    type Output = ();
    const DOING: &'static str = "keep what agents say of strategies";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let latest: BTreeMap<_, _> = self
            .0
            .iter()
            .map(|error| ((error.satellite, error.strategy.as_str()), error))
            .collect();
        let row = |error: &&StrategyError| -> [Cell<'static>; 4] {
            [
                error.satellite.0.into(),
                error.strategy.clone().into(),
                error.message.clone().into(),
                error.at.as_millis().into(),
            ]
        };
        let rows = latest.values().map(row).collect();
        let rows = table::parameters(database.dialect, ERRORS, rows)?;
        let sql = format!(
            "INSERT INTO strategy_errors (satellite_id, strategy_id, message, said_at) \
             SELECT w.satellite_id, w.strategy_id, w.message, w.said_at FROM {} AS w \
             JOIN satellites AS s ON s.id = w.satellite_id WHERE true \
             ON CONFLICT (satellite_id, strategy_id) DO UPDATE SET message = excluded.message, \
             said_at = excluded.said_at",
            database.dialect.rows(ERRORS)
        );
        database.execute(sql, rows).await.map(drop)
    }
}

#[async_trait]
impl Write for PruneRuns {
    type Output = u64;
    const DOING: &'static str = "delete old runs";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<u64, Failure> {
        let delete = "DELETE FROM runs WHERE number IN (SELECT number FROM runs \
            WHERE received_at < $1 ORDER BY received_at, number LIMIT $2) \
            RETURNING check_id, system_id, satellite_id, COALESCE(environment, ''), number";
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let deleted = database.all(delete, [self.before.as_millis().into(), limit.into()]).await?;
        let count = deleted.len() as u64;
        if count > 0 {
            let keys = table::parameters(database.dialect, KEYS, rows::all(&deleted, key)?)?;
            database.execute(forget_sql(database.dialect), keys).await?;
        }
        Ok(count)
    }
}

/// What is deleted is no latest run.
pub(crate) fn forget_sql(dialect: Dialect) -> String {
    let key = "check_id, system_id, satellite_id, environment, number";
    format!(
        "DELETE FROM latest_runs WHERE ({key}) IN (SELECT {key} FROM {} AS w)",
        dialect.rows(KEYS)
    )
}

fn key(row: &QueryResult) -> Result<[Cell<'static>; 5], Failure> {
    let columns = &mut Columns::of(row, "run");
    let ids = [columns.id()?, columns.id()?, columns.id()?].map(Cell::from);
    let [check, system, satellite] = ids;
    Ok([check, system, satellite, columns.text()?.into(), columns.int()?.into()])
}

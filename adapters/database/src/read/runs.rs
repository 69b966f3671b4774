//! What satellites reported.

use groundcontrol_core::assignment::{CheckId, Json, SystemId};
use groundcontrol_core::ports::RunQuery;
use groundcontrol_core::run::{ReportedRun, RunStatus, StoredRun, StrategyError};
use groundcontrol_core::satellite::SatelliteId;
use sea_orm::{QueryResult, Value};

use super::limit;
use crate::database::Database;
use crate::error::Failure;
use crate::rows::{self, Columns};

type Read<T> = Result<T, Failure>;

const COLUMNS: &str = "number, satellite_id, source, check_id, system_id, environment, status, \
    latency_us, result, failed, result_id, executed_at, received_at";

/// Those that match, newest first.
pub(crate) async fn runs(database: &Database, query: &RunQuery) -> Read<Vec<StoredRun>> {
    let (sql, values) = runs_sql(query);
    rows::all(&database.all(sql, values).await?, stored_run)
}

pub(crate) fn runs_sql(query: &RunQuery) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![limit(query.limit)];
    let mut conditions = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("${}", values.len())));
    };
    if let Some(satellite) = query.satellite {
        add("satellite_id = ?", satellite.0.into());
    }
    if let Some(check) = query.check {
        add("check_id = ?", check.0.into());
    }
    if let Some(system) = query.system {
        add("system_id = ?", system.0.into());
    }
    if let Some(since) = query.since {
        add("executed_at >= ?", since.as_millis().into());
    }
    if let Some(until) = query.until {
        add("executed_at < ?", until.as_millis().into());
    }
    if let Some((at, number)) = query.after {
        add("executed_at <= ?", at.as_millis().into());
        add("(executed_at < ?", at.as_millis().into());
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        add("number < ?)", number.into());
    }
    let filter = if conditions.is_empty() { "" } else { "WHERE" };
    let conditions = conditions.join(" AND ").replace(" AND number <", " OR number <");
    let sql = format!(
        "SELECT {COLUMNS} FROM runs {filter} {conditions} \
         ORDER BY executed_at DESC, number DESC LIMIT $1"
    );
    (sql, values)
}

fn stored_run(row: &QueryResult) -> Read<StoredRun> {
    let columns = &mut Columns::of(row, "run");
    let number = columns.count()?;
    let satellite = SatelliteId(columns.id()?);
    let source = columns.text()?;
    let (check, system) = (CheckId(columns.id()?), SystemId(columns.id()?));
    let environment = columns.opt_text()?;
    let name = columns.text()?;
    let status = RunStatus::from_name(&name)
        .ok_or_else(|| columns.nonsense(format_args!("unknown status {name:?}")))?;
    let latency_ms = columns.opt_int()?.map(|micros| micros as f64 / 1_000.0);
    let result = columns.opt_text()?.map(Json::trusted);
    let failed = columns.opt_text()?.map(Json::trusted);
    let result_id = columns.opt_text()?;
    let (executed_at, received_at) = (columns.time()?, columns.time()?);
    let run = ReportedRun {
        check,
        system,
        environment,
        status,
        latency_ms,
        result,
        executed_at,
        result_id,
    };
    Ok(StoredRun { number, satellite, source, run, failed, received_at })
}

/// What a satellite's agent said of strategies.
pub(crate) async fn strategy_errors(
    database: &Database,
    satellite: SatelliteId,
) -> Read<Vec<StrategyError>> {
    let sql = "SELECT strategy_id, message, said_at FROM strategy_errors \
        WHERE satellite_id = $1 ORDER BY strategy_id";
    let rows = database.all(sql, [satellite.0.into()]).await?;
    rows::all(&rows, |row| {
        let columns = &mut Columns::of(row, "strategy error");
        let (strategy, message) = (columns.text()?, columns.text()?);
        Ok(StrategyError { satellite, strategy, message, at: columns.time()? })
    })
}

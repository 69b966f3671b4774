//! What satellites reported, all of it and the latest.

use groundcontrol_core::assignment::{CheckId, Json, SystemId};
use groundcontrol_core::ports::{LatestQuery, RunQuery};
use groundcontrol_core::run::{ReportedRun, RunStatus, StoredRun, StrategyError};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;
use sea_orm::{QueryResult, Value};

use super::filter::Filter;
use super::signed;
use crate::database::Database;
use crate::error::Failure;
use crate::rows::{self, Columns};

type Read<T> = Result<T, Failure>;

const COLUMNS: &str = "r.number, r.satellite_id, r.source, r.check_id, r.system_id, r.environment, \
    r.status, r.latency_us, r.result, r.failed, r.result_id, r.executed_at, r.received_at";

/// Those that match, newest first.
pub(crate) async fn runs(database: &Database, query: &RunQuery) -> Read<Vec<StoredRun>> {
    let (sql, values) = runs_sql(query);
    rows::all(&database.all(sql, values).await?, stored_run)
}

pub(crate) fn runs_sql(query: &RunQuery) -> (String, Vec<Value>) {
    let mut filter = Filter::of(query.limit);
    filter.and_if("r.satellite_id =", query.satellite.map(|id| id.0));
    filter.and_if("r.check_id =", query.check.map(|id| id.0));
    filter.and_if("r.system_id =", query.system.map(|id| id.0));
    filter.and_if("r.executed_at >=", query.since.map(Timestamp::as_millis));
    filter.and_if("r.executed_at <", query.until.map(Timestamp::as_millis));
    if let Some((at, number)) = query.after {
        let (at, number) = (filter.value(at.as_millis()), filter.value(signed(number)));
        filter.and(format!("r.executed_at <= {at}"));
        filter.and(format!("(r.executed_at < {at} OR r.number < {number})"));
    }
    let (wanted, values) = filter.into_parts();
    let sql = format!(
        "SELECT {COLUMNS} FROM runs AS r {wanted} \
         ORDER BY r.executed_at DESC, r.number DESC LIMIT $1"
    );
    (sql, values)
}

/// Of each key the run that was executed last.
pub(crate) async fn latest_runs(database: &Database, query: &LatestQuery) -> Read<Vec<StoredRun>> {
    let (sql, values) = latest_runs_sql(query);
    rows::all(&database.all(sql, values).await?, stored_run)
}

/// The cursor is compared by what no filter fixes, so that each filter has its index in order.
pub(crate) fn latest_runs_sql(query: &LatestQuery) -> (String, Vec<Value>) {
    let mut filter = Filter::of(query.limit);
    let (after, mut free) = (query.after.as_ref(), Vec::new());
    let nobody = rows::runner_id(None);
    let columns = [
        ("l.check_id", query.check.map(|id| id.0), after.map(|key| key.check.0)),
        ("l.system_id", query.system.map(|id| id.0), after.map(|key| key.system.0)),
        (
            "l.satellite_id",
            query.satellite.map(|id| id.0),
            after.map(|key| key.satellite.map_or(nobody, |id| id.0)),
        ),
    ];
    for (column, wanted, after) in columns {
        match wanted {
            Some(id) => filter.and_if(&format!("{column} ="), Some(id)),
            None => free.push((column, after.map(Value::from))),
        }
    }
    free.push(("l.environment", after.map(|key| key.environment.clone().into())));
    let order: Vec<_> = free.iter().map(|(column, _)| *column).collect();
    let order = order.join(", ");
    if after.is_some() {
        let reached = free.into_iter().filter_map(|(_, value)| value);
        let reached: Vec<_> = reached.map(|value| filter.value(value)).collect();
        filter.and(format!("({order}) > ({})", reached.join(", ")));
    }
    let (wanted, values) = filter.into_parts();
    let sql = format!(
        "SELECT {COLUMNS} FROM latest_runs AS l JOIN runs AS r ON r.number = l.number \
         {wanted} ORDER BY {order} LIMIT $1"
    );
    (sql, values)
}

fn stored_run(row: &QueryResult) -> Read<StoredRun> {
    let columns = &mut Columns::of(row, "run");
    let number = columns.count()?;
    let satellite = rows::runner(columns.id()?);
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

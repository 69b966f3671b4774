//! Systems, checks and assignments for operators.

use std::collections::BTreeMap;

use groundcontrol_core::assignment::{
    Assertion, Assignment, AssignmentId, Check, CheckId, Collector, Collectors, Interval, Json,
    Selector, StrategyId, System, SystemId, TagExpression, Target,
};
use groundcontrol_core::ports::AssignmentQuery;
use groundcontrol_core::satellite::{Name, Region, SatelliteId};
use sea_orm::{QueryResult, Value};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::filter::Filter;
use super::limit;
use crate::database::Database;
use crate::error::Failure;
use crate::rows::{self, Columns};
use crate::table;

/// The columns of [`system_of`], of the table `s`.
pub(super) const SYSTEM: &str = "s.id, s.name, s.metadata, s.managed_by, s.created_at";
/// The columns of [`check_of`], of the table `c`.
pub(super) const CHECK: &str = "c.id, c.name, c.strategy_id, c.config, c.collectors, c.interval_seconds, \
    c.managed_by, c.created_at";
/// The columns of [`assignment_of`], of the table `a`.
pub(super) const ASSIGNMENT: &str = "a.id, a.check_id, a.system_id, a.selector_region, a.selector_tags, \
    a.managed_by, a.created_at";

/// How many columns [`CHECK`] has.
pub(super) const CHECK_COLUMNS: usize = 8;
/// How many columns [`SYSTEM`] has.
pub(super) const SYSTEM_COLUMNS: usize = 5;

type Read<T> = Result<T, Failure>;

pub(crate) async fn system(database: &Database, id: SystemId) -> Read<Option<System>> {
    let sql = format!("SELECT {SYSTEM} FROM systems AS s WHERE s.id = $1");
    let row = database.one(sql, [id.0.into()]).await?;
    row.map(|row| system_of(&mut Columns::of(&row, "system"))).transpose()
}

pub(crate) async fn systems(
    database: &Database,
    after: Option<Name>,
    most: usize,
) -> Read<Vec<System>> {
    let sql = format!("SELECT {SYSTEM} FROM systems AS s {}", after_name("s"));
    let rows = database.all(sql, [name(after), limit(most)]).await?;
    rows::all(&rows, |row| system_of(&mut Columns::of(row, "system")))
}

pub(crate) async fn check(database: &Database, id: CheckId) -> Read<Option<Check>> {
    let sql = format!("SELECT {CHECK} FROM checks AS c WHERE c.id = $1");
    let row = database.one(sql, [id.0.into()]).await?;
    row.map(|row| check_of(&mut Columns::of(&row, "check"))).transpose()
}

pub(crate) async fn checks(
    database: &Database,
    after: Option<Name>,
    most: usize,
) -> Read<Vec<Check>> {
    let sql = format!("SELECT {CHECK} FROM checks AS c {}", after_name("c"));
    let rows = database.all(sql, [name(after), limit(most)]).await?;
    rows::all(&rows, |row| check_of(&mut Columns::of(row, "check")))
}

/// Names are never empty, so every one comes after the empty text.
fn after_name(table: &str) -> String {
    format!("WHERE {table}.name > $1 ORDER BY {table}.name LIMIT $2")
}

fn name(after: Option<Name>) -> Value {
    after.map(|name| name.as_str().to_owned()).unwrap_or_default().into()
}

pub(crate) async fn assignment(database: &Database, id: AssignmentId) -> Read<Option<Assignment>> {
    let sql = format!("SELECT {ASSIGNMENT} FROM assignments AS a WHERE a.id = $1");
    let rows = database.all(sql, [id.0.into()]).await?;
    Ok(with_satellites(database, rows).await?.into_iter().next())
}

pub(crate) async fn assignments(
    database: &Database,
    query: &AssignmentQuery,
) -> Read<Vec<Assignment>> {
    let mut filter = Filter::of(query.limit);
    filter.and_if("a.check_id =", query.check.map(|id| id.0));
    filter.and_if("a.system_id =", query.system.map(|id| id.0));
    filter.and_if("a.id >", query.after.map(|id| id.0));
    let (wanted, values) = filter.into_parts();
    let sql = format!("SELECT {ASSIGNMENT} FROM assignments AS a {wanted} ORDER BY a.id LIMIT $1");
    let rows = database.all(sql, values).await?;
    with_satellites(database, rows).await
}

pub(crate) async fn sandbox_policy(database: &Database) -> Read<Option<Json>> {
    let row = database.one("SELECT policy FROM sandbox_policy", []).await?;
    row.map(|row| Columns::of(&row, "sandbox policy").text().map(Json::trusted)).transpose()
}

/// Assignments with the satellites that they name.
async fn with_satellites(database: &Database, rows: Vec<QueryResult>) -> Read<Vec<Assignment>> {
    let mut found = rows::all(&rows, |row| assignment_of(&mut Columns::of(row, "assignment")))?;
    let naming: Vec<_> = found.iter().filter(|one| names(one)).map(|one| one.id.0).collect();
    if naming.is_empty() {
        return Ok(found);
    }
    let sql = format!(
        "SELECT assignment_id, satellite_id FROM assignment_satellites WHERE assignment_id IN {}",
        database.dialect.ids()
    );
    let ids = table::ids(database.dialect, naming)?;
    let mut named = named_by(&database.all(sql, [ids]).await?)?;
    for assignment in &mut found {
        if let (Target::Satellites(ids), Some(named)) =
            (&mut assignment.target, named.remove(&assignment.id))
        {
            ids.extend(named);
        }
    }
    Ok(found)
}

fn names(assignment: &Assignment) -> bool {
    matches!(assignment.target, Target::Satellites(_))
}

/// From rows of assignment and satellite to the satellites of each assignment.
pub(super) fn named_by(rows: &[QueryResult]) -> Read<BTreeMap<AssignmentId, Vec<SatelliteId>>> {
    let mut named: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        let columns = &mut Columns::of(row, "assignment");
        let assignment = AssignmentId(columns.key()?);
        named.entry(assignment).or_default().push(SatelliteId(columns.id()?));
    }
    Ok(named)
}

pub(super) fn system_of(columns: &mut Columns<'_>) -> Read<System> {
    Ok(System {
        id: SystemId(columns.key()?),
        name: columns.parsed::<Name>()?,
        metadata: Json::trusted(columns.text()?),
        managed_by: columns.manager()?,
        created_at: columns.time()?,
    })
}

pub(super) fn check_of(columns: &mut Columns<'_>) -> Read<Check> {
    Ok(Check {
        id: CheckId(columns.key()?),
        name: columns.parsed::<Name>()?,
        strategy: columns.parsed::<StrategyId>()?,
        config: Json::trusted(columns.text()?),
        collectors: collectors(columns)?,
        interval: Interval::new(columns.count()?).map_err(|why| columns.nonsense(why))?,
        managed_by: columns.manager()?,
        created_at: columns.time()?,
    })
}

/// An assignment, without the satellites that it names.
pub(super) fn assignment_of(columns: &mut Columns<'_>) -> Read<Assignment> {
    let id = AssignmentId(columns.key()?);
    let (check, system) = (CheckId(columns.id()?), SystemId(columns.id()?));
    let region = columns.opt_text()?.map(|text| text.parse::<Region>());
    let region = region.transpose().map_err(|why| columns.nonsense(why))?;
    let tags = columns.opt_text()?.map(|text| text.parse::<TagExpression>());
    let target = match tags.transpose().map_err(|why| columns.nonsense(why))? {
        Some(tags) => Target::Selected(Selector { region, tags }),
        None => Target::Satellites(std::collections::BTreeSet::new()),
    };
    let managed_by = columns.manager()?;
    Ok(Assignment { id, check, system, target, managed_by, created_at: columns.time()? })
}

/// A collector as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredCollector {
    id: String,
    collector_id: String,
    config: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    assertions: Vec<StoredAssertion>,
}

#[derive(Serialize, Deserialize)]
struct StoredAssertion {
    field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json_path: Option<String>,
    operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
}

fn collectors(columns: &mut Columns<'_>) -> Read<Collectors> {
    let stored: Vec<StoredCollector> = columns.json()?;
    let kept = |json: Box<RawValue>| Json::trusted(Box::<str>::from(json));
    let assertion = |one: StoredAssertion| Assertion {
        field: one.field,
        json_path: one.json_path,
        operator: one.operator,
        value: one.value.map(kept),
    };
    let collector = |one: StoredCollector| Collector {
        id: one.id,
        collector_id: one.collector_id,
        config: kept(one.config),
        assertions: one.assertions.into_iter().map(assertion).collect(),
    };
    Collectors::new(stored.into_iter().map(collector).collect())
        .map_err(|fault| columns.nonsense(format_args!("{} {}", fault.pointer, fault.detail)))
}

/// Collectors as they are stored.
pub(crate) fn stored_collectors(collectors: &Collectors) -> Read<String> {
    let kept = |json: &Json| {
        RawValue::from_string(json.as_str().to_owned())
            .map_err(|why| Failure::Corrupt(format!("a collector holds no JSON: {why}")))
    };
    let assertion = |one: &Assertion| {
        Ok::<_, Failure>(StoredAssertion {
            field: one.field.clone(),
            json_path: one.json_path.clone(),
            operator: one.operator.clone(),
            value: one.value.as_ref().map(kept).transpose()?,
        })
    };
    let collector = |one: &Collector| {
        Ok::<_, Failure>(StoredCollector {
            id: one.id.clone(),
            collector_id: one.collector_id.clone(),
            config: kept(&one.config)?,
            assertions: one.assertions.iter().map(assertion).collect::<Result<_, _>>()?,
        })
    };
    let stored: Result<Vec<_>, _> = collectors.as_slice().iter().map(collector).collect();
    crate::database::json(&stored?)
}

/// An id as [`Columns`] reads it, for keys of maps.
pub(super) fn peek_id(row: &QueryResult, column: usize) -> Read<Uuid> {
    row.try_get_by_index(column).map_err(|error| Failure::Corrupt(error.to_string()))
}

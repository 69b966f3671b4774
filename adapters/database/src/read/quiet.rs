//! What is assigned and was not run for its interval, with who could have run it.
//!
//! Three statements for any number of pairs: which are quiet, what is assigned of those with
//! whether any of the satellites that are named is online, and, only where something selects,
//! which kinds of places satellites are in.

use std::collections::BTreeMap;

use groundcontrol_core::assignment::{CheckId, Interval, Selector, SystemId, TagExpression};
use groundcontrol_core::connection::Status;
use groundcontrol_core::ports::QuietQuery;
use groundcontrol_core::run::{QuietPair, Watchers};
use groundcontrol_core::satellite::{Region, Tags};
use groundcontrol_core::time::Timestamp;
use sea_orm::{QueryResult, Value};

use super::limit;
use super::list::is_online;
use crate::database::Database;
use crate::dialect::{Dialect, Type};
use crate::error::Failure;
use crate::rows::{self, Columns};
use crate::table;

type Read<T> = Result<T, Failure>;
type Pair = (CheckId, SystemId);
type Place = (Region, Tags, Status);

const PAIRS: &[(&str, Type); 2] = &[("check_id", Type::Id), ("system_id", Type::Id)];

/// Those that are quiet, in the order of check and system.
pub(crate) async fn quiet_pairs(database: &Database, query: &QuietQuery) -> Read<Vec<QuietPair>> {
    let (sql, values) = quiet_sql(query);
    let mut found = rows::all(&database.all(sql, values).await?, quiet_pair)?;
    if found.is_empty() {
        return Ok(found);
    }
    let mut watchers = watchers(database, &found, query.now).await?;
    for pair in &mut found {
        pair.watchers = watchers.remove(&(pair.check, pair.system)).unwrap_or_default();
    }
    Ok(found)
}

/// `$1` is now. A pair that was run lately is passed over at the first such run; a subquery with a
/// limit keeps PostgreSQL from reading all latest runs instead.
pub(crate) fn quiet_sql(query: &QuietQuery) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![query.now.as_millis().into(), limit(query.limit)];
    let after = query.after.map_or("", |(check, system)| {
        values.extend([check.0.into(), system.0.into()]);
        "WHERE (check_id, system_id) > ($3, $4)"
    });
    let due = "$1 - c.interval_seconds * 1000";
    let sql = format!(
        "SELECT a.check_id, a.system_id, c.interval_seconds, a.created_at, c.created_at, \
         s.created_at, (SELECT max(l.received_at) FROM latest_runs AS l \
         WHERE l.check_id = a.check_id AND l.system_id = a.system_id) \
         FROM (SELECT check_id, system_id, max(created_at) AS created_at FROM assignments {after} \
         GROUP BY check_id, system_id) AS a \
         JOIN checks AS c ON c.id = a.check_id JOIN systems AS s ON s.id = a.system_id \
         WHERE a.created_at <= {due} AND c.created_at <= {due} AND s.created_at <= {due} \
         AND (SELECT 1 FROM latest_runs AS l WHERE l.check_id = a.check_id \
         AND l.system_id = a.system_id AND l.received_at > {due} LIMIT 1) IS NULL \
         ORDER BY a.check_id, a.system_id LIMIT $2"
    );
    (sql, values)
}

fn quiet_pair(row: &QueryResult) -> Read<QuietPair> {
    let columns = &mut Columns::of(row, "quiet check");
    let (check, system) = (CheckId(columns.key()?), SystemId(columns.id()?));
    let interval = Interval::new(columns.count()?).map_err(|why| columns.nonsense(why))?;
    let made = [columns.time()?, columns.time()?, columns.time()?];
    let last = columns.opt_time()?;
    let since = made.into_iter().chain(last).max().unwrap_or_default();
    Ok(QuietPair { check, system, interval, since, watchers: Watchers::default() })
}

/// Who is there to run each of `pairs`.
async fn watchers(
    database: &Database,
    pairs: &[QuietPair],
    now: Timestamp,
) -> Read<BTreeMap<Pair, Watchers>> {
    let dialect = database.dialect;
    let row = |pair: &QuietPair| [pair.check.0.into(), pair.system.0.into()];
    let mut values = table::parameters(dialect, PAIRS, pairs.iter().map(row).collect())?;
    values.push(now.as_millis().into());
    let assigned = rows::all(&database.all(assigned_sql(dialect), values).await?, assigned)?;
    let selects = assigned.iter().any(|(_, assigned)| matches!(assigned, Assigned::Selected(_)));
    let places = if selects { places(database, now).await? } else { Vec::new() };
    let mut watchers: BTreeMap<Pair, Watchers> = BTreeMap::new();
    for (pair, assigned) in assigned {
        let who = match assigned {
            Assigned::Named(who) => who,
            Assigned::Selected(selector) => Watchers::selected(&selector, &places),
        };
        let best = watchers.entry(pair).or_default();
        *best = who.max(*best);
    }
    Ok(watchers)
}

/// What one assignment says of who is there.
enum Assigned {
    Named(Watchers),
    Selected(Selector),
}

/// Of the satellites that an assignment names: whether there is one, and whether one is online.
pub(crate) fn assigned_sql(dialect: Dialect) -> String {
    let pairs = dialect.rows(PAIRS);
    let now = dialect.after_rows(PAIRS);
    format!(
        "SELECT a.check_id, a.system_id, a.selector_region, a.selector_tags, \
         (SELECT 1 FROM assignment_satellites AS n WHERE n.assignment_id = a.id LIMIT 1), \
         (SELECT 1 FROM assignment_satellites AS n \
         JOIN satellite_connections AS c ON c.satellite_id = n.satellite_id \
         WHERE n.assignment_id = a.id AND {} LIMIT 1) \
         FROM {pairs} AS w JOIN assignments AS a \
         ON a.check_id = w.check_id AND a.system_id = w.system_id",
        is_online(&now)
    )
}

fn assigned(row: &QueryResult) -> Read<(Pair, Assigned)> {
    let columns = &mut Columns::of(row, "assignment of check");
    let pair = (CheckId(columns.key()?), SystemId(columns.id()?));
    let region = columns.opt_text()?.map(|text| text.parse::<Region>());
    let region = region.transpose().map_err(|why| columns.nonsense(why))?;
    let tags = columns.opt_text()?.map(|text| text.parse::<TagExpression>());
    let tags = tags.transpose().map_err(|why| columns.nonsense(why))?;
    let is_there = |found: Option<i32>, status| found.map(|_| status);
    let named = is_there(columns.take()?, Status::Offline);
    let online = is_there(columns.take()?, Status::Online);
    Ok(match tags {
        Some(tags) => (pair, Assigned::Selected(Selector { region, tags })),
        None => (pair, Assigned::Named(Watchers::of(named.into_iter().chain(online)))),
    })
}

/// Each region with its tags once, with whether a satellite there is online.
async fn places(database: &Database, now: Timestamp) -> Read<Vec<Place>> {
    let rows = database.all(places_sql(), [now.as_millis().into()]).await?;
    rows::all(&rows, |row| {
        let columns = &mut Columns::of(row, "place of satellites");
        let (region, tags) = (columns.parsed()?, rows::tags(columns)?);
        let online: i32 = columns.take()?;
        Ok((region, tags, if online == 1 { Status::Online } else { Status::Offline }))
    })
}

fn places_sql() -> String {
    format!(
        "SELECT s.region, s.tags, max(CASE WHEN {} THEN 1 ELSE 0 END) FROM satellites AS s \
         JOIN satellite_connections AS c ON c.satellite_id = s.id GROUP BY s.region, s.tags",
        is_online("$1")
    )
}

//! Rules, their alerts, and how regions are.

use groundcontrol_core::automation::{
    Alert, AlertId, AlertStanding, AlertState, RegionCount, Rule, RuleId, SILENT_ENDS, WebhookId,
};
use groundcontrol_core::connection::{ContextId, EventKind, LifecycleEvent};
use groundcontrol_core::ports::{AlertQuery, EventCursor, RegionStanding, RuleProgress};
use groundcontrol_core::satellite::{Name, Region, Seq};
use groundcontrol_core::time::Timestamp;
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use super::limit;
use super::webhooks::{filter, named};
use crate::database::Database;
use crate::dialect::Type;
use crate::error::Failure;
use crate::notice;
use crate::rows::{self, Columns};
use crate::table;

type Read<T> = Result<T, Failure>;

const RULE: &str = "id, name, active, removed, filter_events, filter_satellites, filter_region, \
    filter_tags, filter_causes, lasts_ms, steady_ms, region_instead, webhook_id, created_at";

const ALERT: &str = "rule_id, alert_id, satellite_id, name, region, event, since, state, fired_at, \
    due_at, told_webhook";

/// One rule.
pub(crate) async fn rule(database: &Database, id: RuleId) -> Read<Option<Rule>> {
    let sql = format!("SELECT {RULE} FROM rules WHERE id = $1 AND NOT removed");
    let row = database.one(sql, [id.0.into()]).await?;
    row.as_ref().map(of_row).transpose()
}

/// Those after a name.
pub(crate) async fn rules(
    database: &Database,
    after: Option<Name>,
    most: usize,
) -> Read<Vec<Rule>> {
    let sql =
        format!("SELECT {RULE} FROM rules WHERE name > $1 AND NOT removed ORDER BY name LIMIT $2");
    let after = after.map(|name| name.to_string()).unwrap_or_default();
    rows::all(&database.all(sql, [after.into(), limit(most)]).await?, of_row)
}

/// All of them.
pub(crate) async fn all_rules(database: &Database) -> Read<Vec<Rule>> {
    rows::all(&database.all(format!("SELECT {RULE} FROM rules"), []).await?, of_row)
}

fn of_row(row: &QueryResult) -> Read<Rule> {
    let columns = &mut Columns::of(row, "rule");
    Ok(Rule {
        id: RuleId(columns.key()?),
        name: columns.parsed()?,
        active: columns.take()?,
        removed: columns.take()?,
        filter: filter(columns)?,
        lasts: columns.millis()?,
        steady: columns.millis()?,
        region_instead: columns.take()?,
        webhook: WebhookId(columns.id()?),
        created_at: columns.time()?,
    })
}

/// How far the rules have been applied.
pub(crate) async fn progress(database: &Database) -> Read<RuleProgress> {
    let sql = "SELECT version, cursor_position FROM rule_progress";
    let Some(row) = database.one(sql, []).await? else { return Ok(RuleProgress::default()) };
    let columns = &mut Columns::of(&row, "progress of rules");
    let (version, position) = (columns.count()?, columns.count()?);
    let cursor = (position > 0).then_some(EventCursor { commit: 0, position });
    Ok(RuleProgress { version, cursor })
}

/// The alerts of a rule.
pub(crate) async fn alerts(database: &Database, query: &AlertQuery) -> Read<Vec<Alert>> {
    let (since, context) = query
        .after
        .map_or((i64::MIN, Uuid::nil()), |(since, context)| (since.as_millis(), context.0));
    let mut values: Vec<Value> =
        vec![query.rule.0.into(), since.into(), context.into(), limit(query.limit)];
    let mut standing = "";
    if let Some(wanted) = query.standing {
        values.push(wanted.name().into());
        standing = "AND state = $5";
    }
    let sql = format!(
        "SELECT {ALERT} FROM alerts WHERE rule_id = $1 AND (since, context) > ($2, $3) {standing} \
         ORDER BY since, context LIMIT $4"
    );
    rows::all(&database.all(sql, values).await?, alert)
}

/// The alerts about any of these.
pub(crate) async fn about(database: &Database, contexts: &[ContextId]) -> Read<Vec<Alert>> {
    let ids = table::ids(database.dialect, contexts.iter().map(|context| context.0))?;
    rows::all(&database.all(about_sql(database), [ids]).await?, alert)
}

pub(crate) fn about_sql(database: &Database) -> String {
    format!("SELECT {ALERT} FROM alerts WHERE context IN ({})", database.dialect.ids())
}

/// Those that somebody has to look at.
pub(crate) async fn due(database: &Database, now: Timestamp, most: usize) -> Read<Vec<Alert>> {
    let values: [Value; 2] = [now.as_millis().into(), limit(most)];
    rows::all(&database.all(due_sql(), values).await?, alert)
}

pub(crate) fn due_sql() -> String {
    format!(
        "SELECT {ALERT} FROM alerts WHERE look_at IS NOT NULL AND look_at <= $1 \
         ORDER BY look_at LIMIT $2"
    )
}

/// Those of a region's satellites that are held.
pub(crate) async fn held(database: &Database, region: &Region, most: usize) -> Read<Vec<Alert>> {
    let values: [Value; 2] = [region.as_str().into(), limit(most)];
    rows::all(&database.all(held_sql(), values).await?, alert)
}

pub(crate) fn held_sql() -> String {
    format!("SELECT {ALERT} FROM alerts WHERE state = 'held' AND region = $1 LIMIT $2")
}

fn alert(row: &QueryResult) -> Read<Alert> {
    let columns = &mut Columns::of(row, "alert of rule");
    let rule = RuleId(columns.key()?);
    let id = AlertId(ContextId(columns.id()?));
    let satellite: Option<Uuid> = columns.take()?;
    let (name, region) = (columns.text()?, columns.text()?);
    let subject =
        notice::subject(satellite, &name, &region).map_err(|why| columns.nonsense(why))?;
    let event = named(columns, EventKind::from_name)?;
    let since = columns.time()?;
    let standing = named(columns, AlertStanding::from_name)?;
    let (fired_at, due) = (columns.opt_time()?, columns.opt_time()?);
    let told = columns.take::<Option<Uuid>>()?.map(WebhookId);
    let state = AlertState::of_parts(standing, fired_at, due)
        .ok_or_else(|| columns.nonsense(format_args!("{standing} lacks a time")))?;
    Ok(Alert { id, rule, subject, event, since, state, told })
}

/// The regions whose loss is suspected, and all of these that ever were.
pub(crate) async fn region_losses(
    database: &Database,
    regions: &[Region],
) -> Read<Vec<RegionStanding>> {
    let rows = regions.iter().map(|region| [region.as_str().into()]).collect();
    let values = table::parameters(database.dialect, REGION, rows)?;
    let sql = format!(
        "SELECT region, seq, lost_since FROM region_losses WHERE lost_since IS NOT NULL \
         UNION SELECT region, seq, lost_since FROM region_losses \
         WHERE region IN (SELECT w.region FROM {} AS w)",
        database.dialect.rows(REGION)
    );
    rows::all(&database.all(sql, values).await?, |row| {
        let columns = &mut Columns::of(row, "loss of a region");
        Ok(RegionStanding {
            region: columns.parsed()?,
            seq: Seq(columns.count()?),
            lost_since: columns.opt_time()?,
        })
    })
}

const REGION: &[(&str, Type); 1] = &[("region", Type::Text)];
const REGION_SINCE: &[(&str, Type); 2] = &[("region", Type::Text), ("since", Type::Int)];

/// How regions are.
pub(crate) async fn region_counts(
    database: &Database,
    regions: &[(Region, Timestamp)],
) -> Read<Vec<RegionCount>> {
    let row =
        |(region, since): &'_ (Region, Timestamp)| (region.as_str().to_owned(), since.as_millis());
    let owned: Vec<_> = regions.iter().map(row).collect();
    let rows = owned.iter().map(|(region, since)| [region.as_str().into(), (*since).into()]);
    let values = table::parameters(database.dialect, REGION_SINCE, rows.collect())?;
    rows::all(&database.all(region_counts_sql(database), values).await?, |row| {
        let columns = &mut Columns::of(row, "count of a region");
        Ok(RegionCount {
            region: columns.parsed()?,
            connected: columns.count()?,
            lost: columns.count()?,
            since: columns.opt_time()?,
        })
    })
}

pub(crate) fn region_counts_sql(database: &Database) -> String {
    let (connected, lost) =
        (LifecycleEvent::Connected.name(), LifecycleEvent::HeartbeatLost.name());
    let ended = LifecycleEvent::Disconnected.name();
    let ends: Vec<_> = SILENT_ENDS.iter().map(|cause| format!("'{}'", cause.name())).collect();
    let ends = ends.join(", ");
    let connected = format!("c.last_event = '{connected}'");
    let lost = format!(
        "(c.last_event = '{lost}' OR (c.last_event = '{ended}' AND c.last_cause IN ({ends}))) \
         AND c.last_event_at >= w.since"
    );
    format!(
        "SELECT w.region, COUNT(CASE WHEN {connected} THEN 1 END), \
         COUNT(CASE WHEN {lost} THEN 1 END), MIN(CASE WHEN {lost} THEN c.last_event_at END) \
         FROM {} AS w JOIN satellites AS s ON s.region = w.region AND s.enabled \
         JOIN satellite_connections AS c ON c.satellite_id = s.id \
         WHERE ({connected}) OR ({lost}) GROUP BY w.region",
        database.dialect.rows(REGION_SINCE)
    )
}

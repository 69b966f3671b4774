//! Webhooks, and the events on their way to them.

use std::collections::BTreeMap;

use groundcontrol_core::automation::{
    ContentMode, DeliveryState, EventFilter, Health, KeptSecret, NoticeKind, PauseReason,
    SigningSecret, Webhook, WebhookHeaders, WebhookId, WebhookUrl,
};
use groundcontrol_core::connection::{Cause, ContextId, EventKind, Recorded};
use groundcontrol_core::ports::{
    AttemptSeen, Backlog, Delivery, DeliveryQuery, Due, DueDelivery, EventCursor,
};
use groundcontrol_core::satellite::{Name, Region, SatelliteId, Seq};
use groundcontrol_core::time::Timestamp;
use sea_orm::{QueryResult, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filter::Filter;
use super::{limit, signed};
use crate::database::Database;
use crate::dialect::{Dialect, Type};
use crate::error::Failure;
use crate::notice;
use crate::rows::{self, Columns, TRANSITION_COLUMNS};
use crate::table;

type Read<T> = Result<T, Failure>;

const WEBHOOK: &str = "id, name, url, filter_events, filter_satellites, filter_region, \
    filter_tags, filter_causes, headers, mode, alerts_only, secrets, paused, failing_since, \
    created_at";

const DELIVERY: &str = "number, webhook_id, context, seq, event, alert, state, attempts, \
    created_at, next_at, attempted_at, status, latency_ms, response, error";

/// A signing secret as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredSecret {
    pub(crate) secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

/// One webhook.
pub(crate) async fn webhook(database: &Database, id: WebhookId) -> Read<Option<Webhook>> {
    let sql = format!("SELECT {WEBHOOK} FROM webhooks WHERE id = $1");
    let row = database.one(sql, [id.0.into()]).await?;
    row.as_ref().map(of_row).transpose()
}

/// Those after a name.
pub(crate) async fn webhooks(
    database: &Database,
    after: Option<Name>,
    most: usize,
) -> Read<Vec<Webhook>> {
    let sql = format!("SELECT {WEBHOOK} FROM webhooks WHERE name > $1 ORDER BY name LIMIT $2");
    let after = after.map(|name| name.to_string()).unwrap_or_default();
    rows::all(&database.all(sql, [after.into(), limit(most)]).await?, of_row)
}

fn of_row(row: &QueryResult) -> Read<Webhook> {
    let columns = &mut Columns::of(row, "webhook");
    Ok(Webhook {
        id: WebhookId(columns.key()?),
        name: columns.parsed()?,
        url: columns.parsed::<WebhookUrl>()?,
        filter: filter(columns)?,
        headers: headers(columns)?,
        mode: named(columns, ContentMode::from_name)?,
        alerts_only: columns.take()?,
        secrets: secrets(columns)?,
        health: health(columns)?,
        created_at: columns.time()?,
    })
}

/// Events and causes that this version does not know are left out, unless none would remain: an
/// empty part would want everything.
pub(crate) fn filter(columns: &mut Columns<'_>) -> Read<EventFilter> {
    let events = known(columns, EventKind::from_name)?;
    let satellites: Vec<Uuid> = columns.json()?;
    let satellites = satellites.into_iter().map(SatelliteId).collect();
    let region = columns.opt_text()?.map(|text| text.parse::<Region>()).transpose();
    let region = region.map_err(|why| columns.nonsense(why))?;
    let tags = columns.parsed()?;
    let causes = known(columns, Cause::from_name)?;
    Ok(EventFilter { events, satellites, region, tags, causes })
}

fn known<T, C>(columns: &mut Columns<'_>, of: fn(&str) -> Option<T>) -> Read<C>
where
    C: FromIterator<T>,
{
    let names: Vec<String> = columns.json()?;
    let found: Vec<T> = names.iter().filter_map(|name| of(name)).collect();
    match found.is_empty() && !names.is_empty() {
        true => Err(columns.nonsense(format_args!("{names:?} are not known to this version"))),
        false => Ok(found.into_iter().collect()),
    }
}

fn headers(columns: &mut Columns<'_>) -> Read<WebhookHeaders> {
    let stored: BTreeMap<String, String> = columns.json()?;
    WebhookHeaders::new(stored)
        .map_err(|(name, why)| columns.nonsense(format_args!("header {name:?} {why}")))
}

fn secrets(columns: &mut Columns<'_>) -> Read<Vec<KeptSecret>> {
    let stored: Vec<StoredSecret> = columns.json()?;
    let kept = |stored: StoredSecret| -> Read<KeptSecret> {
        let secret: SigningSecret = stored.secret.parse().map_err(|why| columns.nonsense(why))?;
        let expires_at = stored.expires_at.map(Timestamp::from_millis);
        Ok(KeptSecret { secret, expires_at })
    };
    stored.into_iter().map(kept).collect()
}

fn health(columns: &mut Columns<'_>) -> Read<Health> {
    let paused = match columns.opt_text()? {
        None => None,
        Some(name) => Some(PauseReason::from_name(&name).ok_or_else(|| unknown(columns, &name))?),
    };
    Ok(Health { failing_since: columns.opt_time()?, paused })
}

pub(crate) fn named<T>(columns: &mut Columns<'_>, of: fn(&str) -> Option<T>) -> Read<T> {
    let name = columns.text()?;
    of(&name).ok_or_else(|| unknown(columns, &name))
}

fn unknown(columns: &Columns<'_>, name: &str) -> Failure {
    columns.nonsense(format_args!("{name:?} is not known"))
}

/// Those that nobody works for although there is something to do.
pub(crate) async fn idle(database: &Database, now: Timestamp) -> Read<Vec<WebhookId>> {
    let rows = database.all(IDLE, [now.as_millis().into()]).await?;
    rows::all(&rows, |row| Columns::of(row, "webhook").id().map(WebhookId))
}

pub(crate) const IDLE: &str = "SELECT w.id FROM webhooks AS w WHERE w.paused IS NULL \
    AND (w.lease_until IS NULL OR w.lease_until <= $1) AND (\
    (NOT w.alerts_only \
    AND w.cursor_position < (SELECT COALESCE(MAX(t.position), 0) FROM transitions AS t)) \
    OR (SELECT MIN(d.next_at) FROM webhook_deliveries AS d WHERE d.webhook_id = w.id \
    AND d.state = 'waiting') <= $1)";

/// How far a webhook has come.
pub(crate) async fn backlog(database: &Database, id: WebhookId) -> Read<Option<Backlog>> {
    let Some(row) = database.one(BACKLOG, [id.0.into()]).await? else { return Ok(None) };
    let columns = &mut Columns::of(&row, "webhook");
    let position = columns.count()?;
    let cursor = (position > 0).then_some(EventCursor { commit: 0, position });
    Ok(Some(Backlog { cursor, waiting: columns.count()? }))
}

pub(crate) const BACKLOG: &str = "SELECT w.cursor_position, (SELECT COUNT(*) \
    FROM webhook_deliveries AS d WHERE d.webhook_id = w.id AND d.state = 'waiting') \
    FROM webhooks AS w WHERE w.id = $1";

/// Deliveries whose time has come, and then what happened, together.
pub(crate) async fn due(
    database: &Database,
    id: WebhookId,
    now: Timestamp,
    most: usize,
) -> Read<Vec<DueDelivery>> {
    let values: [Value; 3] = [id.0.into(), now.as_millis().into(), limit(most)];
    let rows = database.all(DUE, values).await?;
    let due = rows::all(&rows, |row| {
        let columns = &mut Columns::of(row, "delivery");
        let (number, attempts) = (columns.count()?, columns.count()?);
        let (place, notice) = (columns.opt_int()?, columns.opt_text()?);
        Ok((number, u32::try_from(attempts).unwrap_or(u32::MAX), place, notice))
    })?;
    let places: Vec<i64> = due.iter().filter_map(|(_, _, place, _)| *place).collect();
    let mut events = match places.is_empty() {
        true => BTreeMap::new(),
        false => events_at(database, places).await?,
    };
    let mut found = Vec::with_capacity(due.len());
    for (number, attempts, place, notice) in due {
        let due = match (place, notice) {
            (Some(place), _) => events.remove(&place).map(Due::Event),
            (None, Some(text)) => Some(Due::Alert(notice::read(&text)?)),
            (None, None) => None,
        };
        found.extend(due.map(|due| DueDelivery { number, attempts, due }));
    }
    Ok(found)
}

/// The lowest seq is looked up for each, and not joined: a table that had no delivery a moment ago
/// has no statistics, and a join by them reads all that waits for each that is due.
pub(crate) const DUE: &str = "SELECT d.number, d.attempts, d.event_position, d.alert \
    FROM webhook_deliveries AS d WHERE d.webhook_id = $1 AND d.state = 'waiting' \
    AND d.next_at <= $2 AND d.seq = (SELECT MIN(e.seq) FROM webhook_deliveries AS e \
    WHERE e.webhook_id = d.webhook_id AND e.context = d.context \
    AND e.state = 'waiting') ORDER BY d.next_at, d.number LIMIT $3";

async fn events_at(database: &Database, positions: Vec<i64>) -> Read<BTreeMap<i64, Recorded>> {
    let cells = positions.into_iter().map(|position| [position.into()]).collect();
    let values = table::parameters(database.dialect, POSITIONS, cells)?;
    let sql = events_at_sql(database.dialect);
    let found = rows::all(&database.all(sql, values).await?, rows::recorded_event)?;
    let place = |cursor: EventCursor| i64::try_from(cursor.position).unwrap_or(i64::MAX);
    Ok(found.into_iter().map(|event| (place(event.cursor), event.recorded)).collect())
}

const POSITIONS: &[(&str, Type); 1] = &[("at", Type::Int)];

pub(crate) fn events_at_sql(dialect: Dialect) -> String {
    format!(
        "SELECT {TRANSITION_COLUMNS} FROM transitions WHERE position IN (SELECT w.at FROM {} AS w)",
        dialect.rows(POSITIONS)
    )
}

/// Those that match, newest first.
pub(crate) async fn deliveries(database: &Database, query: &DeliveryQuery) -> Read<Vec<Delivery>> {
    let (sql, values) = deliveries_sql(query);
    rows::all(&database.all(sql, values).await?, delivery)
}

pub(crate) fn deliveries_sql(query: &DeliveryQuery) -> (String, Vec<Value>) {
    let mut filter = Filter::of(query.limit);
    filter.and_if("webhook_id =", Some(query.webhook.0));
    filter.and_if("state =", query.state.map(DeliveryState::name));
    filter.and_if("number <", query.after.map(signed));
    let (wanted, values) = filter.into_parts();
    let sql =
        format!("SELECT {DELIVERY} FROM webhook_deliveries {wanted} ORDER BY number DESC LIMIT $1");
    (sql, values)
}

fn delivery(row: &QueryResult) -> Read<Delivery> {
    let columns = &mut Columns::of(row, "delivery");
    Ok(Delivery {
        number: columns.count()?,
        webhook: WebhookId(columns.id()?),
        context: ContextId(columns.id()?),
        seq: Seq(columns.count()?),
        kind: named(columns, NoticeKind::from_name)?,
        alert: columns.opt_text()?.map(|text| notice::read(&text)).transpose()?,
        state: named(columns, DeliveryState::from_name)?,
        attempts: u32::try_from(columns.count()?).unwrap_or(u32::MAX),
        created_at: columns.time()?,
        next_at: columns.opt_time()?,
        attempted_at: columns.opt_time()?,
        seen: AttemptSeen {
            status: columns.opt_int()?.and_then(|status| u16::try_from(status).ok()),
            latency: columns.millis()?,
            response: columns.opt_text()?,
            error: columns.opt_text()?,
        },
    })
}

//! Rules: made, changed, removed; and what follows from them.

use async_trait::async_trait;
use groundcontrol_core::automation::{Alert, AlertNotice, Rule, RuleId, WebhookId};
use groundcontrol_core::connection::ContextId;
use groundcontrol_core::limits::MAX_RULES;
use groundcontrol_core::ports::{RuleAdvance, RuleSaved, RuleUpdate};
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;
use uuid::Uuid;

use super::job::Write;
use super::transitions::Recording;
use super::webhooks::filter_columns;
use super::work::exists;
use crate::database::Database;
use crate::dialect::Type;
use crate::error::Failure;
use crate::notice;
use crate::table::{self, Cell};

/// Makes a rule.
pub(crate) struct CreateRule(pub(crate) Rule);

/// Changes a rule.
pub(crate) struct UpdateRule(pub(crate) RuleId, pub(crate) RuleUpdate);

/// Marks a rule as removed.
pub(crate) struct RemoveRule(pub(crate) RuleId);

/// Writes what follows from events, or from the time.
pub(crate) struct AdvanceRules(pub(crate) RuleAdvance);

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[async_trait]
impl Write for CreateRule {
    type Output = RuleSaved;
    const DOING: &'static str = "create a rule";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<RuleSaved, Failure> {
        let new = &self.0;
        overtake(database).await?;
        if exists(database, "rules", new.id.0).await? {
            return Ok(RuleSaved::Done);
        }
        if !exists(database, "webhooks", new.webhook.0).await? {
            return Ok(RuleSaved::NoWebhook);
        }
        let [events, satellites, region, tags, causes] = filter_columns(&new.filter)?;
        let values: [Value; 15] = [
            new.id.0.into(),
            new.name.as_str().into(),
            new.active.into(),
            new.removed.into(),
            events,
            satellites,
            region,
            tags,
            causes,
            new.lasts.as_i64().into(),
            new.steady.as_i64().into(),
            new.region_instead.into(),
            new.webhook.0.into(),
            new.created_at.as_millis().into(),
            i64::try_from(MAX_RULES).unwrap_or(i64::MAX).into(),
        ];
        if database.execute(INSERT, values).await? > 0 {
            return Ok(RuleSaved::Done);
        }
        let taken = "SELECT 1 FROM rules WHERE name = $1 AND NOT removed";
        let taken = database.one(taken, [new.name.as_str().into()]).await?;
        Ok(if taken.is_some() { RuleSaved::NameTaken } else { RuleSaved::TooMany })
    }
}

const INSERT: &str = "INSERT INTO rules (id, name, active, removed, filter_events, \
    filter_satellites, filter_region, filter_tags, filter_causes, lasts_ms, steady_ms, \
    region_instead, webhook_id, created_at) \
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 \
    WHERE (SELECT COUNT(*) FROM rules WHERE NOT removed) < $15 ON CONFLICT DO NOTHING";

#[async_trait]
impl Write for UpdateRule {
    type Output = RuleSaved;
    const DOING: &'static str = "change a rule";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<RuleSaved, Failure> {
        let Self(id, update) = self;
        overtake(database).await?;
        if let Some(webhook) = update.webhook
            && !exists(database, "webhooks", webhook.0).await?
        {
            return Ok(RuleSaved::NoWebhook);
        }
        let there = "SELECT 1 FROM rules WHERE id = $1 AND NOT removed";
        if database.one(there, [id.0.into()]).await?.is_none() {
            return Ok(RuleSaved::Gone);
        }
        if let Some(name) = &update.name {
            let other = "SELECT 1 FROM rules WHERE name = $1 AND id <> $2 AND NOT removed";
            if database.one(other, [name.as_str().into(), id.0.into()]).await?.is_some() {
                return Ok(RuleSaved::NameTaken);
            }
        }
        let changes = changes(update)?;
        if changes.is_empty() {
            return Ok(RuleSaved::Done);
        }
        let set =
            changes.iter().enumerate().map(|(at, (column, _))| format!("{column} = ${}", at + 2));
        let sql = format!("UPDATE rules SET {} WHERE id = $1", set.collect::<Vec<_>>().join(", "));
        let values =
            [Value::from(id.0)].into_iter().chain(changes.into_iter().map(|(_, value)| value));
        database.execute(sql, values).await?;
        if update.active == Some(false) {
            look_at(database, *id).await?;
        }
        Ok(RuleSaved::Done)
    }
}

/// The columns that change.
fn changes(update: &RuleUpdate) -> Result<Vec<(&'static str, Value)>, Failure> {
    let RuleUpdate { name, active, filter, lasts, steady, region_instead, webhook } = update;
    let mut changes: Vec<(&'static str, Value)> = Vec::new();
    if let Some(filter) = filter {
        let names =
            ["filter_events", "filter_satellites", "filter_region", "filter_tags", "filter_causes"];
        changes.extend(names.into_iter().zip(filter_columns(filter)?));
    }
    changes.extend(name.as_ref().map(|name| ("name", name.as_str().into())));
    changes.extend(active.map(|active| ("active", active.into())));
    changes.extend(lasts.map(|lasts| ("lasts_ms", lasts.as_i64().into())));
    changes.extend(steady.map(|steady| ("steady_ms", steady.as_i64().into())));
    changes.extend(region_instead.map(|instead| ("region_instead", instead.into())));
    changes.extend(webhook.map(|webhook| ("webhook_id", webhook.0.into())));
    Ok(changes)
}

/// Lets all alerts of a rule be looked at, whenever they were due.
async fn look_at(database: &Database, rule: RuleId) -> Result<(), Failure> {
    let sql = "UPDATE alerts SET look_at = 0 WHERE rule_id = $1";
    database.execute(sql, [rule.0.into()]).await.map(drop)
}

#[async_trait]
impl Write for RemoveRule {
    type Output = bool;
    const DOING: &'static str = "remove a rule";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        overtake(database).await?;
        let sql = "UPDATE rules SET removed = $2 WHERE id = $1 AND NOT removed";
        if database.execute(sql, [self.0.0.into(), true.into()]).await? == 0 {
            return Ok(false);
        }
        look_at(database, self.0).await?;
        clear(database).await?;
        Ok(true)
    }
}

/// Whoever read the rules before they change reads them again. It comes first, as it does where they
/// are applied, so that nobody waits for another in a circle.
async fn overtake(database: &Database) -> Result<(), Failure> {
    let sql = "UPDATE rule_progress SET version = version + 1 WHERE id = 1";
    database.execute(sql, []).await.map(drop)
}

/// A rule that was removed is gone with its last alert.
async fn clear(database: &Database) -> Result<(), Failure> {
    let sql = "DELETE FROM rules WHERE removed \
        AND NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.rule_id = rules.id)";
    database.execute(sql, []).await.map(drop)
}

#[async_trait]
impl Write for AdvanceRules {
    type Output = bool;
    const DOING: &'static str = "apply rules";

    async fn write(&self, database: &Database, recording: &mut Recording) -> Result<bool, Failure> {
        let step = &self.0;
        let forward = "UPDATE rule_progress SET version = version + 1, \
            cursor_position = COALESCE($2, cursor_position) WHERE id = 1 AND version = $1";
        let reached = step.reached.map(|cursor| signed(cursor.position));
        if database.execute(forward, [signed(step.read).into(), reached.into()]).await? == 0 {
            return Ok(false);
        }
        drop_alerts(database, &step.over).await?;
        keep_alerts(database, &step.kept).await?;
        tell(database, &step.told, step.now).await?;
        for region in &step.recovered {
            let sql = "UPDATE region_losses SET lost_since = NULL WHERE region = $1";
            database.execute(sql, [region.as_str().into()]).await?;
        }
        for loss in &step.lost {
            let values: [Value; 3] = [
                loss.region.as_str().into(),
                signed(loss.seq.0).into(),
                loss.since.as_millis().into(),
            ];
            database.execute(LOST, values).await?;
            recording.add_region_loss(loss.clone())?;
        }
        if !step.over.is_empty() {
            clear(database).await?;
        }
        Ok(true)
    }
}

const LOST: &str = "INSERT INTO region_losses (region, seq, lost_since) VALUES ($1, $2, $3) \
    ON CONFLICT (region) DO UPDATE SET seq = excluded.seq, lost_since = excluded.lost_since";

const KEY: &[(&str, Type); 2] = &[("rule_id", Type::Id), ("context", Type::Id)];

async fn drop_alerts(database: &Database, over: &[(RuleId, ContextId)]) -> Result<(), Failure> {
    if over.is_empty() {
        return Ok(());
    }
    let rows = over.iter().map(|(rule, context)| [rule.0.into(), context.0.into()]).collect();
    let values = table::parameters(database.dialect, KEY, rows)?;
    let sql = format!(
        "DELETE FROM alerts WHERE (rule_id, context) IN (SELECT w.rule_id, w.context FROM {} AS w)",
        database.dialect.rows(KEY)
    );
    database.execute(sql, values).await.map(drop)
}

const ALERT: &[(&str, Type); 12] = &[
    ("rule_id", Type::Id),
    ("context", Type::Id),
    ("alert_id", Type::Id),
    ("satellite_id", Type::Id),
    ("name", Type::Text),
    ("region", Type::Text),
    ("event", Type::Text),
    ("since", Type::Int),
    ("state", Type::Text),
    ("fired_at", Type::Int),
    ("due_at", Type::Int),
    ("told_webhook", Type::Id),
];

fn alert_row(alert: &Alert) -> [Cell<'_>; 12] {
    [
        alert.rule.0.into(),
        alert.subject.context().0.into(),
        alert.id.0.0.into(),
        alert.subject.satellite().map(|id| id.0).into(),
        alert.subject.name().into(),
        alert.subject.region().as_str().into(),
        alert.event.name().into(),
        alert.since.as_millis().into(),
        alert.state.standing().name().into(),
        alert.state.fired_at().map(Timestamp::as_millis).into(),
        alert.state.due().map(Timestamp::as_millis).into(),
        alert.told.map(|webhook| webhook.0).into(),
    ]
}

async fn keep_alerts(database: &Database, kept: &[Alert]) -> Result<(), Failure> {
    if kept.is_empty() {
        return Ok(());
    }
    let values = table::parameters(database.dialect, ALERT, kept.iter().map(alert_row).collect())?;
    let names = ALERT.map(|(name, _)| name);
    let set: Vec<_> = names[2..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let sql = format!(
        "INSERT INTO alerts ({}, look_at) SELECT {}, w.due_at FROM {} AS w \
         WHERE EXISTS (SELECT 1 FROM rules WHERE rules.id = w.rule_id) \
         ON CONFLICT (rule_id, context) DO UPDATE SET {}, look_at = excluded.look_at",
        names.join(", "),
        names.map(|name| format!("w.{name}")).join(", "),
        database.dialect.rows(ALERT),
        set.join(", "),
    );
    database.execute(sql, values).await.map(drop)
}

const NOTICE: &[(&str, Type); 5] = &[
    ("webhook_id", Type::Id),
    ("context", Type::Id),
    ("seq", Type::Int),
    ("event", Type::Text),
    ("alert", Type::Text),
];

/// Makes deliveries that wait from now on, or until those of the same alert before them may be
/// attempted.
async fn tell(
    database: &Database,
    told: &[(WebhookId, AlertNotice)],
    now: Timestamp,
) -> Result<(), Failure> {
    if told.is_empty() {
        return Ok(());
    }
    let alerts = told.iter().map(|(_, notice)| notice::write(notice));
    let alerts = alerts.collect::<Result<Vec<String>, Failure>>()?;
    let row = |((webhook, notice), alert): (&(WebhookId, AlertNotice), String)| -> [Cell<'_>; 5] {
        let (context, seq) = notice.place();
        let id: Uuid = context.0;
        let alert = Cell::Text(Some(alert.into()));
        [webhook.0.into(), id.into(), seq.0.into(), notice.call.kind().name().into(), alert]
    };
    let rows = told.iter().zip(alerts).map(row).collect();
    let mut values = table::parameters(database.dialect, NOTICE, rows)?;
    let at = values.len() + 1;
    values.push(now.as_millis().into());
    let sql = format!(
        "INSERT INTO webhook_deliveries (webhook_id, context, seq, event, alert, state, attempts, \
         created_at, next_at, latency_ms) \
         SELECT w.webhook_id, w.context, w.seq, w.event, w.alert, 'waiting', 0, ${at}, \
         COALESCE((SELECT MAX(d.next_at) FROM webhook_deliveries AS d \
         WHERE d.webhook_id = w.webhook_id AND d.context = w.context AND d.state = 'waiting' \
         AND d.next_at > ${at}), ${at}), 0 FROM {} AS w \
         WHERE EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = w.webhook_id) \
         ORDER BY w.context, w.seq ON CONFLICT (webhook_id, context, seq) DO NOTHING",
        database.dialect.rows(NOTICE)
    );
    database.execute(sql, values).await.map(drop)
}

//! Making, changing and removing webhooks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use groundcontrol_core::automation::{
    EventFilter, KeptSecret, PauseReason, Webhook, WebhookHeaders, WebhookId,
};
use groundcontrol_core::limits::MAX_WEBHOOKS;
use groundcontrol_core::ports::{WebhookSaved, WebhookUpdate};
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;

use super::job::Write;
use super::transitions::Recording;
use super::work::exists;
use crate::database::{Database, json};
use crate::error::Failure;
use crate::read::webhooks::StoredSecret;

/// Makes a webhook.
pub(crate) struct CreateWebhook(pub(crate) Webhook);

/// Changes a webhook.
pub(crate) struct UpdateWebhook(pub(crate) WebhookId, pub(crate) WebhookUpdate);

/// Removes a webhook; its deliveries go by themselves.
pub(crate) struct RemoveWebhook(pub(crate) WebhookId);

#[async_trait]
impl Write for CreateWebhook {
    type Output = WebhookSaved;
    const DOING: &'static str = "create a webhook";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<WebhookSaved, Failure> {
        let new = &self.0;
        if exists(database, "webhooks", new.id.0).await? {
            return Ok(WebhookSaved::Done);
        }
        let taken = database.one("SELECT 1 FROM webhooks WHERE name = $1", [name_of(new)]).await?;
        if taken.is_some() {
            return Ok(WebhookSaved::NameTaken);
        }
        let [events, satellites, region, tags, causes] = filter_columns(&new.filter)?;
        let most = i64::try_from(MAX_WEBHOOKS).unwrap_or(i64::MAX);
        let values: [Value; 16] = [
            new.id.0.into(),
            name_of(new),
            new.url.as_str().into(),
            events,
            satellites,
            region,
            tags,
            causes,
            headers(&new.headers)?,
            new.mode.name().into(),
            new.alerts_only.into(),
            secrets(&new.secrets)?,
            new.health.paused.map(PauseReason::name).map(str::to_owned).into(),
            new.health.failing_since.map(Timestamp::as_millis).into(),
            new.created_at.as_millis().into(),
            most.into(),
        ];
        let made = database.execute(INSERT, values).await?;
        if made > 0 {
            return Ok(WebhookSaved::Done);
        }
        // On a server another transaction may have taken the name since it was looked for.
        let taken = database.one("SELECT 1 FROM webhooks WHERE name = $1", [name_of(new)]).await?;
        Ok(if taken.is_some() { WebhookSaved::NameTaken } else { WebhookSaved::TooMany })
    }
}

const INSERT: &str = "INSERT INTO webhooks (id, name, url, filter_events, filter_satellites, \
    filter_region, filter_tags, filter_causes, headers, mode, alerts_only, secrets, paused, \
    failing_since, created_at, cursor_position, lease_token) \
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
    (SELECT COALESCE(MAX(position), 0) FROM transitions), 0 \
    WHERE (SELECT COUNT(*) FROM webhooks) < $16 ON CONFLICT DO NOTHING";

fn name_of(webhook: &Webhook) -> Value {
    webhook.name.as_str().into()
}

pub(super) fn filter_columns(filter: &EventFilter) -> Result<[Value; 5], Failure> {
    let events: Vec<_> = filter.events.iter().map(|event| event.name()).collect();
    let satellites: Vec<_> = filter.satellites.iter().map(|id| id.0).collect();
    let causes: Vec<_> = filter.causes.iter().map(|cause| cause.name()).collect();
    Ok([
        json(&events)?.into(),
        json(&satellites)?.into(),
        filter.region.as_ref().map(|region| region.as_str().to_owned()).into(),
        filter.tags.to_string().into(),
        json(&causes)?.into(),
    ])
}

fn headers(headers: &WebhookHeaders) -> Result<Value, Failure> {
    let stored: BTreeMap<&str, &str> = headers.expose().collect();
    Ok(json(&stored)?.into())
}

fn secrets(secrets: &[KeptSecret]) -> Result<Value, Failure> {
    let stored = |kept: &KeptSecret| StoredSecret {
        secret: kept.secret.expose().to_owned(),
        expires_at: kept.expires_at.map(Timestamp::as_millis),
    };
    Ok(json(&secrets.iter().map(stored).collect::<Vec<_>>())?.into())
}

#[async_trait]
impl Write for UpdateWebhook {
    type Output = WebhookSaved;
    const DOING: &'static str = "change a webhook";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<WebhookSaved, Failure> {
        let Self(id, update) = self;
        if !exists(database, "webhooks", id.0).await? {
            return Ok(WebhookSaved::Gone);
        }
        if let Some(name) = &update.name {
            let other = "SELECT 1 FROM webhooks WHERE name = $1 AND id <> $2";
            if database.one(other, [name.as_str().into(), id.0.into()]).await?.is_some() {
                return Ok(WebhookSaved::NameTaken);
            }
        }
        let changes = changes(update)?;
        if changes.is_empty() {
            return Ok(WebhookSaved::Done);
        }
        if update.alerts_only == Some(false) {
            database.execute(FROM_NOW_ON, [id.0.into()]).await?;
        }
        let set =
            changes.iter().enumerate().map(|(at, (column, _))| format!("{column} = ${}", at + 2));
        let sql =
            format!("UPDATE webhooks SET {} WHERE id = $1", set.collect::<Vec<_>>().join(", "));
        let values =
            [Value::from(id.0)].into_iter().chain(changes.into_iter().map(|(_, value)| value));
        let changed = database.execute(sql, values).await?;
        Ok(if changed > 0 { WebhookSaved::Done } else { WebhookSaved::Gone })
    }
}

/// Who was told of alerts alone is told of what happens from now on.
const FROM_NOW_ON: &str = "UPDATE webhooks SET cursor_position = \
    (SELECT COALESCE(MAX(position), 0) FROM transitions) WHERE id = $1 AND alerts_only";

/// The columns that change.
fn changes(update: &WebhookUpdate) -> Result<Vec<(&'static str, Value)>, Failure> {
    let mut changes: Vec<(&'static str, Value)> = Vec::new();
    if let Some(name) = &update.name {
        changes.push(("name", name.as_str().into()));
    }
    if let Some(url) = &update.url {
        changes.push(("url", url.as_str().into()));
    }
    if let Some(filter) = &update.filter {
        let names =
            ["filter_events", "filter_satellites", "filter_region", "filter_tags", "filter_causes"];
        changes.extend(names.into_iter().zip(filter_columns(filter)?));
    }
    if let Some(new) = &update.headers {
        changes.push(("headers", headers(new)?));
    }
    if let Some(mode) = update.mode {
        changes.push(("mode", mode.name().into()));
    }
    if let Some(alerts_only) = update.alerts_only {
        changes.push(("alerts_only", alerts_only.into()));
    }
    if let Some(new) = &update.secrets {
        changes.push(("secrets", secrets(new)?));
    }
    if let Some(health) = update.health {
        let paused = health.paused.map(|reason| reason.name().to_owned());
        changes.push(("paused", paused.into()));
        changes.push(("failing_since", health.failing_since.map(Timestamp::as_millis).into()));
    }
    Ok(changes)
}

#[async_trait]
impl Write for RemoveWebhook {
    type Output = bool;
    const DOING: &'static str = "remove a webhook";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let delete = "DELETE FROM webhooks WHERE id = $1";
        database.execute(delete, [self.0.0.into()]).await.map(|rows| rows == 1)
    }
}

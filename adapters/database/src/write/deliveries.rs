//! Working for a webhook: claims, deliveries, attempts.

use async_trait::async_trait;
use groundcontrol_core::automation::{Health, PauseReason, WebhookId};
use groundcontrol_core::ports::{
    AttemptRecord, EventCursor, NewDelivery, Redelivery, WebhookClaim,
};
use groundcontrol_core::satellite::PodName;
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;

use super::job::Write;
use super::transitions::Recording;
use crate::database::Database;
use crate::dialect::Type;
use crate::error::Failure;
use crate::rows::Columns;
use crate::table::{self, Cell};

/// Claims a webhook.
pub(crate) struct ClaimWebhook {
    pub(crate) id: WebhookId,
    pub(crate) pod: PodName,
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
}

/// Lets a claim last longer.
pub(crate) struct RenewClaim {
    pub(crate) claim: WebhookClaim,
    pub(crate) until: Timestamp,
}

/// Gives a claim back.
pub(crate) struct ReleaseClaim(pub(crate) WebhookClaim);

/// Makes deliveries, and moves the cursor.
pub(crate) struct EnqueueDeliveries {
    pub(crate) claim: WebhookClaim,
    pub(crate) reached: EventCursor,
    pub(crate) new: Vec<NewDelivery>,
    pub(crate) now: Timestamp,
}

/// Stores what came of attempts.
pub(crate) struct RecordAttempts {
    pub(crate) claim: WebhookClaim,
    pub(crate) attempts: Vec<AttemptRecord>,
    pub(crate) health: Health,
}

/// Lets deliveries wait anew.
pub(crate) struct Redeliver {
    pub(crate) id: WebhookId,
    pub(crate) which: Redelivery,
    pub(crate) now: Timestamp,
}

/// Deletes deliveries that are done.
pub(crate) struct PruneDeliveries {
    pub(crate) delivered: Timestamp,
    pub(crate) dead: Timestamp,
    pub(crate) limit: usize,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[async_trait]
impl Write for ClaimWebhook {
    type Output = Option<WebhookClaim>;
    const DOING: &'static str = "claim a webhook";

    async fn write(
        &self,
        database: &Database,
        _: &mut Recording,
    ) -> Result<Option<WebhookClaim>, Failure> {
        let claim = "UPDATE webhooks SET lease_pod = $2, lease_until = $3, \
            lease_token = lease_token + 1 WHERE id = $1 AND paused IS NULL \
            AND (lease_until IS NULL OR lease_until <= $4)";
        let values: [Value; 4] = [
            self.id.0.into(),
            self.pod.to_string().into(),
            self.until.as_millis().into(),
            self.now.as_millis().into(),
        ];
        if database.execute(claim, values).await? == 0 {
            return Ok(None);
        }
        let token = "SELECT lease_token FROM webhooks WHERE id = $1";
        let Some(row) = database.one(token, [self.id.0.into()]).await? else { return Ok(None) };
        let token = Columns::of(&row, "webhook").count()?;
        Ok(Some(WebhookClaim { webhook: self.id, token }))
    }
}

#[async_trait]
impl Write for RenewClaim {
    type Output = bool;
    const DOING: &'static str = "renew the claim of a webhook";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let renew = "UPDATE webhooks SET lease_until = $3 WHERE id = $1 AND lease_token = $2";
        let WebhookClaim { webhook, token } = self.claim;
        let values: [Value; 3] =
            [webhook.0.into(), signed(token).into(), self.until.as_millis().into()];
        database.execute(renew, values).await.map(|rows| rows == 1)
    }
}

#[async_trait]
impl Write for ReleaseClaim {
    type Output = ();
    const DOING: &'static str = "give back the claim of a webhook";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let release = "UPDATE webhooks SET lease_pod = NULL, lease_until = NULL \
            WHERE id = $1 AND lease_token = $2";
        let WebhookClaim { webhook, token } = self.0;
        database.execute(release, [webhook.0.into(), signed(token).into()]).await.map(drop)
    }
}

const NEW: &[(&str, Type); 4] = &[
    ("event_position", Type::Int),
    ("context", Type::Id),
    ("seq", Type::Int),
    ("event", Type::Text),
];

#[async_trait]
impl Write for EnqueueDeliveries {
    type Output = bool;
    const DOING: &'static str = "put deliveries in the queue";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let WebhookClaim { webhook, token } = self.claim;
        let forward = "UPDATE webhooks SET cursor_position = $3 \
            WHERE id = $1 AND lease_token = $2 AND cursor_position < $3";
        let reached = signed(self.reached.position);
        let values: [Value; 3] = [webhook.0.into(), signed(token).into(), reached.into()];
        if database.execute(forward, values).await? == 0 {
            return Ok(false);
        }
        if self.new.is_empty() {
            return Ok(true);
        }
        let row = |new: &NewDelivery| -> [Cell<'_>; 4] {
            [
                new.cursor.position.into(),
                new.context.0.into(),
                new.seq.0.into(),
                new.event.name().into(),
            ]
        };
        let rows = self.new.iter().map(row).collect();
        let mut values = table::parameters(database.dialect, NEW, rows)?;
        let (id, now) = (values.len() + 1, values.len() + 2);
        values.extend([webhook.0.into(), self.now.as_millis().into()]);
        let insert = format!(
            "INSERT INTO webhook_deliveries (webhook_id, event_position, context, seq, event, \
             state, attempts, created_at, next_at, latency_ms) \
             SELECT ${id}, w.event_position, w.context, w.seq, w.event, 'waiting', 0, ${now}, \
             COALESCE((SELECT MAX(d.next_at) FROM webhook_deliveries AS d \
             WHERE d.webhook_id = ${id} AND d.context = w.context \
             AND d.state = 'waiting' AND d.next_at > ${now}), ${now}), 0 \
             FROM {} AS w WHERE true ORDER BY w.event_position \
             ON CONFLICT (webhook_id, context, seq) DO NOTHING",
            database.dialect.rows(NEW)
        );
        database.execute(insert, values).await?;
        Ok(true)
    }
}

const ATTEMPTS: &[(&str, Type); 9] = &[
    ("number", Type::Int),
    ("attempt", Type::Int),
    ("state", Type::Text),
    ("next_at", Type::Int),
    ("at", Type::Int),
    ("status", Type::Int),
    ("latency_ms", Type::Int),
    ("response", Type::Text),
    ("error", Type::Text),
];

fn attempt_row(attempt: &AttemptRecord) -> [Cell<'_>; 9] {
    let seen = &attempt.seen;
    [
        attempt.number.into(),
        i64::from(attempt.attempt).into(),
        attempt.state.name().into(),
        attempt.next_at.map(Timestamp::as_millis).into(),
        attempt.at.as_millis().into(),
        seen.status.map(i64::from).into(),
        seen.latency.as_i64().into(),
        seen.response.as_deref().into(),
        seen.error.as_deref().into(),
    ]
}

#[async_trait]
impl Write for RecordAttempts {
    type Output = bool;
    const DOING: &'static str = "store what came of deliveries";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let WebhookClaim { webhook, token } = self.claim;
        let fares = "UPDATE webhooks SET failing_since = $3, paused = COALESCE(paused, $4) \
            WHERE id = $1 AND lease_token = $2";
        let values: [Value; 4] = [
            webhook.0.into(),
            signed(token).into(),
            self.health.failing_since.map(Timestamp::as_millis).into(),
            self.health.paused.map(PauseReason::name).map(str::to_owned).into(),
        ];
        if database.execute(fares, values).await? == 0 {
            return Ok(false);
        }
        if self.attempts.is_empty() {
            return Ok(true);
        }
        let rows = self.attempts.iter().map(attempt_row).collect();
        let values = table::parameters(database.dialect, ATTEMPTS, rows)?;
        let rows = database.dialect.rows(ATTEMPTS);
        let update = format!(
            "UPDATE webhook_deliveries SET state = w.state, attempts = w.attempt, \
             next_at = w.next_at, attempted_at = w.at, status = w.status, \
             latency_ms = w.latency_ms, response = w.response, error = w.error \
             FROM {rows} AS w WHERE webhook_deliveries.number = w.number \
             AND webhook_deliveries.state = 'waiting' \
             AND webhook_deliveries.attempts = w.attempt - 1"
        );
        database.execute(update, values.clone()).await?;
        // Those behind one that waits on wait as long, so that they are not looked at in vain.
        let wait = format!(
            "UPDATE webhook_deliveries SET next_at = w.next_at FROM {rows} AS w \
             JOIN webhook_deliveries AS h ON h.number = w.number AND h.state = 'waiting' \
             AND h.next_at = w.next_at \
             WHERE webhook_deliveries.webhook_id = h.webhook_id \
             AND webhook_deliveries.context = h.context \
             AND webhook_deliveries.state = 'waiting' AND webhook_deliveries.seq > h.seq \
             AND webhook_deliveries.next_at < w.next_at"
        );
        if self.attempts.iter().any(|attempt| attempt.next_at.is_some()) {
            database.execute(wait, values).await?;
        }
        Ok(true)
    }
}

#[async_trait]
impl Write for Redeliver {
    type Output = u64;
    const DOING: &'static str = "deliver again";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<u64, Failure> {
        let again = "UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = $2 \
            WHERE webhook_id = $1 AND";
        let (id, now): (Value, Value) = (self.id.0.into(), self.now.as_millis().into());
        match self.which {
            Redelivery::One(context, seq) => {
                let values: [Value; 4] = [id, now, context.0.into(), signed(seq.0).into()];
                let sql = format!("{again} context = $3 AND seq = $4");
                database.execute(sql, values).await
            }
            Redelivery::Since(since) => {
                let values: [Value; 3] = [id, now, since.as_millis().into()];
                database.execute(format!("{again} created_at >= $3"), values).await
            }
        }
    }
}

#[async_trait]
impl Write for PruneDeliveries {
    type Output = u64;
    const DOING: &'static str = "delete old deliveries";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<u64, Failure> {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let (delivered, dead) = (self.delivered.as_millis(), self.dead.as_millis());
        let values: [Value; 4] =
            [delivered.into(), dead.into(), limit.into(), delivered.max(dead).into()];
        database.execute(PRUNE, values).await
    }
}

/// `$4`, the later of the two times, ends the look at the index.
pub(crate) const PRUNE: &str = "DELETE FROM webhook_deliveries WHERE number IN (\
    SELECT number FROM webhook_deliveries WHERE state <> 'waiting' AND attempted_at < $4 \
    AND ((state = 'delivered' AND attempted_at < $1) OR (state = 'dead' AND attempted_at < $2)) \
    ORDER BY attempted_at LIMIT $3)";

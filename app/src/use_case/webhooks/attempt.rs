//! One attempt, and what follows from it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use groundcontrol_core::automation::{
    Answer, DeliveryState, Health, Notice, PauseReason, Step, Webhook, after_attempt,
};
use groundcontrol_core::connection::{ContextId, Event};
use groundcontrol_core::ports::{
    AttemptRecord, AttemptSeen, Due, DueDelivery, Nudge, OutgoingWebhook, SendReport, StoreResult,
    WebhookSender,
};
use groundcontrol_core::time::Timestamp;
use metrics::{counter, histogram};
use tracing::{info, warn};

use super::work::Worker;

/// An attempt that ended.
pub(super) struct Attempted {
    delivery: DueDelivery,
    report: SendReport,
}

impl Attempted {
    pub(super) fn context(&self) -> ContextId {
        self.delivery.due.context()
    }
}

/// Sends `delivery` to the webhook's receiver, beginning at `now`.
pub(super) fn attempt(
    sender: &Arc<dyn WebhookSender>,
    webhook: &Webhook,
    delivery: DueDelivery,
    now: Timestamp,
) -> BoxFuture<'static, Attempted> {
    let sender = Arc::clone(sender);
    let notice = match &delivery.due {
        Due::Event(recorded) => Event::derive(recorded).map(Notice::Event),
        Due::Alert(notice) => Some(Notice::Alert(notice.clone())),
    };
    let request = notice.map(|notice| outgoing(webhook, notice, now));
    Box::pin(async move {
        let report = match request {
            Some(request) => sender.send(request).await,
            None => not_understood(),
        };
        Attempted { delivery, report }
    })
}

/// The request that tells a webhook `notice`.
pub(super) fn outgoing(webhook: &Webhook, notice: Notice, now: Timestamp) -> OutgoingWebhook {
    let signing = webhook.secrets.iter().filter(|kept| kept.signs_at(now));
    OutgoingWebhook {
        url: webhook.url.clone(),
        headers: webhook.headers.clone(),
        mode: webhook.mode,
        secrets: signing.map(|kept| kept.secret.clone()).collect(),
        notice,
        at: now,
    }
}

/// Another version recorded it in a way that this one cannot read: another pod may.
fn not_understood() -> SendReport {
    let error = Some("this pod does not understand what was recorded".to_owned());
    let seen = AttemptSeen { error, ..AttemptSeen::default() };
    SendReport { answer: Answer::Failed { retry_after: None }, seen }
}

impl Worker<'_> {
    /// Stores what came of attempts; false where the claim is lost. The health is read anew: an
    /// operator may have paused or resumed the webhook in the meantime.
    pub(super) async fn record(&mut self, ended: Vec<Attempted>) -> StoreResult<bool> {
        let store = &self.ports.store;
        let Some(webhook) = store.webhook(self.claim.webhook).await? else { return Ok(false) };
        let now = self.pod.now();
        let mut health = webhook.health;
        let mut records = Vec::with_capacity(ended.len());
        for Attempted { delivery, report } in ended {
            health = health.after(report.answer, now);
            let chance = self.pod.chance()?;
            let attempt = delivery.attempts.saturating_add(1);
            let step = after_attempt(attempt, report.answer, now, chance);
            count(step, &report);
            let (state, next_at) = standing(step);
            let number = delivery.number;
            records.push(AttemptRecord {
                number,
                attempt,
                at: now,
                state,
                next_at,
                seen: report.seen,
            });
        }
        let kept = store.record_attempts(self.claim, &records, health).await?;
        if kept {
            self.tell(&webhook, health);
        }
        Ok(kept)
    }

    /// Says so where a webhook is paused from now on, or fails for the first time.
    fn tell(&self, webhook: &Webhook, now: Health) {
        let before = webhook.health;
        let name = webhook.name.as_str();
        if let (None, Some(reason)) = (before.paused, now.paused) {
            let why = match reason {
                PauseReason::Gone => "its receiver wants no more (410)",
                PauseReason::Failing | PauseReason::Operator => {
                    "no delivery succeeded for too long"
                }
            };
            warn!(webhook = %webhook.id, name, why, "a webhook is paused; nothing is lost: it goes on where it was once it is made active");
            self.pod.broadcast.send(Nudge::WebhookPaused { webhook: webhook.id });
        } else if before.failing_since.is_none() && now.failing_since.is_some() {
            info!(webhook = %webhook.id, name, "deliveries to a webhook fail; they are attempted again");
        }
    }
}

fn standing(step: Step) -> (DeliveryState, Option<Timestamp>) {
    match step {
        Step::Delivered => (DeliveryState::Delivered, None),
        Step::RetryAt(next) => (DeliveryState::Waiting, Some(next)),
        Step::Dead => (DeliveryState::Dead, None),
    }
}

fn count(step: Step, report: &SendReport) {
    let outcome = match step {
        Step::Delivered => "delivered",
        Step::RetryAt(_) => "failed",
        Step::Dead => "dead",
    };
    counter!("groundcontrol_webhook_attempts_total", "outcome" => outcome).increment(1);
    let seconds = report.seen.latency.get() as f64 / 1_000.0;
    histogram!("groundcontrol_webhook_answer_seconds").record(seconds);
}

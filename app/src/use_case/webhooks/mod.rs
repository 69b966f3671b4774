//! Webhooks: events on their way to receivers, at least once, in order for each satellite.
//!
//! Any pod works for any webhook, under a lease: it looks at the events after the webhook's
//! cursor, makes deliveries of those that are wanted, and attempts those whose time has come. What
//! it knows besides is nothing that another could not find in the store.

mod work;
mod attempt;
mod manage;
mod sample;

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::automation::WebhookId;
use groundcontrol_core::limits::{KEEP_DEAD_DELIVERIES, KEEP_DELIVERED};
use groundcontrol_core::ports::StoreResult;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::prune::{PRUNE_STEP, in_steps};
use crate::pod::{Pod, Webhooks};

/// Without being told, the store is asked this often whether there is something to do.
const POLL: Duration = Duration::from_secs(1);

impl Pod {
    /// The task that looks for webhooks that nobody works for.
    pub(crate) async fn look_at_webhooks(self: Arc<Self>) {
        let Some(webhooks) = &self.webhooks else { return };
        while !self.phase.is_draining() {
            match webhooks.ports.store.idle_webhooks(self.now()).await {
                Ok(idle) => idle.into_iter().for_each(|id| self.take_up(webhooks, id)),
                Err(error) => warn!(%error, "webhooks wait to be delivered to"),
            }
            let _ = timeout(POLL, webhooks.wake.notified()).await;
        }
    }

    /// Works for a webhook in a task of its own, so that none waits for another.
    fn take_up(self: &Arc<Self>, webhooks: &Webhooks, id: WebhookId) {
        if let Some(look) = webhooks.begin(id) {
            self.spawn(self.clone().work_for_webhook(id, look));
        }
    }

    async fn work_for_webhook(self: Arc<Self>, id: WebhookId, look: Arc<Notify>) {
        let Some(webhooks) = &self.webhooks else { return };
        if let Err(error) = self.claim_and_work(webhooks, id, &look).await {
            warn!(%error, webhook = %id, "deliveries to a webhook wait");
            sleep(POLL).await;
        }
        webhooks.end(id);
    }

    async fn claim_and_work(
        &self,
        webhooks: &Webhooks,
        id: WebhookId,
        look: &Notify,
    ) -> StoreResult<()> {
        let store = &webhooks.ports.store;
        let claimed = store.claim_webhook(id, &self.name, self.now(), work::LEASE).await?;
        let Some(claim) = claimed else { return Ok(()) };
        let worked = work::Worker::new(self, &webhooks.ports, claim).run(look).await;
        // Where the store is away the claim lapses by itself.
        let released = store.release_claim(claim).await;
        worked.and(released)
    }

    /// Deletes deliveries that are done, beyond their retention.
    pub(crate) async fn prune_deliveries(&self) -> StoreResult<()> {
        let Some(webhooks) = &self.webhooks else { return Ok(()) };
        let now = self.now();
        let (delivered, dead) = (now.minus(KEEP_DELIVERED), now.minus(KEEP_DEAD_DELIVERIES));
        let store = &webhooks.ports.store;
        let pruned = in_steps(|| store.prune_deliveries(delivered, dead, PRUNE_STEP)).await?;
        if pruned > 0 {
            info!(pruned, "old deliveries deleted");
        }
        Ok(())
    }
}

//! The port of webhooks: which call goes where.

use async_trait::async_trait;
use groundcontrol_core::automation::{Health, Webhook, WebhookId};
use groundcontrol_core::ports::{
    AttemptRecord, Backlog, Delivery, DeliveryQuery, DueDelivery, EventCursor, NewDelivery,
    Redelivery, StoreResult, WebhookClaim, WebhookSaved, WebhookStore, WebhookUpdate,
};
use groundcontrol_core::satellite::{Name, PodName};
use groundcontrol_core::time::{Millis, Timestamp};

use crate::read::webhooks as read;
use crate::store::{DatabaseStore, doing};
use crate::write::{
    ClaimWebhook, CreateWebhook, EnqueueDeliveries, PruneDeliveries, RecordAttempts, Redeliver,
    ReleaseClaim, RemoveWebhook, RenewClaim, UpdateWebhook,
};

#[async_trait]
impl WebhookStore for DatabaseStore {
    async fn create_webhook(&self, new: Webhook) -> StoreResult<WebhookSaved> {
        self.writer().write(CreateWebhook(new)).await
    }

    async fn webhook(&self, id: WebhookId) -> StoreResult<Option<Webhook>> {
        doing("read a webhook", read::webhook(self.reader(), id).await)
    }

    async fn webhooks(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Webhook>> {
        doing("list webhooks", read::webhooks(self.reader(), after, limit).await)
    }

    async fn update_webhook(
        &self,
        id: WebhookId,
        update: WebhookUpdate,
    ) -> StoreResult<WebhookSaved> {
        self.writer().write(UpdateWebhook(id, update)).await
    }

    async fn remove_webhook(&self, id: WebhookId) -> StoreResult<bool> {
        self.writer().write(RemoveWebhook(id)).await
    }

    async fn idle_webhooks(&self, now: Timestamp) -> StoreResult<Vec<WebhookId>> {
        doing("look for webhooks with something to do", read::idle(self.reader(), now).await)
    }

    async fn claim_webhook(
        &self,
        id: WebhookId,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<Option<WebhookClaim>> {
        let pod = pod.clone();
        self.writer().write(ClaimWebhook { id, pod, now, until: now + lease }).await
    }

    async fn renew_claim(
        &self,
        claim: WebhookClaim,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<bool> {
        self.writer().write(RenewClaim { claim, until: now + lease }).await
    }

    async fn release_claim(&self, claim: WebhookClaim) -> StoreResult<()> {
        self.writer().write(ReleaseClaim(claim)).await
    }

    async fn webhook_backlog(&self, id: WebhookId) -> StoreResult<Option<Backlog>> {
        doing("read how far a webhook has come", read::backlog(self.reader(), id).await)
    }

    async fn enqueue_deliveries(
        &self,
        claim: WebhookClaim,
        reached: EventCursor,
        new: &[NewDelivery],
        now: Timestamp,
    ) -> StoreResult<bool> {
        self.writer().write(EnqueueDeliveries { claim, reached, new: new.to_vec(), now }).await
    }

    async fn due_deliveries(
        &self,
        id: WebhookId,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<DueDelivery>> {
        doing("read what is to be delivered", read::due(self.reader(), id, now, limit).await)
    }

    async fn record_attempts(
        &self,
        claim: WebhookClaim,
        attempts: &[AttemptRecord],
        health: Health,
    ) -> StoreResult<bool> {
        self.writer().write(RecordAttempts { claim, attempts: attempts.to_vec(), health }).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> StoreResult<Vec<Delivery>> {
        doing("list deliveries", read::deliveries(self.reader(), query).await)
    }

    async fn redeliver(
        &self,
        id: WebhookId,
        which: Redelivery,
        now: Timestamp,
    ) -> StoreResult<u64> {
        self.writer().write(Redeliver { id, which, now }).await
    }

    async fn prune_deliveries(
        &self,
        delivered: Timestamp,
        dead: Timestamp,
        limit: usize,
    ) -> StoreResult<u64> {
        self.writer().write(PruneDeliveries { delivered, dead, limit }).await
    }
}

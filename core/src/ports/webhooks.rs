//! What operators ask about webhooks.

use async_trait::async_trait;

use super::fleet::FleetError;
use super::webhook_sender::SendReport;
use super::webhook_store::{Delivery, DeliveryQuery, Redelivery};
use crate::automation::{
    ContentMode, EventFilter, SigningSecret, Webhook, WebhookHeaders, WebhookId, WebhookUrl,
};
use crate::satellite::Name;
use crate::time::Millis;

/// Implemented by the app, called by the adapters that operators and programs talk to.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait WebhookService: Send + Sync {
    /// Makes a webhook and its signing secret.
    async fn create_webhook(
        &self,
        request: WebhookRequest,
    ) -> Result<(Webhook, SigningSecret), FleetError>;

    /// One webhook.
    async fn webhook(&self, id: WebhookId) -> Result<Webhook, FleetError>;

    /// At most `limit` webhooks whose name comes after `after`, ordered by name.
    async fn webhooks(&self, after: Option<Name>, limit: usize)
    -> Result<Vec<Webhook>, FleetError>;

    /// Changes a webhook.
    async fn update_webhook(
        &self,
        id: WebhookId,
        patch: WebhookPatch,
    ) -> Result<Webhook, FleetError>;

    /// Removes a webhook with its deliveries.
    async fn remove_webhook(&self, id: WebhookId) -> Result<(), FleetError>;

    /// Gives a webhook a new signing secret; the old ones sign beside it for `overlap`.
    async fn rotate_secret(
        &self,
        id: WebhookId,
        overlap: Millis,
    ) -> Result<(Webhook, SigningSecret), FleetError>;

    /// Sends a sample and waits for what comes of it.
    async fn test_webhook(&self, id: WebhookId) -> Result<SendReport, FleetError>;

    /// The deliveries that match, newest first.
    async fn deliveries(&self, query: DeliveryQuery) -> Result<Vec<Delivery>, FleetError>;

    /// Delivers again; answers how many deliveries that are.
    async fn redeliver(&self, id: WebhookId, which: Redelivery) -> Result<u64, FleetError>;
}

/// A webhook to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRequest {
    /// Its name.
    pub name: Name,
    /// Where requests go.
    pub url: WebhookUrl,
    /// Which events.
    pub filter: EventFilter,
    /// What requests carry besides.
    pub headers: WebhookHeaders,
    /// How events are written.
    pub mode: ContentMode,
    /// True: it is told of alerts alone.
    pub alerts_only: bool,
    /// False: it is made paused.
    pub active: bool,
}

/// A webhook to be changed; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookPatch {
    /// The new name.
    pub name: Option<Name>,
    /// The new URL.
    pub url: Option<WebhookUrl>,
    /// The new filter.
    pub filter: Option<EventFilter>,
    /// The new headers, in place of all old ones.
    pub headers: Option<WebhookHeaders>,
    /// The new way to write events.
    pub mode: Option<ContentMode>,
    /// Whether it is told of alerts alone.
    pub alerts_only: Option<bool>,
    /// Paused, or active again.
    pub active: Option<bool>,
}

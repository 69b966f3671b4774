//! The port that operators' adapters call about webhooks.

use async_trait::async_trait;
use groundcontrol_core::automation::{
    Health, KeptSecret, PauseReason, SigningSecret, Webhook, WebhookId, WebhookUrl,
};
use groundcontrol_core::limits::{MAX_WEBHOOK_SECRETS, MAX_WEBHOOKS};
use groundcontrol_core::ports::{
    Delivery, DeliveryQuery, FieldError, FleetError, Redelivery, SendReport, WebhookPatch,
    WebhookRequest, WebhookSaved, WebhookService, WebhookUpdate,
};
use groundcontrol_core::satellite::Name;
use groundcontrol_core::time::Millis;

use super::attempt::outgoing;
use super::sample::sample;
use crate::pod::{GroundControl, Webhooks};

const WEBHOOK: &str = "webhook";

impl GroundControl {
    fn webhooks_or_not(&self) -> Result<&Webhooks, FleetError> {
        let webhooks = self.pod.webhooks.as_ref();
        webhooks.ok_or(FleetError::NotOffered { what: "webhooks" })
    }

    fn new_secret(&self) -> Result<SigningSecret, FleetError> {
        Ok(SigningSecret::new((self.pod.entropy)()?))
    }

    /// Tells an operator at once what every attempt would end in.
    fn check_target(&self, url: &WebhookUrl) -> Result<(), FleetError> {
        match self.webhooks_or_not()?.ports.sender.refuses(url) {
            None => Ok(()),
            Some(detail) => {
                let pointer = "/url".to_owned();
                Err(FleetError::Invalid(vec![FieldError { pointer, detail }]))
            }
        }
    }

    async fn save(&self, id: WebhookId, update: WebhookUpdate) -> Result<Webhook, FleetError> {
        let webhooks = self.webhooks_or_not()?;
        let name = update.name.clone();
        saved(webhooks.ports.store.update_webhook(id, update).await?, name)?;
        webhooks.look();
        self.webhook(id).await
    }
}

fn saved(saved: WebhookSaved, name: Option<Name>) -> Result<(), FleetError> {
    match saved {
        WebhookSaved::Done => Ok(()),
        WebhookSaved::Gone => Err(FleetError::NotFound { what: WEBHOOK }),
        WebhookSaved::NameTaken => {
            let name = name.map(|name| name.to_string()).unwrap_or_default();
            Err(FleetError::NameTaken { what: WEBHOOK, name })
        }
        WebhookSaved::TooMany => {
            let detail = format!("there are {MAX_WEBHOOKS} webhooks; remove one first");
            Err(FleetError::Invalid(vec![FieldError { pointer: String::new(), detail }]))
        }
    }
}

fn health(active: bool) -> Health {
    let paused = (!active).then_some(PauseReason::Operator);
    Health { paused, ..Health::default() }
}

#[async_trait]
impl WebhookService for GroundControl {
    async fn create_webhook(
        &self,
        request: WebhookRequest,
    ) -> Result<(Webhook, SigningSecret), FleetError> {
        self.check_target(&request.url)?;
        let secret = self.new_secret()?;
        let WebhookRequest { name, url, filter, headers, mode, alerts_only, active } = request;
        let webhook = Webhook {
            id: WebhookId(self.pod.new_id()?),
            name: name.clone(),
            url,
            filter,
            headers,
            mode,
            alerts_only,
            secrets: vec![KeptSecret { secret: secret.clone(), expires_at: None }],
            health: health(active),
            created_at: self.pod.now(),
        };
        let store = &self.webhooks_or_not()?.ports.store;
        saved(store.create_webhook(webhook.clone()).await?, Some(name))?;
        Ok((webhook, secret))
    }

    async fn webhook(&self, id: WebhookId) -> Result<Webhook, FleetError> {
        let found = self.webhooks_or_not()?.ports.store.webhook(id).await?;
        found.ok_or(FleetError::NotFound { what: WEBHOOK })
    }

    async fn webhooks(
        &self,
        after: Option<Name>,
        limit: usize,
    ) -> Result<Vec<Webhook>, FleetError> {
        Ok(self.webhooks_or_not()?.ports.store.webhooks(after, limit).await?)
    }

    async fn update_webhook(
        &self,
        id: WebhookId,
        patch: WebhookPatch,
    ) -> Result<Webhook, FleetError> {
        if let Some(url) = &patch.url {
            self.check_target(url)?;
        }
        let WebhookPatch { name, url, filter, headers, mode, alerts_only, active } = patch;
        let health = active.map(health);
        let secrets = None;
        let update =
            WebhookUpdate { name, url, filter, headers, mode, alerts_only, health, secrets };
        self.save(id, update).await
    }

    async fn remove_webhook(&self, id: WebhookId) -> Result<(), FleetError> {
        self.check_unused(id).await?;
        match self.webhooks_or_not()?.ports.store.remove_webhook(id).await? {
            true => Ok(()),
            false => Err(FleetError::NotFound { what: WEBHOOK }),
        }
    }

    async fn rotate_secret(
        &self,
        id: WebhookId,
        overlap: Millis,
    ) -> Result<(Webhook, SigningSecret), FleetError> {
        let webhook = self.webhook(id).await?;
        let (secret, now) = (self.new_secret()?, self.pod.now());
        let end = now + overlap;
        let ending = |kept: KeptSecret| {
            let expires_at = Some(kept.expires_at.map_or(end, |earlier| earlier.min(end)));
            KeptSecret { expires_at, ..kept }
        };
        let mut secrets = vec![KeptSecret { secret: secret.clone(), expires_at: None }];
        secrets.extend(webhook.secrets.into_iter().map(ending));
        secrets.retain(|kept| kept.signs_at(now));
        secrets.truncate(MAX_WEBHOOK_SECRETS);
        let update = WebhookUpdate { secrets: Some(secrets), ..WebhookUpdate::default() };
        Ok((self.save(id, update).await?, secret))
    }

    async fn test_webhook(&self, id: WebhookId) -> Result<SendReport, FleetError> {
        let webhook = self.webhook(id).await?;
        let (number, now) = (self.pod.new_id()?, self.pod.now());
        let request = outgoing(&webhook, sample(&webhook, number, now)?, now);
        Ok(self.webhooks_or_not()?.ports.sender.send(request).await)
    }

    async fn deliveries(&self, query: DeliveryQuery) -> Result<Vec<Delivery>, FleetError> {
        self.webhook(query.webhook).await?;
        Ok(self.webhooks_or_not()?.ports.store.deliveries(&query).await?)
    }

    async fn redeliver(&self, id: WebhookId, which: Redelivery) -> Result<u64, FleetError> {
        self.webhook(id).await?;
        let webhooks = self.webhooks_or_not()?;
        let again = webhooks.ports.store.redeliver(id, which, self.pod.now()).await?;
        webhooks.look();
        match (again, which) {
            (0, Redelivery::One(..)) => Err(FleetError::NotFound { what: "delivery" }),
            (again, _) => Ok(again),
        }
    }
}

//! Automations: what they can start from, webhooks, and rules.

use groundcontrol_http::dto::{
    Alert, CreateWebhook, CreatedWebhook, Delivery, Page, Redeliver, Redelivered, RotateSecret,
    Trigger, WebhookTest,
};
use reqwest::Method;
use uuid::Uuid;

use super::error::ClientError;
use super::request::Client;

const WEBHOOKS: &str = "/api/v1/webhooks";

impl Client {
    /// Every trigger, in its order.
    pub async fn triggers(&self) -> Result<Vec<Trigger>, ClientError> {
        let request = self.get("/api/v1/triggers");
        let page: Page<Trigger> = self.json("list the triggers", request).await?;
        Ok(page.items)
    }

    /// Makes a webhook; the answer carries its secret, this once.
    pub async fn create_webhook(
        &self,
        request: &CreateWebhook,
    ) -> Result<CreatedWebhook, ClientError> {
        self.exchange("make the webhook", Method::POST, WEBHOOKS, request).await
    }

    /// Gives a webhook a new secret.
    pub async fn rotate_webhook_secret(
        &self,
        id: Uuid,
        request: &RotateSecret,
    ) -> Result<CreatedWebhook, ClientError> {
        let path = format!("{WEBHOOKS}/{id}/rotate-secret");
        self.exchange("rotate the secret", Method::POST, &path, request).await
    }

    /// Sends a sample to a webhook.
    pub async fn test_webhook(&self, id: Uuid) -> Result<WebhookTest, ClientError> {
        let request = self.request(Method::POST, &format!("{WEBHOOKS}/{id}/test"));
        self.json("try the webhook", request).await
    }

    /// The newest deliveries of a webhook that match a query of the API.
    pub async fn deliveries(
        &self,
        id: Uuid,
        query: &[(&str, String)],
    ) -> Result<Vec<Delivery>, ClientError> {
        let request = self.get(&format!("{WEBHOOKS}/{id}/deliveries")).query(query);
        let page: Page<Delivery> = self.json("list the deliveries", request).await?;
        Ok(page.items)
    }

    /// What a rule sees, as far as it matches a query of the API, that first which began first.
    pub async fn alerts(
        &self,
        rule: Uuid,
        query: &[(&str, String)],
    ) -> Result<Vec<Alert>, ClientError> {
        let request = self.get(&format!("/api/v1/rules/{rule}/alerts")).query(query);
        let page: Page<Alert> = self.json("list the alerts", request).await?;
        Ok(page.items)
    }

    /// Delivers again; answers how many deliveries that are.
    pub async fn redeliver(&self, id: Uuid, request: &Redeliver) -> Result<u64, ClientError> {
        let path = format!("{WEBHOOKS}/{id}/redeliver");
        let again: Redelivered =
            self.exchange("deliver again", Method::POST, &path, request).await?;
        Ok(again.deliveries)
    }
}

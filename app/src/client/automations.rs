//! Automations: what they can start from.

use groundcontrol_http::dto::{Page, Trigger};

use super::error::ClientError;
use super::request::Client;

impl Client {
    /// Every trigger, in its order.
    pub async fn triggers(&self) -> Result<Vec<Trigger>, ClientError> {
        let page: Page<Trigger> =
            self.json("list the triggers", self.get("/api/v1/triggers")).await?;
        Ok(page.items)
    }
}

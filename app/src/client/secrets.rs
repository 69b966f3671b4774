//! Secrets: their names, and who got which.

use groundcontrol_http::dto::{Page, Resealed, SecretDelivery, SecretEntry};
use reqwest::Method;
use serde::Serialize;

use super::error::ClientError;
use super::request::Client;

const SECRETS: &str = "/api/v1/secrets";

/// Borrowed, so that the value is not copied.
#[derive(Serialize)]
struct Value<'a> {
    value: &'a str,
}

impl Client {
    /// The names of all secrets.
    pub async fn secrets(&self) -> Result<Vec<SecretEntry>, ClientError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut request = self.get(SECRETS);
            request = request.query(&[("limit", groundcontrol_core::limits::MAX_PAGE)]);
            if let Some(cursor) = cursor.take() {
                request = request.query(&[("cursor", cursor)]);
            }
            let page: Page<SecretEntry> = self.json("list the secrets", request).await?;
            found.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Sets a secret.
    pub async fn put_secret(&self, name: &str, value: &str) -> Result<(), ClientError> {
        let request = self.request(Method::PUT, &path(name)).json(&Value { value });
        self.send("set the secret", request).await.map(drop)
    }

    /// Deletes a secret.
    pub async fn delete_secret(&self, name: &str) -> Result<(), ClientError> {
        self.delete("delete the secret", &path(name)).await
    }

    /// Seals all secrets under the server's current key.
    pub async fn reseal_secrets(&self) -> Result<Resealed, ClientError> {
        let request = self.request(Method::POST, "/api/v1/secrets/reseal");
        self.json("seal the secrets again", request).await
    }

    /// The newest deliveries that match a query of the API.
    pub async fn secret_deliveries(
        &self,
        query: &[(&str, String)],
    ) -> Result<Vec<SecretDelivery>, ClientError> {
        let request = self.get("/api/v1/secret-deliveries").query(query);
        let page: Page<SecretDelivery> = self.json("list the deliveries", request).await?;
        Ok(page.items)
    }
}

fn path(name: &str) -> String {
    format!("{SECRETS}/{name}")
}

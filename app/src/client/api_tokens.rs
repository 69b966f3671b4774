//! Tokens of the API.

use groundcontrol_http::dto::{ApiToken, CreateApiToken, CreatedApiToken, Page};
use reqwest::Method;
use uuid::Uuid;

use super::error::ClientError;
use super::request::Client;

const API_TOKENS: &str = "/api/v1/api-tokens";

impl Client {
    /// All API tokens, never their values.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, ClientError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut request = self.get(API_TOKENS);
            if let Some(cursor) = &cursor {
                request = request.query(&[("cursor", cursor)]);
            }
            let page: Page<ApiToken> = self.json("list the API tokens", request).await?;
            found.extend(page.items);
            match page.next_cursor {
                Some(next) if cursor.as_ref() == Some(&next) => {
                    let why = "the list does not go on".to_owned();
                    return Err(ClientError::NotUnderstood { doing: "list the API tokens", why });
                }
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Makes an API token; the answer carries its value, this once.
    pub async fn create_api_token(
        &self,
        request: &CreateApiToken,
    ) -> Result<CreatedApiToken, ClientError> {
        self.exchange("make the API token", Method::POST, API_TOKENS, request).await
    }

    /// Revokes an API token.
    pub async fn revoke_api_token(&self, id: Uuid) -> Result<(), ClientError> {
        self.delete("revoke the API token", &format!("{API_TOKENS}/{id}")).await
    }
}

//! Tokens of this API.

use groundcontrol_core::ports;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::word::{Instant, Scope, Secret};

/// An API token, never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiToken {
    /// Its id.
    pub id: Uuid,
    /// What it is called; what it did is on record under this name.
    #[schema(example = "deploy pipeline")]
    pub name: String,
    /// What it may.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Instant,
    /// From then on it is refused; absent: it stays valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<Instant>,
}

/// An API token with its value.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiToken {
    /// The token.
    pub api_token: ApiToken,
    /// Its value: `gcapi_` and 43 base64url characters.
    pub token: Secret,
}

/// Makes an API token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "deploy pipeline", "scopes": ["satellite.manage"]}))]
pub struct CreateApiToken {
    /// 1–200 characters, no control characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// At least one.
    #[schema(min_items = 1)]
    pub scopes: Vec<Scope>,
    /// From then on it is refused; absent: it stays valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<Instant>,
}

impl From<&ports::ApiToken> for ApiToken {
    fn from(token: &ports::ApiToken) -> Self {
        Self {
            id: token.id.0,
            name: token.name.clone(),
            scopes: token.scopes.iter().copied().map(Scope).collect(),
            created_at: Instant(token.created_at),
            expires_at: token.expires_at.map(Instant),
        }
    }
}

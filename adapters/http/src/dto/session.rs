//! Signing in from a browser.

use groundcontrol_core::ports::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::word::{Scope, Secret};

/// Signs a browser in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "gcapi_EiWqCHFKsJbHzZ2VZyGYTpVFvNYEIDSJ"}))]
pub struct SignIn {
    /// An API token. The browser keeps it in a cookie that scripts cannot read.
    #[schema(value_type = String, format = Password, min_length = 1)]
    pub token: Secret,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// What the API token is called in the history.
    #[schema(example = "admin")]
    pub actor: String,
    /// What it may.
    pub scopes: Vec<Scope>,
}

impl From<&Caller> for Session {
    fn from(caller: &Caller) -> Self {
        let scopes = caller.scopes.iter().copied().map(Scope).collect();
        Self { actor: caller.actor.0.clone(), scopes }
    }
}

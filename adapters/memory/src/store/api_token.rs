//! The tokens of the HTTP API.

use std::collections::BTreeMap;

use groundcontrol_core::ports::{ApiToken, ApiTokenId, NewApiToken};
use groundcontrol_core::satellite::TokenHash;

/// API tokens by their ids.
#[derive(Default)]
pub(super) struct ApiTokens(BTreeMap<ApiTokenId, NewApiToken>);

impl ApiTokens {
    pub(super) fn put(&mut self, new: NewApiToken) {
        self.0.insert(new.token.id, new);
    }

    pub(super) fn find(&self, hash: &TokenHash) -> Option<ApiToken> {
        self.0.values().find(|stored| stored.hash == *hash).map(|stored| stored.token.clone())
    }

    pub(super) fn list(&self) -> Vec<ApiToken> {
        let mut tokens: Vec<_> = self.0.values().map(|stored| stored.token.clone()).collect();
        tokens.sort_by_key(|token| token.created_at);
        tokens
    }

    pub(super) fn delete(&mut self, id: ApiTokenId) -> bool {
        self.0.remove(&id).is_some()
    }
}

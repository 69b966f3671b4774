//! The tokens of the HTTP API.

use async_trait::async_trait;
use groundcontrol_core::ports::{ApiTokenId, NewApiToken};
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;

use super::job::Write;
use super::transitions::Recording;
use crate::database::{Database, json};
use crate::error::Failure;

/// Stores a token, or the later form of one.
pub(crate) struct PutApiToken(pub(crate) NewApiToken);

/// Deletes a token.
pub(crate) struct DeleteApiToken(pub(crate) ApiTokenId);

#[async_trait]
impl Write for PutApiToken {
    type Output = ();
    const DOING: &'static str = "store an API token";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let NewApiToken { token, hash } = &self.0;
        let upsert = "INSERT INTO api_tokens (id, name, hash, scopes, created_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
            hash = excluded.hash, scopes = excluded.scopes, created_at = excluded.created_at, \
            expires_at = excluded.expires_at";
        let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.name()).collect();
        let values: [Value; 6] = [
            token.id.0.into(),
            token.name.as_str().into(),
            hash.to_stored().into(),
            json(&scopes)?.into(),
            token.created_at.as_millis().into(),
            token.expires_at.map(Timestamp::as_millis).into(),
        ];
        database.execute(upsert, values).await.map(drop)
    }
}

#[async_trait]
impl Write for DeleteApiToken {
    type Output = bool;
    const DOING: &'static str = "delete an API token";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<bool, Failure> {
        let delete = "DELETE FROM api_tokens WHERE id = $1";
        database.execute(delete, [self.0.0.into()]).await.map(|rows| rows == 1)
    }
}

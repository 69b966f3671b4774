//! The tokens of the HTTP API.

use groundcontrol_core::ports::ApiToken;
use groundcontrol_core::satellite::TokenHash;

use crate::database::Database;
use crate::error::Failure;
use crate::rows::{self, API_TOKEN_COLUMNS};

/// The token with this hash.
pub(crate) async fn find_api_token(
    database: &Database,
    hash: &TokenHash,
) -> Result<Option<ApiToken>, Failure> {
    let sql = format!("SELECT {API_TOKEN_COLUMNS} FROM api_tokens WHERE hash = $1 LIMIT 1");
    let row = database.one(sql, [hash.to_stored().into()]).await?;
    row.as_ref().map(rows::api_token).transpose()
}

/// All tokens, oldest first.
pub(crate) async fn api_tokens(database: &Database) -> Result<Vec<ApiToken>, Failure> {
    let sql = format!("SELECT {API_TOKEN_COLUMNS} FROM api_tokens ORDER BY created_at, id");
    rows::all(&database.all(sql, []).await?, rows::api_token)
}

//! The tokens of the HTTP API.

pub(crate) const SQL: &[&str] = &[
    "CREATE TABLE api_tokens (
        id {id} NOT NULL PRIMARY KEY,
        name {text} NOT NULL,
        hash {text} NOT NULL,
        scopes {text} NOT NULL,
        created_at {int} NOT NULL,
        expires_at {int}
    ){clustered}",
    "CREATE INDEX api_tokens_hash ON api_tokens (hash)",
];

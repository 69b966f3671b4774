//! Where a vault is, and who this server is to it.

use std::path::PathBuf;

use secrecy::SecretString;

/// Where secrets are in a vault.
pub struct VaultSettings {
    /// Its address, `https://HOST:PORT`, without a user or a query.
    pub address: String,
    /// Whom its certificate is checked against.
    pub tls: rustls::ClientConfig,
    /// Who this server is.
    pub auth: VaultAuth,
    /// Where the KV engine is mounted; usually `secret`.
    pub mount: String,
    /// The path below which the secrets are; empty for the root.
    pub path: String,
    /// The field of an entry that holds the value; usually `value`.
    pub field: String,
    /// The namespace of an enterprise vault, or of OpenBao.
    pub namespace: Option<String>,
}

/// Who this server is to a vault. Files are read whenever they are needed, so that they may change.
#[derive(Clone, Debug)]
pub enum VaultAuth {
    /// Who has a token.
    Token(SecretString),
    /// Who has the token in a file, as an agent of the vault writes it.
    TokenFile(PathBuf),
    /// An AppRole.
    AppRole {
        /// Where the method is mounted; usually `approle`.
        mount: String,
        /// Which role.
        role_id: String,
        /// File with the secret that belongs to it.
        secret_id_file: PathBuf,
    },
    /// A service account of Kubernetes.
    Kubernetes {
        /// Where the method is mounted; usually `kubernetes`.
        mount: String,
        /// Which role.
        role: String,
        /// File with the account's token.
        token_file: PathBuf,
    },
}

/// Why a vault's settings are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The address is none.
    #[error(
        "the vault's address must be https://HOST:PORT or http://HOST:PORT, without a user, a query \
         or a fragment"
    )]
    Address,
    /// The client could not be made.
    #[error("the client of the vault could not be made: {0}")]
    Client(String),
}

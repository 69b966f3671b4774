//! Where secrets are.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::StoreError;
use crate::secrets::{SecretName, SecretValue, Secrets};

/// A place that holds secrets: an environment, a folder, a database, a vault. It is asked each time
/// that a satellite asks, keeps nothing that it read, and puts no value into an error.
///
/// Every promise here has a case in `conformance::secret_source`.
///
/// * **As it is now**: a secret that was changed outside is answered as it was changed.
/// * **All or none**: where one of the names is missing, that is the answer.
///
/// May fail: any call.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// The values of all `names`, to the letter.
    async fn resolve(&self, names: &BTreeSet<SecretName>) -> Result<Secrets, SecretError>;

    /// The names of all secrets, in their order.
    async fn names(&self) -> Result<BTreeSet<SecretName>, SecretError>;

    /// Sets the value of a secret, new or not. A source that others fill refuses.
    async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError>;

    /// Deletes a secret; false where there is none. A source that others fill refuses.
    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError>;

    /// Seals again what is sealed under another key than the current one; answers how many. Nothing
    /// where values are not sealed by this source.
    async fn reseal(&self) -> Result<u64, SecretError> {
        Err(SecretError::ReadOnly { how: "it seals no values by itself" })
    }
}

/// Why a source of secrets did not do what it was asked. No text here holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is no secret of this name.
    #[error("there is no secret named {0}")]
    NotFound(
        /// The name.
        SecretName,
    ),
    /// A value that cannot be delivered: it is too long, or no UTF-8.
    #[error("the secret {name} {why}")]
    Unusable {
        /// Which secret.
        name: SecretName,
        /// What is wrong; completes "the secret …".
        why: &'static str,
    },
    /// The source cannot be reached, refuses, or answers too late.
    #[error("the source of secrets is unavailable: {0}")]
    Unavailable(
        /// Why, for the operator: no value, and no URL that may hold one.
        String,
    ),
    /// Secrets are changed elsewhere.
    #[error("secrets cannot be changed here: {how}")]
    ReadOnly {
        /// What to do instead.
        how: &'static str,
    },
    /// The store of sealed secrets did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

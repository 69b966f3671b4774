//! Secrets that are sealed: only who has the key can read them.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::StoreResult;
use crate::secrets::SecretName;

/// Sealed secrets. The store holds bytes that tell it nothing.
///
/// Every promise here has a case in `conformance::sealed_store`.
///
/// * **Durable**: what was answered is kept, also after a crash.
/// * **Conditional**: [`replace`](Self::replace) changes only what is as it was read.
///
/// May fail: any call.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// Those of `names` that there are.
    async fn sealed(&self, names: &BTreeSet<SecretName>) -> StoreResult<Vec<SealedSecret>>;

    /// All names, in their order.
    async fn sealed_names(&self) -> StoreResult<BTreeSet<SecretName>>;

    /// Keeps a secret, in place of another of its name.
    async fn put_sealed(&self, secret: SealedSecret) -> StoreResult<()>;

    /// Deletes a secret; false where there is none.
    async fn delete_sealed(&self, name: &SecretName) -> StoreResult<bool>;

    /// Up to `limit` secrets that are sealed under another key than `key_id`.
    async fn sealed_otherwise(&self, key_id: &str, limit: usize) -> StoreResult<Vec<SealedSecret>>;

    /// Keeps `new` in place of `old`, if that is still what is kept; answers whether it was.
    async fn replace_sealed(&self, old: &SealedSecret, new: SealedSecret) -> StoreResult<bool>;
}

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// Its name.
    pub name: SecretName,
    /// Which key it is sealed under.
    pub key_id: String,
    /// What is sealed, as text.
    pub sealed: String,
}

//! What operators ask of Ground Control about secrets.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{FleetError, SecretDeliveryQuery};
use crate::secrets::{SecretName, SecretValue, StoredDelivery};

/// Implemented by the app, called by adapters that listen to operators. A value goes in and never
/// comes out.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SecretService: Send + Sync {
    /// The names of all secrets, in their order.
    async fn secret_names(&self) -> Result<BTreeSet<SecretName>, FleetError>;

    /// Sets the value of a secret, where the source takes it.
    async fn put_secret(&self, name: SecretName, value: SecretValue) -> Result<(), FleetError>;

    /// Deletes a secret, where the source lets it.
    async fn delete_secret(&self, name: SecretName) -> Result<(), FleetError>;

    /// Seals all secrets under the current key; answers how many were not.
    async fn reseal_secrets(&self) -> Result<u64, FleetError>;

    /// The deliveries on record, newest first.
    async fn secret_deliveries(
        &self,
        query: SecretDeliveryQuery,
    ) -> Result<Vec<StoredDelivery>, FleetError>;
}

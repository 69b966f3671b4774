//! The record of which secrets were delivered to whom.

use async_trait::async_trait;

use super::StoreResult;
use crate::satellite::SatelliteId;
use crate::secrets::{Delivery, StoredDelivery};
use crate::time::Timestamp;

/// Deliveries on record. They outlive their satellites.
///
/// Every promise here has a case in `conformance::secret_delivery_store`.
///
/// * **Durable**: what was answered is kept, also after a crash.
/// * **Together**: a call keeps all of its deliveries, or none.
///
/// May fail: any call.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SecretDeliveryStore: Send + Sync {
    /// Puts deliveries on record. Any number.
    async fn record_deliveries(&self, deliveries: &[Delivery]) -> StoreResult<()>;

    /// The deliveries that match, newest first.
    async fn deliveries(&self, query: &SecretDeliveryQuery) -> StoreResult<Vec<StoredDelivery>>;

    /// Deletes up to `limit` deliveries from before `before`, of the oldest first; answers how many.
    async fn prune_deliveries(&self, before: Timestamp, limit: usize) -> StoreResult<u64>;
}

/// Which deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretDeliveryQuery {
    /// Only those to this satellite.
    pub satellite: Option<SatelliteId>,
    /// Only those at this time or later.
    pub since: Option<Timestamp>,
    /// Only those before this time.
    pub until: Option<Timestamp>,
    /// Only those that come after the one of this number in the list.
    pub after: Option<u64>,
    /// At most this many.
    pub limit: usize,
}

//! The ports of secrets: which call goes where.

use std::collections::BTreeSet;

use async_trait::async_trait;
use groundcontrol_core::ports::{
    SealedSecret, SealedStore, SecretDeliveryQuery, SecretDeliveryStore, StoreResult,
};
use groundcontrol_core::secrets::{Delivery, SecretName, StoredDelivery};
use groundcontrol_core::time::Timestamp;

use crate::read::secrets as read;
use crate::store::{DatabaseStore, doing};
use crate::write::{
    DeleteSealed, PruneSecretDeliveries, PutSealed, RecordDeliveries, ReplaceSealed,
};

#[async_trait]
impl SealedStore for DatabaseStore {
    async fn sealed(&self, names: &BTreeSet<SecretName>) -> StoreResult<Vec<SealedSecret>> {
        doing("read sealed secrets", read::sealed(self.reader(), names).await)
    }

    async fn sealed_names(&self) -> StoreResult<BTreeSet<SecretName>> {
        doing("list sealed secrets", read::sealed_names(self.reader()).await)
    }

    async fn put_sealed(&self, secret: SealedSecret) -> StoreResult<()> {
        self.writer().write(PutSealed(secret)).await
    }

    async fn delete_sealed(&self, name: &SecretName) -> StoreResult<bool> {
        self.writer().write(DeleteSealed(name.clone())).await
    }

    async fn sealed_otherwise(&self, key_id: &str, limit: usize) -> StoreResult<Vec<SealedSecret>> {
        doing("read sealed secrets", read::sealed_otherwise(self.reader(), key_id, limit).await)
    }

    async fn replace_sealed(&self, old: &SealedSecret, new: SealedSecret) -> StoreResult<bool> {
        self.writer().write(ReplaceSealed { old: old.clone(), new }).await
    }
}

#[async_trait]
impl SecretDeliveryStore for DatabaseStore {
    async fn record_deliveries(&self, deliveries: &[Delivery]) -> StoreResult<()> {
        if deliveries.is_empty() {
            return Ok(());
        }
        self.writer().write(RecordDeliveries(deliveries.to_vec())).await
    }

    async fn deliveries(&self, query: &SecretDeliveryQuery) -> StoreResult<Vec<StoredDelivery>> {
        doing("list deliveries of secrets", read::deliveries(self.reader(), query).await)
    }

    async fn prune_deliveries(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        self.writer().write(PruneSecretDeliveries { before, limit }).await
    }
}

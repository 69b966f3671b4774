//! Sealed secrets, and the record of deliveries.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use groundcontrol_core::ports::{
    SealedSecret, SealedStore, SecretDeliveryQuery, SecretDeliveryStore, StoreResult,
};
use groundcontrol_core::secrets::{Delivery, SecretName, StoredDelivery};
use groundcontrol_core::time::Timestamp;

use super::MemoryStore;

/// What is stored of secrets.
#[derive(Default)]
pub(super) struct SecretRows {
    sealed: BTreeMap<SecretName, SealedSecret>,
    deliveries: Vec<StoredDelivery>,
    last: u64,
}

#[async_trait]
impl SealedStore for MemoryStore {
    async fn sealed(&self, names: &BTreeSet<SecretName>) -> StoreResult<Vec<SealedSecret>> {
        let sealed = &self.state.lock().secrets.sealed;
        Ok(names.iter().filter_map(|name| sealed.get(name).cloned()).collect())
    }

    async fn sealed_names(&self) -> StoreResult<BTreeSet<SecretName>> {
        Ok(self.state.lock().secrets.sealed.keys().cloned().collect())
    }

    async fn put_sealed(&self, secret: SealedSecret) -> StoreResult<()> {
        self.state.lock().secrets.sealed.insert(secret.name.clone(), secret);
        Ok(())
    }

    async fn delete_sealed(&self, name: &SecretName) -> StoreResult<bool> {
        Ok(self.state.lock().secrets.sealed.remove(name).is_some())
    }

    async fn sealed_otherwise(&self, key_id: &str, limit: usize) -> StoreResult<Vec<SealedSecret>> {
        let state = self.state.lock();
        let others = state.secrets.sealed.values().filter(|secret| secret.key_id != key_id);
        Ok(others.take(limit).cloned().collect())
    }

    async fn replace_sealed(&self, old: &SealedSecret, new: SealedSecret) -> StoreResult<bool> {
        let sealed = &mut self.state.lock().secrets.sealed;
        let Some(kept) = sealed.get_mut(&old.name).filter(|kept| *kept == old) else {
            return Ok(false);
        };
        *kept = new;
        Ok(true)
    }
}

#[async_trait]
impl SecretDeliveryStore for MemoryStore {
    async fn record_deliveries(&self, deliveries: &[Delivery]) -> StoreResult<()> {
        let secrets = &mut self.state.lock().secrets;
        for delivery in deliveries {
            secrets.last += 1;
            let (number, delivery) = (secrets.last, delivery.clone());
            secrets.deliveries.push(StoredDelivery { number, delivery });
        }
        Ok(())
    }

    async fn deliveries(&self, query: &SecretDeliveryQuery) -> StoreResult<Vec<StoredDelivery>> {
        let state = self.state.lock();
        let fits = |stored: &&StoredDelivery| {
            let Delivery { satellite, at, .. } = &stored.delivery;
            query.satellite.is_none_or(|wanted| wanted == *satellite)
                && query.since.is_none_or(|since| *at >= since)
                && query.until.is_none_or(|until| *at < until)
                && query.after.is_none_or(|after| stored.number < after)
        };
        let newest_first = state.secrets.deliveries.iter().rev();
        Ok(newest_first.filter(fits).take(query.limit).cloned().collect())
    }

    async fn prune_deliveries(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        let deliveries = &mut self.state.lock().secrets.deliveries;
        let is_old = |stored: &&StoredDelivery| stored.delivery.at < before;
        let mut old: Vec<_> =
            deliveries.iter().filter(is_old).map(|s| (s.delivery.at, s.number)).collect();
        old.sort_unstable();
        let old: BTreeSet<_> = old.into_iter().take(limit).map(|(_, number)| number).collect();
        deliveries.retain(|stored| !old.contains(&stored.number));
        Ok(old.len() as u64)
    }
}

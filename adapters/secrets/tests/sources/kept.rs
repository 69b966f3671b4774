//! A store of sealed secrets, as a map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use groundcontrol_core::ports::{SealedSecret, SealedStore, StoreResult};
use groundcontrol_core::secrets::SecretName;

/// What is kept, by name.
#[derive(Default)]
pub(crate) struct Kept(Mutex<BTreeMap<SecretName, SealedSecret>>);

#[async_trait]
impl SealedStore for Kept {
    async fn sealed(&self, names: &BTreeSet<SecretName>) -> StoreResult<Vec<SealedSecret>> {
        let kept = self.0.lock().unwrap();
        Ok(names.iter().filter_map(|name| kept.get(name).cloned()).collect())
    }

    async fn sealed_names(&self) -> StoreResult<BTreeSet<SecretName>> {
        Ok(self.0.lock().unwrap().keys().cloned().collect())
    }

    async fn put_sealed(&self, secret: SealedSecret) -> StoreResult<()> {
        self.0.lock().unwrap().insert(secret.name.clone(), secret);
        Ok(())
    }

    async fn delete_sealed(&self, name: &SecretName) -> StoreResult<bool> {
        Ok(self.0.lock().unwrap().remove(name).is_some())
    }

    async fn sealed_otherwise(&self, key_id: &str, limit: usize) -> StoreResult<Vec<SealedSecret>> {
        let kept = self.0.lock().unwrap();
        Ok(kept.values().filter(|secret| secret.key_id != key_id).take(limit).cloned().collect())
    }

    async fn replace_sealed(&self, old: &SealedSecret, new: SealedSecret) -> StoreResult<bool> {
        let mut kept = self.0.lock().unwrap();
        let is_there = kept.get(&old.name) == Some(old);
        if is_there {
            kept.insert(new.name.clone(), new);
        }
        Ok(is_there)
    }
}

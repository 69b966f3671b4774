//! Secrets in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::limits::MAX_SECRET_VALUE;
use groundcontrol_core::ports::{SecretError, SecretSource};
use groundcontrol_core::secrets::{SecretName, SecretValue, Secrets};
use parking_lot::Mutex;

/// Secrets that are gone with the process. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct MemorySecrets {
    held: Arc<Mutex<BTreeMap<SecretName, SecretValue>>>,
}

impl MemorySecrets {
    /// No secrets.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl SecretSource for MemorySecrets {
    async fn resolve(&self, names: &BTreeSet<SecretName>) -> Result<Secrets, SecretError> {
        let held = self.held.lock();
        let found = |name: &SecretName| match held.get(name) {
            Some(value) => Ok((name.clone(), value.clone())),
            None => Err(SecretError::NotFound(name.clone())),
        };
        names.iter().map(found).collect()
    }

    async fn names(&self) -> Result<BTreeSet<SecretName>, SecretError> {
        Ok(self.held.lock().keys().cloned().collect())
    }

    async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError> {
        if value.expose().len() > MAX_SECRET_VALUE {
            return Err(SecretError::Unusable { name: name.clone(), why: "is longer than 64 KiB" });
        }
        self.held.lock().insert(name.clone(), value.clone());
        Ok(())
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        Ok(self.held.lock().remove(name).is_some())
    }
}

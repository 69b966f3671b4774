//! Secrets that are sealed in a store: XChaCha20-Poly1305, a random nonce each, the name
//! authenticated with the value.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::ports::{SealedSecret, SealedStore, SecretError, SecretSource};
use groundcontrol_core::secrets::{SecretName, SecretValue, Secrets};

use super::key::{Keys, NotOpened};
use super::{check_length, value_of};

/// Secrets that are sealed again in one step.
const STEP: usize = 100;

/// Sealed secrets. The keys are kept apart from the store: who has only one of the two has nothing.
#[derive(Clone)]
pub struct SealedSecrets {
    store: Arc<dyn SealedStore>,
    keys: Arc<Keys>,
}

impl SealedSecrets {
    /// The secrets in `store`, which `keys` seal and open.
    pub fn new(store: Arc<dyn SealedStore>, keys: Keys) -> Self {
        Self { store, keys: Arc::new(keys) }
    }

    fn opened(&self, secret: &SealedSecret) -> Result<SecretValue, SecretError> {
        let unusable = |why| SecretError::Unusable { name: secret.name.clone(), why };
        let opened = self.keys.open(secret).map_err(|why| match why {
            NotOpened::NoKey => unusable("is sealed under a key that this server was not given"),
            NotOpened::Damaged => unusable("is not what was sealed under this name"),
        })?;
        value_of(&secret.name, opened)
    }

    fn sealed(&self, name: &SecretName, value: &SecretValue) -> Result<SealedSecret, SecretError> {
        self.keys.seal(name, value).ok_or_else(|| {
            SecretError::Unavailable("the operating system gives no random numbers".to_owned())
        })
    }
}

#[async_trait]
impl SecretSource for SealedSecrets {
    async fn resolve(&self, names: &BTreeSet<SecretName>) -> Result<Secrets, SecretError> {
        if names.is_empty() {
            return Ok(Secrets::new());
        }
        let found = self.store.sealed(names).await?;
        let known: BTreeSet<_> = found.iter().map(|secret| &secret.name).collect();
        if let Some(missing) = names.iter().find(|name| !known.contains(name)) {
            return Err(SecretError::NotFound(missing.clone()));
        }
        found.iter().map(|secret| Ok((secret.name.clone(), self.opened(secret)?))).collect()
    }

    async fn names(&self) -> Result<BTreeSet<SecretName>, SecretError> {
        Ok(self.store.sealed_names().await?)
    }

    async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError> {
        check_length(name, value)?;
        Ok(self.store.put_sealed(self.sealed(name, value)?).await?)
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        Ok(self.store.delete_sealed(name).await?)
    }

    async fn reseal(&self) -> Result<u64, SecretError> {
        let mut resealed = 0;
        loop {
            let others = self.store.sealed_otherwise(self.keys.current(), STEP).await?;
            if others.is_empty() {
                return Ok(resealed);
            }
            for old in others {
                let new = self.sealed(&old.name, &self.opened(&old)?)?;
                // Where somebody was faster, the next look tells what is left.
                resealed += u64::from(self.store.replace_sealed(&old, new).await?);
            }
        }
    }
}

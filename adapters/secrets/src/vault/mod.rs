//! Secrets in HashiCorp Vault or OpenBao: the KV engine, version 2, over HTTP.

mod settings;
mod wire;
mod session;

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use groundcontrol_core::ports::{SecretError, SecretSource};
use groundcontrol_core::secrets::{SecretName, SecretValue, Secrets};
use reqwest::{Method, StatusCode};
use tracing::{info, warn};

use super::value_of;
use session::Session;
pub use settings::{VaultAuth, VaultError, VaultSettings};
use wire::{Answer, Exchange, NO_BODY};

const HOW: &str = "write it in the vault";
/// Secrets that are asked for at the same time.
const AT_ONCE: usize = 16;
/// After a renewal that failed the next one waits this long.
const AGAIN: Duration = Duration::from_secs(10);

/// Each secret is an entry of its own below a path of a KV engine, with its value in one field. The
/// token is renewed while this lives. Nothing is written: policies of the vault need not allow it.
#[derive(Clone)]
pub struct VaultSecrets {
    inner: Arc<Inner>,
}

struct Inner {
    exchange: Exchange,
    session: Session,
    mount: String,
    path: String,
    field: String,
}

impl VaultSecrets {
    /// Secrets in the vault of `settings`. It need not answer yet: what it cannot be asked is told
    /// to who asks. Must be called on a Tokio runtime, which renews the token.
    pub fn open(settings: VaultSettings) -> Result<Self, VaultError> {
        let exchange = Exchange::new(&settings)?;
        let path = match settings.path.trim_matches('/') {
            "" => String::new(),
            path => format!("{path}/"),
        };
        let inner = Arc::new(Inner {
            exchange,
            session: Session::new(settings.auth),
            mount: settings.mount.trim_matches('/').to_owned(),
            path,
            field: settings.field,
        });
        tokio::spawn(keep_alive(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }
}

/// Renews the token for as long as somebody has the secrets.
async fn keep_alive(inner: Weak<Inner>) {
    let mut answers = true;
    loop {
        let Some(vault) = inner.upgrade() else { return };
        let renewed = vault.session.keep(&vault.exchange).await;
        match (&renewed, answers) {
            (Err(error), true) => warn!(%error, "the vault gives no token"),
            (Ok(_), false) => info!("the vault gives a token again"),
            (Err(_), false) | (Ok(_), true) => {}
        }
        answers = renewed.is_ok();
        drop(vault);
        tokio::time::sleep(renewed.unwrap_or(AGAIN)).await;
    }
}

impl Inner {
    /// What the vault answers, with a new token where the one that was used is refused.
    async fn ask(&self, path: &str) -> Result<Answer, SecretError> {
        let token = self.session.token(&self.exchange).await?;
        let first = self.exchange.send(Method::GET, path, Some(&token), NO_BODY).await?;
        if first.status != StatusCode::FORBIDDEN || !self.session.forget(&token) {
            return Ok(first);
        }
        let token = self.session.token(&self.exchange).await?;
        self.exchange.send(Method::GET, path, Some(&token), NO_BODY).await
    }

    async fn value(&self, name: &SecretName) -> Result<SecretValue, SecretError> {
        let (mount, path) = (&self.mount, &self.path);
        let answer = self.ask(&format!("{mount}/data/{path}{name}")).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(SecretError::NotFound(name.clone()));
        }
        let entry = wire::entry(answer.expect_success("read a secret")?)?;
        let value = entry.and_then(|mut fields| fields.remove(&self.field)).flatten();
        let why = "has no text in the field of the vault's entry that holds values";
        let value = value.ok_or_else(|| SecretError::Unusable { name: name.clone(), why })?;
        value_of(name, value)
    }
}

#[async_trait]
impl SecretSource for VaultSecrets {
    async fn resolve(&self, names: &BTreeSet<SecretName>) -> Result<Secrets, SecretError> {
        let inner = &self.inner;
        let value = |name: SecretName| async move { Ok((name.clone(), inner.value(&name).await?)) };
        stream::iter(names.iter().cloned().map(value)).buffered(AT_ONCE).try_collect().await
    }

    async fn names(&self) -> Result<BTreeSet<SecretName>, SecretError> {
        let Inner { mount, path, .. } = &*self.inner;
        let answer = self.inner.ask(&format!("{mount}/metadata/{path}?list=true")).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(BTreeSet::new());
        }
        let keys = wire::keys(answer.expect_success("list secrets")?)?;
        Ok(keys.iter().filter_map(|key| key.parse().ok()).collect())
    }

    async fn put(&self, _: &SecretName, _: &SecretValue) -> Result<(), SecretError> {
        Err(SecretError::ReadOnly { how: HOW })
    }

    async fn delete(&self, _: &SecretName) -> Result<bool, SecretError> {
        Err(SecretError::ReadOnly { how: HOW })
    }
}

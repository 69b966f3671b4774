//! Secrets in environment variables.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::ports::{SecretError, SecretSource};
use groundcontrol_core::secrets::{SecretName, SecretValue, Secrets};
use zeroize::Zeroizing;

use super::value_of;

const HOW: &str = "set the environment variable, and start the server again";

/// An environment.
pub trait Variables: Send + Sync {
    /// The value of a variable.
    fn get(&self, name: &OsStr) -> Option<OsString>;

    /// The names of all variables.
    fn names(&self) -> Vec<OsString>;
}

/// This process's environment.
struct Own;

impl Variables for Own {
    fn get(&self, name: &OsStr) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn names(&self) -> Vec<OsString> {
        std::env::vars_os().map(|(name, _)| name).collect()
    }
}

/// Secrets in environment variables: each is a prefix and the secret's name, as written.
#[derive(Clone)]
pub struct EnvSecrets {
    prefix: String,
    variables: Arc<dyn Variables>,
}

impl EnvSecrets {
    /// Those of this process's variables that begin with `prefix`.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self::among(prefix, Arc::new(Own))
    }

    /// Those of `variables` that begin with `prefix`.
    pub fn among(prefix: impl Into<String>, variables: Arc<dyn Variables>) -> Self {
        Self { prefix: prefix.into(), variables }
    }

    fn value(&self, name: &SecretName) -> Result<SecretValue, SecretError> {
        let variable = format!("{}{name}", self.prefix);
        let found = self.variables.get(OsStr::new(&variable));
        let found = found.ok_or_else(|| SecretError::NotFound(name.clone()))?;
        value_of(name, Zeroizing::new(found.into_vec()))
    }
}

#[async_trait]
impl SecretSource for EnvSecrets {
    async fn resolve(&self, names: &BTreeSet<SecretName>) -> Result<Secrets, SecretError> {
        names.iter().map(|name| Ok((name.clone(), self.value(name)?))).collect()
    }

    async fn names(&self) -> Result<BTreeSet<SecretName>, SecretError> {
        let name = |variable: OsString| variable.to_str()?.strip_prefix(&self.prefix)?.parse().ok();
        Ok(self.variables.names().into_iter().filter_map(name).collect())
    }

    async fn put(&self, _: &SecretName, _: &SecretValue) -> Result<(), SecretError> {
        Err(SecretError::ReadOnly { how: HOW })
    }

    async fn delete(&self, _: &SecretName) -> Result<bool, SecretError> {
        Err(SecretError::ReadOnly { how: HOW })
    }
}

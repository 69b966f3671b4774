//! The value of a secret.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::name::SecretName;

/// What a secret says, or a text with secrets in it. It cannot be printed and is wiped from memory
/// when dropped.
#[derive(Clone, Debug)]
pub struct SecretValue(SecretString);

/// Secrets by their names.
pub type Secrets = BTreeMap<SecretName, SecretValue>;

/// Values by what they are called: variables of an environment, or paths in a configuration.
pub type Values = BTreeMap<String, SecretValue>;

/// The values inside the configuration of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigValues {
    /// By their path in the strategy's configuration.
    pub strategy: Values,
    /// By the collector's entry id: by their path in its configuration.
    pub collectors: BTreeMap<String, Values>,
}

impl SecretValue {
    /// The secret `text`.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text. Only for whom it is meant.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for SecretValue {
    /// In constant time for texts of equal length.
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for SecretValue {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_compared_but_never_printed() {
        let value = SecretValue::new("hush");
        assert_eq!(value, SecretValue::new("hush"));
        assert_ne!(value, SecretValue::new("hash"));
        assert!(!format!("{value:?}").contains("hush"));
    }
}

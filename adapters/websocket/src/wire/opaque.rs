//! Values that are passed on without being looked at.

use std::fmt;

use groundcontrol_core::satellite::Token;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// JSON that is stored or relayed as it came: white space, order, doubled keys and all. Two are
/// equal when their texts are. Printing it shows its size only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Opaque(Box<RawValue>);

impl Opaque {
    /// The JSON in `text`; an error when it is not exactly one JSON value.
    pub fn new(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self)
    }

    /// The JSON of `value`.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl From<Opaque> for Box<str> {
    fn from(opaque: Opaque) -> Self {
        opaque.0.into()
    }
}

impl PartialEq for Opaque {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} bytes)", self.get().len())
    }
}

/// A token or a secret's value. It cannot be printed and is wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretText(SecretString);

impl SecretText {
    /// The secret `text`.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text. Only for whom it is meant.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&SecretText> for Token {
    fn from(secret: &SecretText) -> Self {
        Self::presented(secret.expose())
    }
}

impl From<&Token> for SecretText {
    fn from(token: &Token) -> Self {
        Self::new(token.expose())
    }
}

impl PartialEq for SecretText {
    /// In constant time for texts of equal length.
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (self.expose().as_bytes(), other.expose().as_bytes());
        one.len() == two.len() && one.iter().zip(two).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer).map(Self::new)
    }
}

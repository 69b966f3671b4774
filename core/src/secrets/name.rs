//! What secrets are called.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use crate::limits::MAX_SECRET_NAME_CHARS;

/// A secret's name: 1–128 letters, digits, `_` and `-`, of ASCII. Names nothing outside of a folder
/// or a path, whatever it is.
///
/// ```
/// use groundcontrol_core::secrets::SecretName;
/// assert_eq!("DB_password-1".parse::<SecretName>().unwrap().as_str(), "DB_password-1");
/// assert!("../passwd".parse::<SecretName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(Box<str>);

/// The text names no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret's name has 1 to {MAX_SECRET_NAME_CHARS} characters: letters, digits, underscores and \
     hyphens"
)]
pub struct NotASecretName;

impl SecretName {
    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = NotASecretName;

    fn from_str(text: &str) -> Result<Self, NotASecretName> {
        let length = (1..=MAX_SECRET_NAME_CHARS).contains(&text.len());
        match length && text.chars().all(is_name) {
            true => Ok(Self(text.into())),
            false => Err(NotASecretName),
        }
    }
}

impl Borrow<str> for SecretName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `c` may be in a name.
pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_lead_out_of_a_folder_is_no_name() {
        for text in ["", ".", "..", "a/b", "a\\b", "a b", "ä", "a\0", "..2024_01"] {
            assert_eq!(text.parse::<SecretName>(), Err(NotASecretName), "{text:?}");
        }
    }

    #[test]
    fn a_name_has_up_to_its_limit_of_characters() {
        assert!("x".repeat(MAX_SECRET_NAME_CHARS).parse::<SecretName>().is_ok());
        assert!("x".repeat(MAX_SECRET_NAME_CHARS + 1).parse::<SecretName>().is_err());
    }
}

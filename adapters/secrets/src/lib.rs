//! Where secrets are: an environment ([`EnvSecrets`]), a folder ([`DirSecrets`]), sealed in a store
//! ([`SealedSecrets`]), or a vault ([`VaultSecrets`]). Each keeps the promises of
//! [`SecretSource`](groundcontrol_core::ports::SecretSource).
//!
//! No value is kept beyond the answer, printed, or put into an error.

#![deny(missing_docs)]

mod env;
mod dir;
mod key;
mod sealed;
mod vault;

pub use dir::DirSecrets;
pub use env::{EnvSecrets, Variables};
pub use key::{KeyError, Keys};
pub use sealed::SealedSecrets;
pub use vault::{VaultAuth, VaultError, VaultSecrets, VaultSettings};

use groundcontrol_core::limits::MAX_SECRET_VALUE;
use groundcontrol_core::ports::SecretError;
use groundcontrol_core::secrets::{SecretName, SecretValue};
use zeroize::Zeroizing;

/// The value in `bytes`, which must be text and not too long.
fn value_of(name: &SecretName, bytes: Zeroizing<Vec<u8>>) -> Result<SecretValue, SecretError> {
    let unusable = |why| SecretError::Unusable { name: name.clone(), why };
    if bytes.len() > MAX_SECRET_VALUE {
        return Err(unusable(TOO_LONG));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable("is no UTF-8 text"))?;
    Ok(SecretValue::new(text))
}

const TOO_LONG: &str = "is longer than 64 KiB";

/// Refuses a value that is too long.
fn check_length(name: &SecretName, value: &SecretValue) -> Result<(), SecretError> {
    match value.expose().len() > MAX_SECRET_VALUE {
        true => Err(SecretError::Unusable { name: name.clone(), why: TOO_LONG }),
        false => Ok(()),
    }
}

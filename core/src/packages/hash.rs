//! The names of what is addressed by its content.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::hex;

/// The text is no SHA-256. The message completes "this field …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a SHA-256: 64 hexadecimal digits")]
pub struct NotAHash;

macro_rules! hash_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// That of `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Sha256::digest(bytes).into())
            }

            /// The one that was computed elsewhere.
            pub const fn computed(hash: [u8; 32]) -> Self {
                Self(hash)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(&self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAHash;
            fn from_str(text: &str) -> Result<Self, NotAHash> {
                hex::read(text).map(Self).ok_or(NotAHash)
            }
        }
    };
}

hash_newtype! {
    /// The SHA-256 of a blob's bytes.
    ///
    /// ```
    /// use groundcontrol_core::packages::{BlobHash, NotAHash};
    /// let hash = BlobHash::of(b"");
    /// assert!(hash.to_string().starts_with("e3b0c442"));
    /// assert_eq!(hash.to_string().to_uppercase().parse(), Ok(hash));
    /// assert_eq!("e3b0".parse::<BlobHash>(), Err(NotAHash));
    /// ```
    BlobHash
}

hash_newtype! {
    /// The SHA-256 of a lockfile's canonical form.
    LockfileHash
}

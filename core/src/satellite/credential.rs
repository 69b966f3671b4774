//! Tokens and their hashes. A token is 32 random bytes, so a fast hash is enough to keep it
//! secret; rows imported from elsewhere may still carry a bcrypt hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use crate::time::Timestamp;

/// A token in the clear: as it is shown once, or as somebody presents it. It cannot be printed
/// and is wiped from memory when dropped.
#[derive(Clone, Debug)]
pub struct Token(SecretString);

/// The id of a stored token, so that a session can be told from its successor's (rule T8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub Uuid);

/// Grows with every change of a satellite's credentials; a write that depends on a check of the
/// credential holds only while the version is the one that was checked (rule T1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialVersion(pub u64);

/// What is stored of a token.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenHash {
    /// SHA-256 of the token's text.
    Sha256([u8; 32]),
    /// A bcrypt hash (`$2…`), as imported; verified outside the core because it is slow.
    Bcrypt(String),
}

/// A token that a satellite may authenticate with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedToken {
    /// Which token.
    pub id: TokenId,
    /// Its hash.
    pub hash: TokenHash,
    /// From this moment on it is refused; none: it stays valid.
    pub expires_at: Option<Timestamp>,
}

/// The stored text is neither `sha256:` and 64 hexadecimal digits nor a bcrypt hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored token hash is neither sha256:<64 hexadecimal digits> nor a bcrypt hash ($2…)")]
pub struct UnknownHash;

const SATELLITE_PREFIX: &str = "csat_";
const API_PREFIX: &str = "gcapi_";
const SHA256_PREFIX: &str = "sha256:";

impl Token {
    /// A new satellite token: `csat_` and 43 base64url characters.
    ///
    /// ```
    /// use groundcontrol_core::satellite::{Token, TokenHash};
    /// let token = Token::for_satellite([7; 32]);
    /// assert_eq!(token.expose().len(), "csat_".len() + 43);
    /// assert!(TokenHash::of(&token).matches(&token));
    /// assert!(!format!("{token:?}").contains("Bw"));
    /// ```
    pub fn for_satellite(random: [u8; 32]) -> Self {
        Self::from_random(SATELLITE_PREFIX, random)
    }

    /// A new token for the HTTP API: `gcapi_` and 43 base64url characters.
    pub fn for_api(random: [u8; 32]) -> Self {
        Self::from_random(API_PREFIX, random)
    }

    /// A token that somebody presents.
    pub fn presented(text: impl Into<Box<str>>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text. Only for sending it to whom it belongs.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn from_random(prefix: &str, mut random: [u8; 32]) -> Self {
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(random));
        random.zeroize();
        Self(SecretString::from(format!("{prefix}{}", encoded.as_str())))
    }
}

impl TokenHash {
    /// The hash to store for `token`.
    pub fn of(token: &Token) -> Self {
        Self::Sha256(Sha256::digest(token.expose().as_bytes()).into())
    }

    /// Whether `token` is the one that was hashed, in constant time. Never true for a bcrypt
    /// hash, which takes a slow check.
    pub fn matches(&self, token: &Token) -> bool {
        let presented: [u8; 32] = Sha256::digest(token.expose().as_bytes()).into();
        match self {
            Self::Sha256(stored) => stored.ct_eq(&presented).into(),
            Self::Bcrypt(_) => false,
        }
    }

    /// The text that stores this hash.
    pub fn to_stored(&self) -> String {
        match self {
            Self::Sha256(bytes) => bytes
                .iter()
                .fold(SHA256_PREFIX.to_owned(), |text, byte| text + &format!("{byte:02x}")),
            Self::Bcrypt(text) => text.clone(),
        }
    }

    /// The hash that `text` stores.
    pub fn from_stored(text: &str) -> Result<Self, UnknownHash> {
        if text.starts_with("$2") {
            return Ok(Self::Bcrypt(text.to_owned()));
        }
        let digits = text.strip_prefix(SHA256_PREFIX).ok_or(UnknownHash)?;
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(UnknownHash);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| UnknownHash)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| UnknownHash)?;
        }
        Ok(Self::Sha256(bytes))
    }
}

/// The hash that an unknown client id is verified against, so that it costs what a wrong token
/// does. No token has it.
pub const fn decoy_hash() -> TokenHash {
    TokenHash::Sha256([0; 32])
}

impl HashedToken {
    /// Whether this token may still be used at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl CredentialVersion {
    /// The version after the next change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Debug for TokenHash {
    /// The kind only: a hash is no secret worth printing either.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256(_) => "Sha256(…)",
            Self::Bcrypt(_) => "Bcrypt(…)",
        })
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_being_stored() {
        let hash = TokenHash::of(&Token::for_satellite([9; 32]));
        assert_eq!(TokenHash::from_stored(&hash.to_stored()), Ok(hash));
        let bcrypt = TokenHash::Bcrypt("$2b$10$abc".into());
        assert_eq!(TokenHash::from_stored("$2b$10$abc"), Ok(bcrypt));
    }

    #[test]
    fn stored_text_of_another_form_is_refused() {
        for text in ["", "sha256:", "sha256:zz", "plain", &format!("sha256:{}", "g".repeat(64))] {
            assert_eq!(TokenHash::from_stored(text), Err(UnknownHash), "{text}");
        }
        assert!(TokenHash::from_stored(&format!("sha256:{}", "é".repeat(32))).is_err());
    }

    #[test]
    fn only_the_same_text_matches() {
        let token = Token::for_satellite([1; 32]);
        let hash = TokenHash::of(&token);
        assert!(hash.matches(&Token::presented(token.expose())));
        assert!(!hash.matches(&Token::for_satellite([2; 32])));
        assert!(!hash.matches(&Token::presented("")));
        assert!(!decoy_hash().matches(&token));
        assert!(!TokenHash::Bcrypt("$2b$10$x".into()).matches(&token));
    }

    #[test]
    fn neither_token_nor_hash_can_be_printed() {
        let token = Token::for_api([3; 32]);
        assert!(token.expose().starts_with("gcapi_"));
        assert!(!format!("{token:?}").contains(&token.expose()[6..]));
        assert_eq!(format!("{:?}", TokenHash::of(&token)), "Sha256(…)");
    }

    #[test]
    fn a_token_ends_exactly_at_its_expiry() {
        let token = HashedToken {
            id: TokenId(Uuid::nil()),
            hash: decoy_hash(),
            expires_at: Some(Timestamp::from_millis(10)),
        };
        assert!(token.is_valid_at(Timestamp::from_millis(9)));
        assert!(!token.is_valid_at(Timestamp::from_millis(10)));
    }
}

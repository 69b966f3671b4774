//! What webhooks are signed with.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::limits::{MAX_WEBHOOK_SECRET_BYTES, MIN_WEBHOOK_SECRET_BYTES};
use crate::time::Timestamp;

/// A signing secret as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in base64. It
/// cannot be printed and is wiped from memory when dropped.
#[derive(Clone, Debug)]
pub struct SigningSecret(SecretString);

/// A signing secret and until when it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSecret {
    /// The secret.
    pub secret: SigningSecret,
    /// From this moment on it signs nothing; none: it goes on.
    pub expires_at: Option<Timestamp>,
}

/// The text is no signing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be whsec_ and {} to {} bytes in base64",
    MIN_WEBHOOK_SECRET_BYTES,
    MAX_WEBHOOK_SECRET_BYTES
)]
pub struct NotASecret;

const PREFIX: &str = "whsec_";

impl SigningSecret {
    /// A new one.
    ///
    /// ```
    /// use groundcontrol_core::automation::SigningSecret;
    /// let secret = SigningSecret::new([7; 32]);
    /// assert!(secret.expose().starts_with("whsec_"));
    /// assert_eq!(*secret.key(), vec![7; 32]);
    /// assert!(!format!("{secret:?}").contains("Bw"));
    /// ```
    pub fn new(random: [u8; 32]) -> Self {
        let key = Zeroizing::new(STANDARD.encode(Zeroizing::new(random)));
        Self(SecretString::from(format!("{PREFIX}{}", *key)))
    }

    /// The text: to be shown once, and to be kept.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The bytes that sign.
    pub fn key(&self) -> Zeroizing<Vec<u8>> {
        let text = self.expose().strip_prefix(PREFIX).unwrap_or_default();
        Zeroizing::new(STANDARD.decode(text).unwrap_or_default())
    }
}

impl std::str::FromStr for SigningSecret {
    type Err = NotASecret;
    fn from_str(text: &str) -> Result<Self, NotASecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(NotASecret)?;
        let key = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| NotASecret)?);
        match (MIN_WEBHOOK_SECRET_BYTES..=MAX_WEBHOOK_SECRET_BYTES).contains(&key.len()) {
            true => Ok(Self(SecretString::from(text))),
            false => Err(NotASecret),
        }
    }
}

impl PartialEq for SigningSecret {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq as _;
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for SigningSecret {}

impl KeptSecret {
    /// Whether it signs at `now`.
    pub fn signs_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl fmt::Display for KeptSecret {
    /// Until when it signs; never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expires_at {
            Some(end) => write!(f, "a signing secret until {end}"),
            None => f.write_str("a signing secret"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_text_and_is_never_printed() {
        let secret = SigningSecret::new([9; 32]);
        let read: SigningSecret = secret.expose().parse().unwrap();
        assert_eq!((read.clone(), read.key()), (secret.clone(), secret.key()));
        let kept = KeptSecret { secret, expires_at: None };
        assert!(!format!("{kept:?} {kept}").contains("CQkJ"));
    }

    #[test]
    fn text_of_another_form_or_length_is_refused() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![1; bytes]));
        for text in ["", "whsec_", "whsec_!!!", &of(23), &of(65), &STANDARD.encode([1; 32])] {
            assert_eq!(text.parse::<SigningSecret>(), Err(NotASecret), "{text}");
        }
        assert!(of(24).parse::<SigningSecret>().is_ok());
        assert!(of(64).parse::<SigningSecret>().is_ok());
    }

    #[test]
    fn a_secret_signs_until_just_before_its_end() {
        let at = Timestamp::from_millis;
        let kept = KeptSecret { secret: SigningSecret::new([1; 32]), expires_at: Some(at(10)) };
        assert!(kept.signs_at(at(9)));
        assert!(!kept.signs_at(at(10)));
    }
}

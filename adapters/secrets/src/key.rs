//! The keys that seal secrets: one seals, all open.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use groundcontrol_core::ports::SealedSecret;
use groundcontrol_core::secrets::{SecretName, SecretValue};
use zeroize::Zeroizing;

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a nonce: so many that random ones never meet.
const NONCE: usize = 24;
/// Characters of a key's id.
const MAX_ID_CHARS: usize = 64;

/// Keys by their ids, of which one seals.
pub struct Keys {
    current: String,
    ciphers: BTreeMap<String, XChaCha20Poly1305>,
}

/// Why keys are refused. Shows no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No line holds a key.
    #[error("there is no key: give lines ID:KEY, KEY being 32 random bytes in base64")]
    None,
    /// A line is no key.
    #[error("line {0} is no key: it must be ID:KEY, KEY being 32 random bytes in base64")]
    Malformed(usize),
    /// Two keys have one id.
    #[error("line {0} has the id of a key before it")]
    Twice(usize),
}

/// A sealed value cannot be opened. Says nothing of why: there is nothing more to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotOpened {
    /// Its key is not among these.
    NoKey,
    /// It is not what was sealed under this name.
    Damaged,
}

impl Keys {
    /// The keys in `text`: lines `ID:KEY`, each key 32 bytes in base64. The first seals; all open.
    /// Empty lines and those that begin with `#` say nothing.
    ///
    /// ```
    /// use groundcontrol_secrets::Keys;
    /// let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    /// assert_eq!(Keys::parse(&format!("2026-05:{key}\n")).unwrap().current(), "2026-05");
    /// ```
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut current = None;
        let mut ciphers = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let (number, line) = (at + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, cipher) = key(line).ok_or(KeyError::Malformed(number))?;
            if ciphers.insert(id.to_owned(), cipher).is_some() {
                return Err(KeyError::Twice(number));
            }
            current.get_or_insert_with(|| id.to_owned());
        }
        Ok(Self { current: current.ok_or(KeyError::None)?, ciphers })
    }

    /// The id of the key that seals.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// Seals a value, so that it opens under this name only. None where the system gives no random
    /// numbers.
    pub(crate) fn seal(&self, name: &SecretName, value: &SecretValue) -> Option<SealedSecret> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).ok()?;
        let message = Payload { msg: value.expose().as_bytes(), aad: name.as_str().as_bytes() };
        let sealed = self.ciphers.get(&self.current)?;
        let sealed = sealed.encrypt(&XNonce::from(nonce), message).ok()?;
        let sealed = STANDARD.encode([&nonce[..], &sealed].concat());
        Some(SealedSecret { name: name.clone(), key_id: self.current.clone(), sealed })
    }

    /// The value that was sealed.
    pub(crate) fn open(&self, secret: &SealedSecret) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let cipher = self.ciphers.get(&secret.key_id).ok_or(NotOpened::NoKey)?;
        let sealed = STANDARD.decode(&secret.sealed).map_err(|_| NotOpened::Damaged)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(NotOpened::Damaged)?;
        let message = Payload { msg: sealed, aad: secret.name.as_str().as_bytes() };
        let opened = cipher.decrypt(&XNonce::from(*nonce), message);
        opened.map(Zeroizing::new).map_err(|_| NotOpened::Damaged)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ciphers.keys()).finish()
    }
}

fn key(line: &str) -> Option<(&str, XChaCha20Poly1305)> {
    let (id, key) = line.split_once(':')?;
    let usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=MAX_ID_CHARS).contains(&id.len()) || !id.chars().all(usual) {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(key.trim()).ok()?);
    let bytes = (bytes.len() == KEY).then_some(bytes)?;
    Some((id, XChaCha20Poly1305::new_from_slice(&bytes).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(ids: &[(&str, u8)]) -> Keys {
        let line = |(id, byte): &(&str, u8)| format!("{id}:{}\n", STANDARD.encode([*byte; KEY]));
        Keys::parse(&ids.iter().map(line).collect::<String>()).unwrap()
    }

    fn name(text: &str) -> SecretName {
        text.parse().unwrap()
    }

    #[test]
    fn a_sealed_value_opens_under_its_name_and_no_other() {
        let keys = keys(&[("a", 1)]);
        let sealed = keys.seal(&name("x"), &SecretValue::new("hush")).unwrap();
        assert_eq!(keys.open(&sealed).unwrap().as_slice(), b"hush");
        let moved = SealedSecret { name: name("y"), ..sealed };
        assert_eq!(keys.open(&moved).err(), Some(NotOpened::Damaged));
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let keys = keys(&[("a", 1)]);
        let sealed = keys.seal(&name("x"), &SecretValue::new("hush")).unwrap();
        let mut bytes = STANDARD.decode(&sealed.sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let changed = SealedSecret { sealed: STANDARD.encode(&bytes), ..sealed.clone() };
            assert_eq!(keys.open(&changed).err(), Some(NotOpened::Damaged), "byte {at}");
            bytes[at] ^= 1;
        }
        let short = SealedSecret { sealed: STANDARD.encode(&bytes[..10]), ..sealed };
        assert_eq!(keys.open(&short).err(), Some(NotOpened::Damaged));
    }

    #[test]
    fn the_same_value_is_never_sealed_the_same() {
        let keys = keys(&[("a", 1)]);
        let seal = || keys.seal(&name("x"), &SecretValue::new("hush")).unwrap().sealed;
        assert_ne!(seal(), seal());
        assert!(!seal().contains("hush"));
    }

    #[test]
    fn the_first_key_seals_and_the_others_still_open() {
        let before = keys(&[("old", 1)]);
        let sealed = before.seal(&name("x"), &SecretValue::new("hush")).unwrap();
        let after = keys(&[("new", 2), ("old", 1)]);
        assert_eq!(after.open(&sealed).unwrap().as_slice(), b"hush");
        assert_eq!(after.seal(&name("x"), &SecretValue::new("hush")).unwrap().key_id, "new");
        assert_eq!(keys(&[("new", 2)]).open(&sealed).err(), Some(NotOpened::NoKey));
    }

    #[test]
    fn lines_that_hold_no_key_are_named_and_not_shown() {
        let key = STANDARD.encode([7; KEY]);
        let error = |text: &str| Keys::parse(text).err();
        assert_eq!(error(""), Some(KeyError::None));
        assert_eq!(error("# a comment\n\n"), Some(KeyError::None));
        assert_eq!(error(&format!("a:{key}\nb:short")), Some(KeyError::Malformed(2)));
        assert_eq!(error(&key), Some(KeyError::Malformed(1)));
        assert_eq!(error(&format!("a b:{key}")), Some(KeyError::Malformed(1)));
        assert_eq!(error(&format!("a:{key}\na:{key}")), Some(KeyError::Twice(2)));
        assert_eq!(format!("{:?}", keys(&[("a", 1)])), r#"["a"]"#);
    }
}

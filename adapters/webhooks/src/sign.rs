//! Signatures as Standard Webhooks says: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundcontrol_core::automation::SigningSecret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one signature a secret, so that a receiver that knows any of
/// them is content.
pub fn signatures(secrets: &[SigningSecret], id: &str, seconds: i64, body: &[u8]) -> String {
    let each = secrets.iter().map(|secret| signature(secret, id, seconds, body));
    each.collect::<Vec<_>>().join(" ")
}

/// One signature: `v1,` and base64.
///
/// ```
/// use groundcontrol_webhooks::signature;
/// let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
/// let (id, at) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
/// assert_eq!(
///     signature(&secret, id, at, br#"{"test": 2432232314}"#),
///     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
/// );
/// ```
pub fn signature(secret: &SigningSecret, id: &str, seconds: i64, body: &[u8]) -> String {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.key()) else { return String::new() };
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_signs_and_any_other_body_time_or_id_signs_otherwise() {
        let (old, new) = (SigningSecret::new([1; 32]), SigningSecret::new([2; 32]));
        let both = signatures(&[old.clone(), new.clone()], "a", 7, b"x");
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!(first, signature(&old, "a", 7, b"x"));
        assert_eq!(second, signature(&new, "a", 7, b"x"));
        for other in [
            signature(&old, "b", 7, b"x"),
            signature(&old, "a", 8, b"x"),
            signature(&old, "a", 7, b"y"),
        ] {
            assert_ne!(first, other);
        }
    }
}

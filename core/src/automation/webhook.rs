//! Webhooks: who is told of which events, where, and how.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::delivery::Health;
use super::filter::EventFilter;
use super::secret::KeptSecret;
use crate::connection::named;
use crate::limits::{MAX_WEBHOOK_HEADER_CHARS, MAX_WEBHOOK_HEADERS, MAX_WEBHOOK_URL_CHARS};
use crate::satellite::Name;
use crate::time::Timestamp;

/// The id of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub Uuid);

/// Somebody who is told of events over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Unique among all webhooks.
    pub name: Name,
    /// Where requests go.
    pub url: WebhookUrl,
    /// Which events.
    pub filter: EventFilter,
    /// What requests carry besides.
    pub headers: WebhookHeaders,
    /// How events are written.
    pub mode: ContentMode,
    /// It is told of what rules make of events, and of no event by itself.
    pub alerts_only: bool,
    /// What requests are signed with: by each that has not expired.
    pub secrets: Vec<KeptSecret>,
    /// How it fares, and whether it is paused.
    pub health: Health,
    /// When it was made, store time. It is told of what happens from then on.
    pub created_at: Timestamp,
}

/// How an event is written into a request (CloudEvents 1.0, HTTP binding).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentMode {
    /// The whole event is the body.
    #[default]
    Structured,
    /// The payload is the body; what else there is to say is in headers.
    Binary,
}

named!(ContentMode { Structured => "structured", Binary => "binary" });

/// Where requests go: `http://` or `https://`, at most 2000 characters, without credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookUrl(Box<str>);

/// Why a URL is refused. The message completes "this field …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Another scheme, or none.
    #[error("must begin with https:// or http://")]
    Scheme,
    /// No host.
    #[error("must name a host")]
    Host,
    /// Credentials before the host.
    #[error("must not carry a user or password; send them in a header")]
    Credentials,
    /// Characters that no URL has.
    #[error("must not contain white space or control characters, nor a fragment")]
    Characters,
    /// Too long.
    #[error("has more than {} characters", MAX_WEBHOOK_URL_CHARS)]
    TooLong,
}

/// What requests carry besides: names in lower case, values that are never shown again.
#[derive(Clone, Debug, Default)]
pub struct WebhookHeaders(BTreeMap<String, SecretString>);

/// A header at fault. The message completes "this field …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    /// No name of a header.
    #[error("is no name of a header")]
    Name,
    /// A name that has its meaning already.
    #[error("is set by Ground Control itself")]
    Reserved,
    /// A value that no header can have.
    #[error("must have 1 to {} printable ASCII characters", MAX_WEBHOOK_HEADER_CHARS)]
    Value,
    /// Too many.
    #[error("are more than {}", MAX_WEBHOOK_HEADERS)]
    TooMany,
}

/// Headers that have their meaning already, …
const RESERVED: &[&str] = &[
    "host",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
/// … or whose names begin like this.
const RESERVED_PREFIXES: &[&str] = &["ce-", "proxy-", "webhook-"];

impl WebhookUrl {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for WebhookUrl {
    type Err = InvalidUrl;
    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        if text.chars().count() > MAX_WEBHOOK_URL_CHARS {
            return Err(InvalidUrl::TooLong);
        }
        let strange = |c: char| c.is_control() || c.is_whitespace() || c == '#' || c == '\\';
        if text.contains(strange) {
            return Err(InvalidUrl::Characters);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUrl::Scheme)?;
        if !["http", "https"].contains(&scheme) {
            return Err(InvalidUrl::Scheme);
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(InvalidUrl::Credentials);
        }
        match authority.is_empty() || authority.starts_with(':') {
            true => Err(InvalidUrl::Host),
            false => Ok(Self(text.into())),
        }
    }
}

impl WebhookHeaders {
    /// Headers that have been checked; the one at fault is named, or none where it is all of them.
    ///
    /// ```
    /// use groundcontrol_core::automation::{InvalidHeader, WebhookHeaders};
    /// let one = |name: &str, value: &str| WebhookHeaders::new([(name.into(), value.into())]);
    /// let headers = one("X-Api-Key", "secret").unwrap();
    /// assert_eq!(headers.names().collect::<Vec<_>>(), ["x-api-key"]);
    /// assert!(!format!("{headers:?}").contains("secret"));
    /// let reserved = Some("Webhook-Id".to_owned());
    /// assert_eq!(one("Webhook-Id", "1").unwrap_err(), (reserved, InvalidHeader::Reserved));
    /// ```
    pub fn new(
        headers: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, (Option<String>, InvalidHeader)> {
        let mut checked = BTreeMap::new();
        for (name, value) in headers {
            let lower = name.to_ascii_lowercase();
            match fault(&lower, &value) {
                Some(why) => return Err((Some(name), why)),
                None => drop(checked.insert(lower, SecretString::from(value))),
            }
        }
        match checked.len() > MAX_WEBHOOK_HEADERS {
            true => Err((None, InvalidHeader::TooMany)),
            false => Ok(Self(checked)),
        }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Names and values, for requests and for the store.
    pub fn expose(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose_secret()))
    }
}

fn fault(name: &str, value: &str) -> Option<InvalidHeader> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || name.len() > MAX_WEBHOOK_HEADER_CHARS || !name.bytes().all(token) {
        return Some(InvalidHeader::Name);
    }
    let taken =
        RESERVED.contains(&name) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if taken {
        return Some(InvalidHeader::Reserved);
    }
    let printable = value.bytes().all(|b| (b' '..=b'~').contains(&b));
    let fits = !value.trim().is_empty() && value.len() <= MAX_WEBHOOK_HEADER_CHARS && printable;
    (!fits).then_some(InvalidHeader::Value)
}

impl PartialEq for WebhookHeaders {
    fn eq(&self, other: &Self) -> bool {
        self.expose().eq(other.expose())
    }
}

impl Eq for WebhookHeaders {}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl std::str::FromStr for WebhookId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_can_be_asked_is_taken_to_the_letter() {
        for text in ["https://example.org/a?b=c%20d", "http://[2001:db8::1]:8080", "http://a"] {
            assert_eq!(text.parse::<WebhookUrl>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn any_other_url_is_refused_with_its_fault() {
        let long = format!("https://{}", "a".repeat(2_000));
        for (text, fault) in [
            ("", InvalidUrl::Scheme),
            ("example.org", InvalidUrl::Scheme),
            ("file:///etc/passwd", InvalidUrl::Scheme),
            ("HTTPS://example.org", InvalidUrl::Scheme),
            ("https://", InvalidUrl::Host),
            ("https:///path", InvalidUrl::Host),
            ("https://:80/", InvalidUrl::Host),
            ("https://me:secret@example.org", InvalidUrl::Credentials),
            ("https://example.org/a b", InvalidUrl::Characters),
            ("https://example.org/\r\nX: y", InvalidUrl::Characters),
            ("https://a\\@example.org", InvalidUrl::Characters),
            ("https://example.org/#a", InvalidUrl::Characters),
            (long.as_str(), InvalidUrl::TooLong),
        ] {
            assert_eq!(text.parse::<WebhookUrl>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_header_that_could_change_the_request_itself_is_refused() {
        let refused = |name: &str, value: &str| {
            WebhookHeaders::new([(name.to_owned(), value.to_owned())]).unwrap_err().1
        };
        assert_eq!(refused("", "a"), InvalidHeader::Name);
        assert_eq!(refused("a b", "a"), InvalidHeader::Name);
        assert_eq!(refused("é", "a"), InvalidHeader::Name);
        for name in ["Host", "Content-Length", "webhook-signature", "CE-id", "transfer-encoding"] {
            assert_eq!(refused(name, "a"), InvalidHeader::Reserved, "{name}");
        }
        for value in ["", " ", "a\r\nHost: b", "é", &"a".repeat(MAX_WEBHOOK_HEADER_CHARS + 1)] {
            assert_eq!(refused("x", value), InvalidHeader::Value, "{value:?}");
        }
    }

    #[test]
    fn no_more_headers_are_taken_than_the_limit() {
        let many = |count: usize| {
            WebhookHeaders::new((0..count).map(|n| (format!("x-{n}"), "a".to_owned())))
        };
        assert!(many(MAX_WEBHOOK_HEADERS).is_ok());
        assert_eq!(many(MAX_WEBHOOK_HEADERS + 1), Err((None, InvalidHeader::TooMany)));
    }
}

//! Where the server is, and whether a token may be sent there.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use reqwest::Url;

/// The path of the satellites' WebSocket below a server's URL.
const SATELLITE_PATH: &str = "/api/ws/satellite";

/// A server that a token may be sent to: TLS, or loopback, or plaintext that was asked for.
///
/// ```
/// use groundcontrol::agent::Endpoint;
/// let server = Endpoint::parse("https://ground.example/control", false).unwrap();
/// assert_eq!(server.satellite_url(), "wss://ground.example/control/api/ws/satellite");
/// assert_eq!(server.http_url("/healthz"), "https://ground.example/control/healthz");
/// assert!(Endpoint::parse("ws://127.0.0.1:8080", false).is_ok());
/// assert!(Endpoint::parse("ws://ground.example", false).is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: Host,
    port: u16,
    secure: bool,
    /// Scheme-less base: authority and path, without a slash at the end.
    base: String,
    plaintext_anywhere: bool,
}

/// Why a URL is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error(
        "{url:?} is not a URL ({why}); write it like https://ground.example or ws://127.0.0.1:8080"
    )]
    NotAUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A scheme other than `http`, `https`, `ws` or `wss`.
    #[error("the URL must begin with https://, http://, wss:// or ws://, not {scheme}://")]
    Scheme {
        /// The scheme found.
        scheme: String,
    },
    /// A user name or password, which would end up in logs and process lists.
    #[error("the URL must not carry a user name or password; the token is all that is needed")]
    Credentials,
    /// A query or fragment, which no server URL has.
    #[error("the URL must end with its path; leave out everything from the ? or # on")]
    Trailing,
    /// The token would cross a network in the clear.
    #[error(
        "{host} is reached without TLS, so the token could be read on the way; \
         use https:// or wss://, or pass --allow-plaintext if that network is trusted"
    )]
    Plaintext {
        /// The host.
        host: String,
    },
}

impl Endpoint {
    /// The server at `url`. Without TLS it must be this machine, unless `allow_plaintext`.
    pub fn parse(url: &str, allow_plaintext: bool) -> Result<Self, EndpointError> {
        let not_a_url = |why: String| EndpointError::NotAUrl { url: redacted(url), why };
        let parsed = Url::parse(url).map_err(|why| not_a_url(why.to_string()))?;
        let secure = match parsed.scheme() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            other => return Err(EndpointError::Scheme { scheme: other.to_owned() }),
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(EndpointError::Trailing);
        }
        let host = Host::of(&parsed).ok_or_else(|| not_a_url("it names no host".to_owned()))?;
        let port = parsed.port_or_known_default().unwrap_or(if secure { 443 } else { 80 });
        if !secure && !allow_plaintext && !host.is_loopback() {
            return Err(EndpointError::Plaintext { host: host.to_string() });
        }
        let path = parsed.path().trim_end_matches('/');
        let path = path.strip_suffix(SATELLITE_PATH).unwrap_or(path);
        let authority = parsed.port().map_or_else(
            || parsed.host_str().unwrap_or_default().to_owned(),
            |port| format!("{}:{port}", parsed.host_str().unwrap_or_default()),
        );
        let base = format!("{authority}{path}");
        Ok(Self { host, port, secure, base, plaintext_anywhere: allow_plaintext })
    }

    /// The URL of the satellites' WebSocket.
    pub fn satellite_url(&self) -> String {
        format!("{}://{}{SATELLITE_PATH}", if self.secure { "wss" } else { "ws" }, self.base)
    }

    /// The URL of `path`, which begins with a slash, for HTTP.
    pub fn http_url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.secure { "https" } else { "http" }, self.base)
    }

    /// Whether TLS is spoken.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the host is this machine, by its name or address.
    pub fn is_loopback(&self) -> bool {
        self.host.is_loopback()
    }

    /// Whether a token may be sent to the peer that answered: a name such as `localhost` may
    /// have led elsewhere.
    pub fn trusts(&self, peer: SocketAddr) -> bool {
        self.secure || self.plaintext_anywhere || peer.ip().to_canonical().is_loopback()
    }

    /// Host and port to dial.
    pub fn address(&self) -> (String, u16) {
        (self.host.to_string(), self.port)
    }
}

/// A host as a name or an address, without the brackets of a URL.
#[derive(Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    Address(IpAddr),
}

impl Host {
    fn of(url: &Url) -> Option<Self> {
        let text = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
        Some(match text.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(text.to_owned()),
        })
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.to_canonical().is_loopback(),
            Self::Name(name) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for Endpoint {
    /// The server's URL, as `http` or `https`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.http_url(""))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `url` without what may be a password in it.
fn redacted(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        Endpoint::parse(url, false).unwrap_err().to_string()
    }

    #[test]
    fn http_and_ws_mean_the_same_server() {
        for url in [
            "http://127.0.0.1:8080",
            "ws://127.0.0.1:8080/",
            "ws://127.0.0.1:8080/api/ws/satellite",
        ] {
            let endpoint = Endpoint::parse(url, false).unwrap();
            assert_eq!(endpoint.satellite_url(), "ws://127.0.0.1:8080/api/ws/satellite", "{url}");
            assert_eq!(endpoint.http_url("/x"), "http://127.0.0.1:8080/x", "{url}");
        }
    }

    #[test]
    fn default_ports_follow_the_scheme() {
        let port = |url| Endpoint::parse(url, true).unwrap().address().1;
        assert_eq!(
            [port("wss://a"), port("https://a"), port("ws://a"), port("http://a:81")],
            [443, 443, 80, 81]
        );
    }

    #[test]
    fn plaintext_is_refused_beyond_loopback_only() {
        for url in [
            "http://localhost",
            "ws://127.8.9.1:1",
            "http://[::1]:80",
            "http://a.localhost",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(Endpoint::parse(url, false).is_ok(), "{url}");
        }
        for url in [
            "http://10.0.0.1",
            "ws://ground.example",
            "http://[2001:db8::1]",
            "http://localhost.example",
            "http://0.0.0.0",
        ] {
            assert!(refused(url).contains("--allow-plaintext"), "{url}");
            assert!(Endpoint::parse(url, true).is_ok(), "{url}");
        }
        assert!(Endpoint::parse("wss://ground.example", false).is_ok());
    }

    #[test]
    fn a_loopback_name_that_leads_elsewhere_gets_no_token() {
        let endpoint = Endpoint::parse("ws://localhost", false).unwrap();
        assert!(endpoint.trusts("127.0.0.1:80".parse().unwrap()));
        assert!(!endpoint.trusts("192.0.2.1:80".parse().unwrap()));
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_repeated() {
        for url in ["https://me:hunter2@ground.example", "me:hunter2@:bad"] {
            assert!(!refused(url).contains("hunter2"), "{}", refused(url));
        }
    }

    #[test]
    fn other_schemes_queries_and_nonsense_are_refused() {
        assert!(refused("ftp://ground.example").contains("not ftp://"));
        assert!(refused("https://ground.example/?token=x").contains("leave out"));
        assert!(refused("ground.example").contains("not a URL"));
    }
}

//! Where NATS is, and who this pod is to it.

use std::fmt;
use std::path::{Path, PathBuf};

use async_nats::{ConnectOptions, ServerAddr};
use secrecy::{ExposeSecret as _, SecretString};

/// How to reach NATS.
#[derive(Clone)]
pub struct NatsSettings {
    /// One server or several of a cluster, separated by commas: `nats://HOST:PORT`, or
    /// `tls://HOST:PORT` where TLS must be used. The first may hold `USER:PASSWORD@` or `TOKEN@`.
    pub servers: SecretString,
    /// A credentials file, as `nsc` makes it.
    pub credentials: Option<PathBuf>,
    /// PEM file with the authorities that the servers' certificates are checked against, in place
    /// of the system's.
    pub authorities: Option<PathBuf>,
    /// What this pod proves itself with in TLS.
    pub client: Option<TlsClient>,
    /// What all subjects and streams begin with; it keeps several fleets on one NATS apart.
    pub prefix: String,
}

/// A client's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsClient {
    /// PEM file with its chain.
    pub certificate: PathBuf,
    /// PEM file with its private key.
    pub key: PathBuf,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not an address of NATS.
    #[error(
        "the queue's address is not understood ({detail}); give nats://HOST:PORT or \
         tls://HOST:PORT, several separated by commas"
    )]
    Address {
        /// What is wrong with it, without any part of it.
        detail: String,
    },
    /// Not a prefix of subjects.
    #[error("the queue's prefix {0:?} must be 1 to 64 letters, digits, hyphens and underscores")]
    Prefix(String),
    /// Not a subject that can be published to.
    #[error(
        "{0:?} is no subject that events can be published to: it must be words between dots, \
        without *, > and spaces, and not begin with $"
    )]
    Subject(String),
    /// A file cannot be read, or holds something else.
    #[error("cannot use the {what} in {}: {source}", .path.display())]
    File {
        /// What it should hold.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl NatsSettings {
    /// The servers, without credentials, and the default prefix `groundcontrol`.
    pub fn new(servers: impl Into<SecretString>) -> Self {
        Self {
            servers: servers.into(),
            credentials: None,
            authorities: None,
            client: None,
            prefix: "groundcontrol".to_owned(),
        }
    }

    /// Whether these settings can be used, without asking NATS.
    ///
    /// # Errors
    /// Where opening a queue with them would fail.
    pub async fn check(&self) -> Result<(), SettingsError> {
        self.resolve().await.map(drop)
    }

    /// The addresses without who is to be authenticated there, and what to connect with.
    pub(crate) async fn resolve(&self) -> Result<(Vec<ServerAddr>, ConnectOptions), SettingsError> {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=64).contains(&self.prefix.len()) || !self.prefix.chars().all(valid) {
            return Err(SettingsError::Prefix(self.prefix.clone()));
        }
        let mut options = ConnectOptions::new();
        let mut servers = Vec::new();
        for text in self.servers.expose_secret().split(',') {
            let server: ServerAddr = text.trim().parse().map_err(not_an_address)?;
            if !["nats", "tls"].contains(&server.scheme()) || server.host().is_empty() {
                let detail = "its scheme is not nats or tls, or it names no host".to_owned();
                return Err(SettingsError::Address { detail });
            }
            options = match (servers.is_empty(), server.username(), server.password()) {
                (true, Some(token), None) => options.token(decoded(token)?),
                (true, Some(user), Some(password)) => {
                    options.user_and_password(decoded(user)?, decoded(password)?)
                }
                (_, _, _) => options,
            };
            servers.push(without_user(server)?);
        }
        if let Some(path) = &self.credentials {
            let read = options.credentials_file(path).await;
            options = read.map_err(unusable("credentials", path))?;
        }
        if let Some(path) = &self.authorities {
            readable("authorities", path)?;
            options = options.add_root_certificates(path.clone());
        }
        if let Some(TlsClient { certificate, key }) = &self.client {
            readable("client certificate", certificate)?;
            readable("client key", key)?;
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        Ok((servers, options))
    }
}

impl fmt::Debug for NatsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsSettings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn without_user(server: ServerAddr) -> Result<ServerAddr, SettingsError> {
    let mut url = server.into_inner();
    // Only a URL without a host has no room for a user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    ServerAddr::from_url(url).map_err(not_an_address)
}

/// What a URL had to write as `%` and two digits.
fn decoded(text: &str) -> Result<String, SettingsError> {
    let bad = || SettingsError::Address { detail: "its user is not UTF-8".to_owned() };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        let value = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(value.ok_or_else(bad)?);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

fn not_an_address(error: std::io::Error) -> SettingsError {
    SettingsError::Address { detail: error.to_string() }
}

fn readable(what: &'static str, path: &Path) -> Result<(), SettingsError> {
    std::fs::File::open(path).map(drop).map_err(unusable(what, path))
}

fn unusable(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SettingsError {
    move |source| SettingsError::File { what, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(settings: NatsSettings) -> String {
        settings.resolve().await.expect_err("it is refused").to_string()
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_without_its_password() {
        for servers in ["http://me:secret@host", "nats://me:secret@host:port", "nats://", ""] {
            let said = refused(NatsSettings::new(servers)).await;
            assert!(said.contains("nats://HOST") && !said.contains("secret"), "{said}");
        }
    }

    #[tokio::test]
    async fn addresses_lose_their_user_and_keep_the_rest() {
        let settings = NatsSettings::new("nats://me:secret@one:1, tls://two:2");
        let (servers, _) = settings.resolve().await.expect("they are understood");
        assert!(servers.iter().all(|server| !server.has_user_pass()));
        let places: Vec<_> = servers.iter().map(|s| (s.scheme(), s.host(), s.port())).collect();
        assert_eq!(places, [("nats", "one", 1), ("tls", "two", 2)]);
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn what_a_url_cannot_hold_is_decoded() {
        assert_eq!(decoded("p%40s%C3%A9%25").expect("it is UTF-8"), "p@sé%");
        assert!(decoded("%4").is_err() && decoded("%C3").is_err());
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_named() {
        let path = || Some(PathBuf::from("no/such/file"));
        let settings = || NatsSettings::new("nats://host");
        let client = TlsClient { certificate: "no/such/file".into(), key: "no/such/file".into() };
        for settings in [
            NatsSettings { credentials: path(), ..settings() },
            NatsSettings { authorities: path(), ..settings() },
            NatsSettings { client: Some(client), ..settings() },
        ] {
            let said = refused(settings).await;
            assert!(said.contains("no/such/file"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_prefix_that_is_no_word_is_refused() {
        for prefix in ["", "a.b", "a b", "ä", "*"] {
            let settings =
                NatsSettings { prefix: prefix.to_owned(), ..NatsSettings::new("nats://host") };
            assert!(refused(settings).await.contains("prefix"), "{prefix:?}");
        }
    }
}

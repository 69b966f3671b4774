//! The URL of a service, which may hold a password and so is never shown whole.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A URL as it was given. Shown without user, password and parameters.
#[derive(Clone)]
pub struct SecretUrl(SecretString);

impl SecretUrl {
    /// All of it, for the driver alone.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What stands before the first colon.
    pub fn scheme(&self) -> &str {
        self.expose().split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// Whether it names a file.
    pub fn is_file(&self) -> bool {
        self.scheme() == "sqlite"
    }

    /// Whether it names a PostgreSQL server.
    pub fn is_server(&self) -> bool {
        ["postgres", "postgresql"].contains(&self.scheme())
    }

    /// Whether it names servers of NATS.
    pub fn is_nats(&self) -> bool {
        ["nats", "tls"].contains(&self.scheme())
    }
}

impl FromStr for SecretUrl {
    type Err = Infallible;
    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.into()))
    }
}

impl<'de> Deserialize<'de> for SecretUrl {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source).map(|url| Self(url.into()))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.expose();
        if self.is_file() {
            return f.write_str(url);
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return f.write_str(if url.contains('@') { "…" } else { url });
        };
        let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
        match rest.rsplit_once('@') {
            Some((_, place)) => write!(f, "{scheme}://…@{place}"),
            None => write!(f, "{scheme}://{rest}"),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        let Ok(url) = url.parse::<SecretUrl>();
        format!("{url}")
    }

    #[test]
    fn a_url_shows_where_and_not_as_whom() {
        assert_eq!(shown("postgres://me:p@ss@db:5432/gc"), "postgres://…@db:5432/gc");
        assert_eq!(shown("postgres://db/gc"), "postgres://db/gc");
        assert_eq!(shown("sqlite:///var/lib/gc.db"), "sqlite:///var/lib/gc.db");
    }

    #[test]
    fn a_url_shows_no_parameters_and_nothing_of_what_is_no_url() {
        assert_eq!(shown("postgres://db/gc?password=secret"), "postgres://db/gc");
        assert_eq!(shown("me:secret@db"), "…");
    }
}

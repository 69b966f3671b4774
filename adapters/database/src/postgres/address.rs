//! Where a server is, and how connections to it are made.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::SqlxError;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use secrecy::{ExposeSecret, SecretString};

use super::ServerLimits;
use super::statement::within;

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 128;
/// What a URL may say behind its question mark; anything else is a slip, perhaps of a secret.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// A server, a database of it, and a user. Shows none of it.
#[derive(Clone)]
pub(crate) struct Address {
    options: PgConnectOptions,
    pub(crate) limits: ServerLimits,
}

impl Address {
    /// The address that a URL names; the reason, without any of the URL's values, where it names
    /// none. A password that is given besides holds in place of the URL's.
    pub(crate) fn of(
        url: &str,
        password: Option<&SecretString>,
        limits: ServerLimits,
    ) -> Result<Self, String> {
        if let Some(parameter) = unknown_parameter(url) {
            return Err(format!("it has a parameter {parameter:?}, which nothing is known about"));
        }
        let options = PgConnectOptions::from_str(url);
        let mut options = options.map_err(|error| error.to_string())?.disable_statement_logging();
        if let Some(password) = password {
            options = options.password(password.expose_secret());
        }
        if options.get_application_name().is_none() {
            options = options.application_name("groundcontrol");
        }
        Ok(Self { options: options.statement_cache_capacity(STATEMENTS), limits })
    }

    /// As connections for everyday use are made.
    ///
    /// Plans are generic: the same statement with any number of rows finds them through its index,
    /// in the order of their ids, so that two pods take their locks in one order.
    pub(crate) fn everyday(&self) -> PgConnectOptions {
        let ServerLimits { statement, held, .. } = self.limits;
        self.options.clone().options([
            ("default_transaction_isolation", "read committed".to_owned()),
            ("plan_cache_mode", "force_generic_plan".to_owned()),
            ("statement_timeout", millis(statement)),
            ("idle_in_transaction_session_timeout", millis(held)),
            ("client_connection_check_interval", millis(held)),
        ])
    }

    /// As the connection is made that brings the schema up to date: it waits for locks, and works
    /// for as long as that may take.
    pub(crate) fn migrating(&self) -> PgConnectOptions {
        let limit = millis(self.limits.migrate);
        self.options
            .clone()
            .options([("statement_timeout", limit.clone()), ("lock_timeout", limit)])
    }

    /// As the connection is made that reads a database of somebody else: it cannot write.
    pub(crate) fn reading(&self) -> PgConnectOptions {
        self.options.clone().options([
            ("default_transaction_read_only", "on".to_owned()),
            ("statement_timeout", millis(self.limits.migrate)),
        ])
    }

    /// Makes an everyday connection.
    pub(crate) async fn connect(&self) -> Result<PgConnection, SqlxError> {
        within(self.limits.connect, PgConnection::connect_with(&self.everyday())).await
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn millis(span: Duration) -> String {
    span.as_millis().to_string()
}

fn unknown_parameter(url: &str) -> Option<&str> {
    let (_, parameters) = url.split_once('?')?;
    let names =
        parameters.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    let known = |name: &&str| PARAMETERS.contains(name) || name.starts_with("options[");
    names.filter(|name| !name.is_empty()).find(|name| !known(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<Address, String> {
        Address::of(url, None, ServerLimits::default())
    }

    #[test]
    fn an_address_shows_no_password() {
        let password = SecretString::from("hidden");
        let url = "postgres://user:secret@host/database";
        let address = Address::of(url, Some(&password), ServerLimits::default()).unwrap();
        let shown = format!("{address:?}");
        assert!(!shown.contains("hidden") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_url_with_an_unknown_parameter_is_refused_by_the_parameters_name_alone() {
        let refused = of("postgres://user@host/database?sslmode=require&pasword=secret");
        let refused = refused.unwrap_err();
        assert!(refused.contains("\"pasword\"") && !refused.contains("secret"), "{refused}");
    }

    #[test]
    fn a_url_that_makes_no_sense_is_refused_without_its_password() {
        for url in ["postgres://user:secret@host:port/database", "postgres://u:secret@h/?sslmode=x"]
        {
            let refused = of(url).unwrap_err();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}

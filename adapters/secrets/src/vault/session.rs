//! The token that this server has for a vault: got, renewed, got again.

use std::path::Path;
use std::time::Duration;

use groundcontrol_core::ports::SecretError;
use parking_lot::Mutex;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::settings::VaultAuth;
use super::wire::{Exchange, NO_BODY, unavailable};

/// Of a lease, so much is used before it is renewed.
const USED: f64 = 2.0 / 3.0;
/// A token is looked after at least and at most this often.
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(3_600);
/// Bytes of a file with a token.
const MAX_FILE: u64 = 64 * 1024;

/// The token, and how to get another.
pub(super) struct Session {
    auth: VaultAuth,
    held: Mutex<Option<Held>>,
    /// One at a time logs in; the others then find a token.
    logging_in: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Held {
    token: SecretString,
    renewable: bool,
    /// None: it does not end.
    lease: Option<Lease>,
}

#[derive(Clone, Copy)]
struct Lease {
    since: Instant,
    span: Duration,
}

/// What a vault says of a token that it gives or renews.
#[derive(Deserialize)]
struct Granted {
    auth: Option<Grant>,
}

#[derive(Deserialize)]
struct Grant {
    client_token: String,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

/// What it says of a token that it is asked about.
#[derive(Deserialize)]
struct Described {
    data: Description,
}

#[derive(Deserialize)]
struct Description {
    #[serde(default)]
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

impl Held {
    fn new(token: SecretString, seconds: u64, renewable: bool) -> Self {
        let span = Duration::from_secs(seconds);
        let lease = (seconds > 0).then(|| Lease { since: Instant::now(), span });
        Self { token, renewable, lease }
    }

    fn is_valid(&self) -> bool {
        self.lease.is_none_or(|lease| lease.since.elapsed() < lease.span)
    }

    /// After how long it is to be renewed.
    fn renewed_in(&self) -> Duration {
        let due = self
            .lease
            .map_or(MOST, |lease| lease.span.mul_f64(USED).saturating_sub(lease.since.elapsed()));
        due.clamp(LEAST, MOST)
    }
}

impl Session {
    pub(super) fn new(auth: VaultAuth) -> Self {
        Self { auth, held: Mutex::default(), logging_in: tokio::sync::Mutex::default() }
    }

    /// A token that is valid, as far as is known.
    pub(super) async fn token(&self, vault: &Exchange) -> Result<SecretString, SecretError> {
        if let Some(held) = self.valid() {
            return Ok(held.token);
        }
        let _turn = self.logging_in.lock().await;
        if let Some(held) = self.valid() {
            return Ok(held.token);
        }
        let held = self.log_in(vault).await?;
        *self.held.lock() = Some(held.clone());
        Ok(held.token)
    }

    /// The vault refused this token. Answers whether another can be got.
    pub(super) fn forget(&self, refused: &SecretString) -> bool {
        let mut held = self.held.lock();
        let same = |held: &Held| held.token.expose_secret() == refused.expose_secret();
        if held.as_ref().is_some_and(same) {
            *held = None;
        }
        !matches!(self.auth, VaultAuth::Token(_))
    }

    /// Gets a token where there is none, and renews it where it is time; answers after how long to
    /// look again.
    pub(super) async fn keep(&self, vault: &Exchange) -> Result<Duration, SecretError> {
        self.token(vault).await?;
        let Some(held) = self.valid() else { return Ok(LEAST) };
        if held.lease.is_none() || held.renewed_in() > LEAST {
            return Ok(held.renewed_in());
        }
        let renewed = match held.renewable {
            true => self.renew(vault, &held.token).await?,
            false => None,
        };
        let held = match renewed {
            Some(held) => held,
            None => self.log_in(vault).await?,
        };
        let next = held.renewed_in();
        *self.held.lock() = Some(held);
        Ok(next)
    }

    fn valid(&self) -> Option<Held> {
        self.held.lock().clone().filter(Held::is_valid)
    }

    /// None: the vault does not renew it.
    async fn renew(
        &self,
        vault: &Exchange,
        token: &SecretString,
    ) -> Result<Option<Held>, SecretError> {
        let path = "auth/token/renew-self";
        let answer = vault.send(Method::POST, path, Some(token), Some(&json!({}))).await?;
        if matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST) {
            return Ok(None);
        }
        let granted: Granted = answer.expect_success("renew the token")?.read()?;
        Ok(granted
            .auth
            .map(|grant| Held::new(token.clone(), grant.lease_duration, grant.renewable)))
    }

    async fn log_in(&self, vault: &Exchange) -> Result<Held, SecretError> {
        match &self.auth {
            VaultAuth::Token(token) => described(vault, token.clone()).await,
            VaultAuth::TokenFile(path) => described(vault, file(path).await?).await,
            VaultAuth::AppRole { mount, role_id, secret_id_file } => {
                let secret = file(secret_id_file).await?;
                let body = json!({ "role_id": role_id, "secret_id": secret.expose_secret() });
                granted(vault, mount, body).await
            }
            VaultAuth::Kubernetes { mount, role, token_file } => {
                let token = file(token_file).await?;
                let body = json!({ "role": role, "jwt": token.expose_secret() });
                granted(vault, mount, body).await
            }
        }
    }
}

/// A token that was given to this server, with what the vault knows of it. One that may not ask
/// about itself is taken as it is.
async fn described(vault: &Exchange, token: SecretString) -> Result<Held, SecretError> {
    let path = "auth/token/lookup-self";
    let answer = vault.send(Method::GET, path, Some(&token), NO_BODY).await?;
    if answer.status == StatusCode::FORBIDDEN {
        return Ok(Held::new(token, 0, false));
    }
    let described: Described = answer.expect_success("look up the token")?.read()?;
    Ok(Held::new(token, described.data.ttl, described.data.renewable))
}

async fn granted(
    vault: &Exchange,
    mount: &str,
    body: serde_json::Value,
) -> Result<Held, SecretError> {
    let path = format!("auth/{}/login", mount.trim_matches('/'));
    let answer = vault.send(Method::POST, &path, None, Some(&body)).await?;
    let granted: Granted = answer.expect_success("log in to the vault")?.read()?;
    let grant = granted.auth.ok_or_else(|| unavailable("the vault gave no token"))?;
    Ok(Held::new(grant.client_token.into(), grant.lease_duration, grant.renewable))
}

async fn file(path: &Path) -> Result<SecretString, SecretError> {
    use tokio::io::AsyncReadExt as _;
    let failed = |error: std::io::Error| {
        SecretError::Unavailable(format!("cannot read the file {}: {error}", path.display()))
    };
    let mut text = Zeroizing::new(String::new());
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    file.take(MAX_FILE).read_to_string(&mut text).await.map_err(failed)?;
    match text.trim() {
        "" => Err(SecretError::Unavailable(format!("the file {} is empty", path.display()))),
        text => Ok(SecretString::from(text)),
    }
}

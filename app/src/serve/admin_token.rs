//! The first API token: from the environment, or made at the first start.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use groundcontrol_core::ports::{ApiToken, ApiTokenId, ApiTokenStore, Clock, NewApiToken, Scope};
use groundcontrol_core::satellite::{Token, TokenHash};
use secrecy::ExposeSecret as _;
use tracing::{info, warn};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::config::Settings;

/// One row, whatever its value: changing the variable changes the token.
const ID: ApiTokenId = ApiTokenId(Uuid::from_u128(0x6772_6f75_6e64_4063_8000_6164_6d69_6e00));
/// A shorter token can be guessed.
const SHORT: usize = 20;

/// What became of the first API token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    /// There was none, or this one.
    Here,
    /// There was another, which works no longer.
    InPlaceOfAnother,
    /// There was one that this pod does not know, and it stays.
    Elsewhere,
}

/// Makes sure that somebody can use the API.
///
/// What the environment or the file says holds, also in place of what is stored. A pod that is told
/// nothing makes a token only where it is alone, or the first: it would void that of the others.
pub(super) async fn ensure(
    settings: &Settings,
    tokens: &dyn ApiTokenStore,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    match store(settings, tokens, clock).await? {
        Stored::Here => {}
        Stored::InPlaceOfAnother => warn!(
            "the first API token is not the one that was stored, which works no longer, on no pod; \
             give all pods the same one in GROUNDCONTROL_ADMIN_TOKEN"
        ),
        Stored::Elsewhere => info!(
            "the first API token is the one that another pod made or was told; to set it, give all \
             pods the same one in GROUNDCONTROL_ADMIN_TOKEN"
        ),
    }
    Ok(())
}

async fn store(
    settings: &Settings,
    tokens: &dyn ApiTokenStore,
    clock: &dyn Clock,
) -> anyhow::Result<Stored> {
    let failed = "cannot store the first API token";
    let known = tokens.list().await.context(failed)?.iter().any(|token| token.id == ID);
    let path = settings.data_dir.join("admin-token");
    let token = match told(settings, &path)? {
        Some(token) => token,
        None if known && settings.database.is_server() => return Ok(Stored::Elsewhere),
        None => make(&path)?,
    };
    let hash = TokenHash::of(&token);
    let same = tokens.find(&hash).await.context(failed)?.is_some_and(|found| found.id == ID);
    if same {
        return Ok(Stored::Here);
    }
    let token = ApiToken {
        id: ID,
        name: "admin".to_owned(),
        scopes: vec![Scope::Admin],
        created_at: clock.now(),
        expires_at: None,
    };
    tokens.put(NewApiToken { token, hash }).await.context(failed)?;
    Ok(if known { Stored::InPlaceOfAnother } else { Stored::Here })
}

/// The token that the environment gives, or that the file keeps.
fn told(settings: &Settings, path: &Path) -> anyhow::Result<Option<Token>> {
    let Some(given) = &settings.admin_token else { return read(path) };
    if given.expose_secret().len() < SHORT {
        warn!("GROUNDCONTROL_ADMIN_TOKEN is shorter than {SHORT} characters; use a longer one");
    }
    Ok(Some(Token::presented(given.expose_secret())))
}

fn read(path: &Path) -> anyhow::Result<Option<Token>> {
    match std::fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) if text.trim().is_empty() => {
            anyhow::bail!("{} is empty; delete it, and a new token is made", path.display())
        }
        Ok(text) => Ok(Some(Token::presented(text.trim()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(error).with_context(|| format!("cannot read the API token in {}", path.display()))
        }
    }
}

fn make(path: &Path) -> anyhow::Result<Token> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the operating system gives no random numbers")?;
    let token = Token::for_api(random);
    let failed = || format!("cannot write the first API token to {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(failed)?;
    writeln!(file, "{}", token.expose()).with_context(failed)?;
    info!(path = %path.display(), "the first API token was made and is kept there");
    let mut out = std::io::stdout().lock();
    writeln!(out, "API token (shown this once): {}", token.expose())
        .context("cannot show the first API token")?;
    Ok(token)
}

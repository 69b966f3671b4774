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

/// Makes sure that somebody can use the API.
pub(super) async fn ensure(
    settings: &Settings,
    tokens: &dyn ApiTokenStore,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let path = settings.data_dir.join("admin-token");
    let token = match &settings.admin_token {
        Some(given) => {
            if given.expose_secret().len() < SHORT {
                warn!(
                    "GROUNDCONTROL_ADMIN_TOKEN is shorter than {SHORT} characters; use a longer one"
                );
            }
            Token::presented(given.expose_secret())
        }
        None => match read(&path)? {
            Some(token) => token,
            None => make(&path)?,
        },
    };
    let new = NewApiToken {
        token: ApiToken {
            id: ID,
            name: "admin".to_owned(),
            scopes: vec![Scope::Admin],
            created_at: clock.now(),
            expires_at: None,
        },
        hash: TokenHash::of(&token),
    };
    tokens.put(new).await.context("cannot store the first API token")
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

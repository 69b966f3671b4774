//! `groundcontrol api-tokens …`: who may use the API.

use std::path::PathBuf;

use anyhow::bail;
use groundcontrol_http::dto::{ApiToken, CreateApiToken, Instant, Scope};
use serde_json::json;

use super::console::Console;
use super::printable::printable;
use super::server::{OutputArgs, ServerArgs};
use super::token::TokenFile;
use super::view;
use crate::client::Client;
use crate::config::Span;

/// Lists, makes and revokes tokens of the API.
#[derive(Clone, Debug, clap::Args)]
pub struct ApiTokensArgs {
    #[command(subcommand)]
    pub(super) command: ApiTokensCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum ApiTokensCommand {
    /// Lists tokens, never their values
    List,
    /// Makes a token; it is shown this once
    Create(CreateArgs),
    /// Revokes a token at once
    Revoke {
        /// Its id, or its name where only one token has it
        token: String,
    },
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// What it is called; what it does is on record under this name
    name: String,
    /// What it may: satellite.read, satellite.manage (implies read) or admin; may be repeated
    #[arg(long = "scope", required = true, value_parser = scope, value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// From then on it is refused [default: it stays valid]
    #[arg(long, value_name = "DURATION")]
    expires_in: Option<Span>,
    /// Writes the token to this new file instead of showing it
    #[arg(long, value_name = "FILE")]
    save_token: Option<PathBuf>,
}

/// Does what was asked and writes the result.
pub async fn run(args: ApiTokensArgs) -> anyhow::Result<()> {
    let ApiTokensArgs { command, server, output } = args;
    execute(command, &server.client()?, &mut output.console()).await
}

pub(super) async fn execute(
    command: ApiTokensCommand,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    match command {
        ApiTokensCommand::List => list(client, console).await,
        ApiTokensCommand::Create(args) => create(args, client, console).await,
        ApiTokensCommand::Revoke { token } => revoke(&token, client, console).await,
    }
}

async fn list(client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let tokens = client.api_tokens().await?;
    if console.is_json() {
        return console.json(&tokens);
    }
    console.table(view::API_TOKENS, tokens.iter().map(view::api_token_row).collect())?;
    Ok(())
}

async fn create(args: CreateArgs, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let CreateArgs { name, scopes, expires_in, save_token } = args;
    let expires_at = expires_in.map(|span| Instant(console.now() + span.0));
    let mut file = save_token.as_deref().map(TokenFile::create).transpose()?;
    let made = client.create_api_token(&CreateApiToken { name, scopes, expires_at }).await?;
    file.as_mut().map(|file| file.save(made.token.expose())).transpose()?;
    if console.is_json() {
        return match save_token {
            Some(path) => console.json(&json!({"apiToken": made.api_token, "tokenFile": path})),
            None => {
                console.json(&json!({"apiToken": made.api_token, "token": made.token.expose()}))
            }
        };
    }
    console.line(format!("Made API token {}.", named(&made.api_token)))?;
    match save_token {
        Some(path) => console.line(format!("It is in {}.", printable(&path.to_string_lossy())))?,
        None => {
            console.line("It is shown this once:")?;
            console.line(format!("\n    {}", printable(made.token.expose())))?;
        }
    }
    Ok(())
}

async fn revoke(wanted: &str, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let tokens = client.api_tokens().await?;
    let fits = |token: &&ApiToken| token.id.to_string() == wanted || token.name == wanted;
    let found: Vec<&ApiToken> = tokens.iter().filter(fits).collect();
    let token = match found.as_slice() {
        [token] => *token,
        [] => bail!("there is no API token {wanted:?}; see `groundcontrol api-tokens list`"),
        several => {
            let ids: Vec<String> = several.iter().map(|token| token.id.to_string()).collect();
            bail!("several API tokens are called {wanted:?}; say which id: {}", ids.join(", "))
        }
    };
    client.revoke_api_token(token.id).await?;
    if console.is_json() {
        return console.json(&json!({"revoked": token.id}));
    }
    console.line(format!("Revoked API token {}.", named(token)))?;
    Ok(())
}

fn named(token: &ApiToken) -> String {
    format!("{:?} ({})", printable(&token.name), token.id)
}

fn scope(text: &str) -> Result<Scope, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}

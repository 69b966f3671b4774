//! The flags of every command that talks to a running server.

use std::path::PathBuf;

use anyhow::Context as _;

use super::console::{Console, OutputFormat};
use super::token::{Dash, TokenSource};
use crate::agent::{Endpoint, client_config};
use crate::client::Client;

/// Which server, and with which token.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// The server
    #[arg(
        long,
        global = true,
        env = "GROUNDCONTROL_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub url: String,
    /// File that holds the API token; or set GROUNDCONTROL_API_TOKEN
    #[arg(long, global = true, env = "GROUNDCONTROL_API_TOKEN_FILE", value_name = "FILE")]
    pub api_token_file: Option<PathBuf>,
    /// Reads the API token from standard input
    #[arg(long, global = true, value_name = "-", allow_hyphen_values = true)]
    pub api_token: Option<Dash>,
    /// PEM file with certificates to trust beside the system's
    #[arg(long, global = true, env = "GROUNDCONTROL_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Sends the token in the clear to other machines, too
    #[arg(long, global = true, env = "GROUNDCONTROL_ALLOW_PLAINTEXT")]
    pub allow_plaintext: bool,
}

/// How results are written.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// table for people, json for programs
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: OutputFormat,
}

impl OutputArgs {
    /// The process's own console.
    pub fn console(self) -> Console {
        Console::of_process(self.output)
    }
}

impl ServerArgs {
    /// The server, if a token may be sent there.
    pub fn endpoint(&self) -> anyhow::Result<Endpoint> {
        Ok(Endpoint::parse(&self.url, self.allow_plaintext)?)
    }

    /// A client of the server with the token that was named.
    pub fn client(&self) -> anyhow::Result<Client> {
        let endpoint = self.endpoint()?;
        let source = TokenSource {
            flag: "--api-token",
            dash: self.api_token,
            file: self.api_token_file.as_deref(),
            variable: "GROUNDCONTROL_API_TOKEN",
        };
        let token = source.read(&mut std::io::stdin().lock(), |name| std::env::var(name).ok())?;
        let token = token.context(
            "an API token is needed: pass --api-token-file FILE (the first token is in the file \
             admin-token in the server's data folder) or set GROUNDCONTROL_API_TOKEN",
        )?;
        let tls = client_config(endpoint.is_secure(), self.ca_file.as_deref())?;
        Ok(Client::new(endpoint, &tls, Some(token))?)
    }
}

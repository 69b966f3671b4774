//! `groundcontrol serve`.

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;
use secrecy::SecretString;
use uuid::Uuid;

use crate::config::Options;
use crate::serve;

/// Starts the server.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// TOML file with the same options; flags and environment win
    #[arg(long, env = "GROUNDCONTROL_CONFIG", value_name = "PATH")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: Options,
}

/// Serves until SIGTERM or SIGINT.
pub async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let file = args.config.as_deref().map(Options::from_file).transpose()?.unwrap_or_default();
    let options = args.options.or(file);
    let options = Options {
        secrets_key: variable("GROUNDCONTROL_SECRETS_KEY"),
        vault_token: variable("GROUNDCONTROL_VAULT_TOKEN"),
        ..options
    };
    let filter = options.log.clone().unwrap_or_else(|| "info".to_owned());
    serve::log::install(options.log_format.unwrap_or_default(), &filter)?;
    let admin_token = variable("GROUNDCONTROL_ADMIN_TOKEN");
    let suffix = Uuid::new_v4().simple().to_string();
    let settings = options.resolve(admin_token, &suffix[..6])?;
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let signal = serve::stop_signal();
    let stop = async {
        if let Err(error) = signal.await {
            tracing::error!(%error, "cannot wait for signals; stopping");
        }
    };
    serve::run(settings, stop, |address| {
        let mut out = std::io::stdout();
        let _ = writeln!(out, "Ground Control listens on {scheme}://{address}");
        let _ = writeln!(out, "The console is at {scheme}://{}/", within_reach(address));
    })
    .await
    .context("the server could not run")
}

/// A secret that the environment gives.
fn variable(name: &str) -> Option<SecretString> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(SecretString::from)
}

/// Where somebody in front of this machine finds what listens on `address`.
fn within_reach(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_of_a_server_that_listens_everywhere_is_found_on_loopback() {
        let reached = |address: &str| within_reach(address.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(reached("[::]:8080"), "[::1]:8080");
        assert_eq!(reached("192.0.2.7:8080"), "192.0.2.7:8080");
    }
}

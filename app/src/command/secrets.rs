//! `groundcontrol secrets …`: what checks refer to as `${{ secrets.NAME }}`.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use groundcontrol_core::limits::MAX_SECRET_VALUE;
use groundcontrol_core::secrets::SecretName;
use groundcontrol_http::dto::SecretDelivery;
use serde_json::json;
use zeroize::Zeroizing;

use super::server::{OutputArgs, ServerArgs};

/// Lists, sets and deletes secrets, and shows who got which.
#[derive(Clone, Debug, clap::Args)]
pub struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum SecretsCommand {
    /// Lists the names of secrets, never their values
    List,
    /// Sets a secret; its value is read from standard input, or from a file
    Set {
        /// Letters, digits, underscores and hyphens
        name: SecretName,
        /// File that holds the value; one line end at its end is not part of it
        #[arg(long, value_name = "FILE")]
        from_file: Option<PathBuf>,
    },
    /// Deletes a secret
    Delete {
        /// Its name
        name: SecretName,
    },
    /// Lists who asked for secrets, for which place, and what became of it; newest first
    Deliveries {
        /// Only those to this satellite, by name or id
        #[arg(long)]
        satellite: Option<String>,
        /// Only those at this time or later (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only those before this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Seals all secrets under the first key that the server was given: start it with the new key
    /// before the old one, do this, then leave the old one out
    RotateKey,
}

/// Does what was asked about secrets.
pub async fn run(args: SecretsArgs) -> anyhow::Result<()> {
    let (client, console) = (&args.server.client()?, &mut args.output.console());
    match args.command {
        SecretsCommand::List => {
            let found = client.secrets().await?;
            if console.is_json() {
                return console.json(&found);
            }
            let rows = found.into_iter().map(|secret| vec![secret.name]).collect();
            console.table(&["NAME"], rows)?;
        }
        SecretsCommand::Set { name, from_file } => {
            let value = value(from_file)?;
            client.put_secret(name.as_str(), &value).await?;
            done(console, json!({"name": name.as_str()}), &format!("{name} is set."))?;
        }
        SecretsCommand::Delete { name } => {
            client.delete_secret(name.as_str()).await?;
            done(console, json!({"name": name.as_str()}), &format!("{name} is deleted."))?;
        }
        SecretsCommand::Deliveries { satellite, since, until, limit } => {
            let mut query = vec![("limit", limit.to_string())];
            if let Some(wanted) = satellite {
                query.push(("satelliteId", client.find_satellite(&wanted).await?.id.to_string()));
            }
            query.extend(since.map(|since| ("since", since)));
            query.extend(until.map(|until| ("until", until)));
            let found = client.secret_deliveries(&query).await?;
            if console.is_json() {
                return console.json(&found);
            }
            let header = &["WHEN", "SATELLITE", "CHECK", "COLLECTOR", "SECRETS", "OUTCOME"];
            console.table(header, found.iter().map(row).collect())?;
        }
        SecretsCommand::RotateKey => {
            let done = client.reseal_secrets().await?;
            if console.is_json() {
                return console.json(&done);
            }
            console.line(format!("{} sealed again under the current key.", done.resealed))?;
        }
    }
    Ok(())
}

fn done(console: &mut super::Console, json: serde_json::Value, line: &str) -> anyhow::Result<()> {
    match console.is_json() {
        true => console.json(&json),
        false => Ok(console.line(line)?),
    }
}

fn row(delivery: &SecretDelivery) -> Vec<String> {
    vec![
        delivery.at.to_string(),
        delivery.satellite_id.to_string(),
        delivery.config_id.clone(),
        delivery.collector_id.clone().unwrap_or_default(),
        delivery.names.join(" "),
        delivery.error.clone().unwrap_or_else(|| "delivered".to_owned()),
    ]
}

/// A value, never from the command line, which others can read.
fn value(file: Option<PathBuf>) -> anyhow::Result<Zeroizing<String>> {
    match file {
        Some(path) => {
            let doing = || format!("cannot read the value from {}", path.display());
            read(File::open(&path).with_context(doing)?).with_context(doing)
        }
        None => read(std::io::stdin().lock()).context("cannot read the value from standard input"),
    }
}

fn read(source: impl Read) -> anyhow::Result<Zeroizing<String>> {
    // One that grew would leave parts of it behind.
    const MOST: usize = MAX_SECRET_VALUE + 3;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    source.take(MOST as u64).read_to_end(&mut bytes)?;
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.len() > MAX_SECRET_VALUE {
        bail!("it is longer than {MAX_SECRET_VALUE} bytes");
    }
    let text = std::str::from_utf8(text).context("it is no UTF-8 text")?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_not_part_of_a_value_and_what_cannot_be_one_is_refused() {
        assert_eq!(*read(&b"hush\r\n"[..]).unwrap(), "hush");
        assert_eq!(*read(&b"a\nb\n\n"[..]).unwrap(), "a\nb\n");
        assert!(read(&[0xff][..]).is_err());
        assert!(read(&vec![b'x'; MAX_SECRET_VALUE + 1][..]).is_err());
    }
}

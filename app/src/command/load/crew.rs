//! The identities of a simulated fleet: made through the API, or read from a file.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use futures_util::{StreamExt as _, stream};
use groundcontrol_core::satellite::{SatelliteId, Token};
use groundcontrol_http::dto::CreateSatellite;
use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::agent::Identity;
use crate::client::{Client, ClientError};
use crate::command::token::TokenFile;

/// Calls that are under way at once.
const CALLS: usize = 16;

/// Makes `count` satellites, tagged `load=run` so that they can be found again. What was made is
/// in `made` whatever happens.
pub(super) async fn make(
    client: &Client,
    run: &str,
    count: usize,
    stop: &CancellationToken,
    progress: &ProgressBar,
    made: &mut Vec<Identity>,
) -> Result<(), ClientError> {
    let calls = (0..count).map(|number| {
        let request = CreateSatellite {
            name: format!("load-{run}-{number:05}"),
            region: "load".to_owned(),
            tags: [("load".to_owned(), run.to_owned())].into(),
            offline_threshold_ms: None,
            managed_by: None,
        };
        async move { client.create_satellite(&request).await }
    });
    let mut calls = stream::iter(calls).buffer_unordered(CALLS);
    let mut failed = None;
    while let Some(created) = calls.next().await {
        match created {
            Ok(created) => {
                let client_id = SatelliteId(created.satellite.id);
                made.push(Identity { client_id, token: Token::presented(created.token.expose()) });
                progress.inc(1);
            }
            Err(error) => failed = Some(error),
        }
        if failed.is_some() || stop.is_cancelled() {
            break;
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Removes satellites; answers how many were removed, and the first failure.
pub(super) async fn remove(
    client: &Client,
    crew: &[Identity],
    progress: &ProgressBar,
) -> (usize, Option<ClientError>) {
    let calls = crew.iter().map(|identity| client.remove_satellite(identity.client_id.0));
    let mut calls = stream::iter(calls).buffer_unordered(CALLS);
    let (mut removed, mut failed) = (0, None);
    while let Some(done) = calls.next().await {
        match done {
            Ok(()) => removed += 1,
            Err(error) => failed = failed.or(Some(error)),
        }
        progress.inc(1);
    }
    (removed, failed)
}

/// Reads `id token` from each line of a file; empty lines and those that begin with # are left
/// out.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Identity>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {shown}"))?;
    parse(&Zeroizing::new(text)).with_context(|| format!("could not use {shown}"))
}

/// Writes a file that [`read`] reads, for its owner only.
pub(super) fn write(file: &mut TokenFile, crew: &[Identity]) -> anyhow::Result<()> {
    let mut text = Zeroizing::new(Vec::new());
    for Identity { client_id, token } in crew {
        writeln!(text, "{client_id} {}", token.expose())?;
    }
    file.save(std::str::from_utf8(&text)?.trim_end())
}

fn parse(text: &str) -> anyhow::Result<Vec<Identity>> {
    let mut crew = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let client_id = words.next().and_then(|id| id.parse().ok());
        match (client_id, words.next(), words.next()) {
            (Some(client_id), Some(token), None) => {
                crew.push(Identity { client_id, token: Token::presented(token) });
            }
            _ => bail!("line {} is not a satellite's id, a space and its token", index + 1),
        }
    }
    Ok(crew)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

    #[test]
    fn a_file_that_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let crew = parse(&format!("# mine\n\n{ID} csat_a\n {ID}\tcsat_b \n")).unwrap();
        write(&mut TokenFile::create(&path).unwrap(), &crew).unwrap();
        let tokens: Vec<String> =
            read(&path).unwrap().iter().map(|one| one.token.expose().to_owned()).collect();
        assert_eq!(tokens, ["csat_a", "csat_b"]);
    }

    #[test]
    fn a_broken_line_is_named_without_its_token() {
        for line in [format!("csat_hidden {ID}"), ID.to_owned(), format!("{ID} csat_hidden x")] {
            let error = format!("{:#}", parse(&format!("{ID} ok\n{line}")).unwrap_err());
            assert!(error.starts_with("line 2"), "{error}");
            assert!(!error.contains("hidden"));
        }
    }
}

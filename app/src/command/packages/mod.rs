//! `groundcontrol packages …`: what scripts may import.

mod source;
mod pack;
mod npm;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use groundcontrol_core::packages::{Changes, Entry, Lockfile};
use groundcontrol_http::dto::{DesiredPackages, PackageEntry, PackageSyncState, PublishPackages};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use self::source::{Package, Source};
use super::console::Console;
use super::server::{OutputArgs, ServerArgs};
use crate::client::{Client, ListFilter};

/// Publishes packages for scripts, and shows which satellites have them.
#[derive(Clone, Debug, clap::Args)]
pub struct PackagesArgs {
    #[command(subcommand)]
    command: PackagesCommand,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum PackagesCommand {
    /// Makes packages the ones that all satellites have
    ///
    /// In place of all that were published before. Only blobs that the server lacks are uploaded;
    /// nothing is fetched from the network.
    Publish {
        /// A folder of unpacked packages such as node_modules, or a package-lock.json whose
        /// packages npm has in its cache
        path: PathBuf,
        /// npm's cache [default: ~/.npm]
        #[arg(long, env = "npm_config_cache", value_name = "DIR")]
        cache: Option<PathBuf>,
        /// Says what would change, and changes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Shows the packages that satellites shall have
    Show,
    /// Shows where each satellite stands with them
    Status,
    /// Removes all packages
    Clear {
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Does what was asked about packages.
pub async fn run(args: PackagesArgs) -> anyhow::Result<()> {
    let (client, console) = (&args.server.client()?, &mut args.output.console());
    match args.command {
        PackagesCommand::Publish { path, cache, dry_run } => {
            publish(&path, cache, dry_run, client, console).await
        }
        PackagesCommand::Show => show(client, console).await,
        PackagesCommand::Status => status(client, console).await,
        PackagesCommand::Clear { yes } => clear(yes, client, console).await,
    }
}

async fn publish(
    path: &Path,
    cache: Option<PathBuf>,
    dry_run: bool,
    client: &Client,
    console: &mut Console,
) -> anyhow::Result<()> {
    let from = path.to_owned();
    let source = spawn_blocking(move || Source::read(&from, cache)).await??;
    for note in &source.notes {
        console.note(super::printable(note))?;
    }
    let before = client.packages().await?;
    let published = lockfile(&before)?;
    let changes = source.lockfile.changes_from(published.as_ref());
    let missing = missing(&source, client).await?;
    if !dry_run {
        upload(&missing, client).await?;
        let body = PublishPackages {
            expected_lockfile_hash: before.lockfile_hash.clone(),
            entries: source.packages.iter().map(|package| (&package.entry).into()).collect(),
        };
        client.publish_packages(&body).await?;
    }
    tell(&source, &changes, &missing, dry_run, console)
}

/// The lockfile in the server's answer.
fn lockfile(desired: &DesiredPackages) -> anyhow::Result<Option<Lockfile>> {
    if desired.lockfile_hash.is_none() {
        return Ok(None);
    }
    let entry = |entry: &PackageEntry| -> anyhow::Result<Entry> {
        Ok(Entry {
            name: entry.name.parse()?,
            version: entry.version.parse()?,
            integrity: entry.integrity.parse()?,
            blob: entry.blob_sha256.parse()?,
        })
    };
    let entries = desired.entries.iter().map(entry).collect::<anyhow::Result<_>>();
    let read = entries.and_then(|entries| Ok(Lockfile::new(entries)?));
    Ok(Some(read.context("the server's packages were not understood; is it of this version?")?))
}

/// The packages whose blobs the server lacks, each blob once.
async fn missing<'a>(source: &'a Source, client: &Client) -> anyhow::Result<Vec<&'a Package>> {
    let all: BTreeMap<String, &Package> =
        source.packages.iter().map(|package| (package.entry.blob.to_string(), package)).collect();
    let missing = client.missing_blobs(all.keys().cloned().collect()).await?;
    Ok(missing.iter().filter_map(|hash| all.get(hash).copied()).collect())
}

async fn upload(missing: &[&Package], client: &Client) -> anyhow::Result<()> {
    let bar = bar(missing.iter().map(|package| package.bytes).sum());
    for package in missing {
        let Package { entry, path, bytes } = package;
        bar.set_message(entry.name.to_string());
        let read = tokio::fs::read(path).await;
        let blob = read.with_context(|| format!("cannot read {}", path.display()))?;
        let uploaded = client.upload_blob(entry.blob, blob).await;
        uploaded.with_context(|| format!("cannot upload {} {}", entry.name, entry.version))?;
        bar.inc(*bytes);
    }
    bar.finish_and_clear();
    Ok(())
}

/// A progress bar on standard error; hidden where that is no terminal.
fn bar(bytes: u64) -> ProgressBar {
    let template = "{wide_bar} {bytes}/{total_bytes} {eta} {msg}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}

fn tell(
    source: &Source,
    changes: &Changes<'_>,
    missing: &[&Package],
    dry_run: bool,
    console: &mut Console,
) -> anyhow::Result<()> {
    let bytes: u64 = missing.iter().map(|package| package.bytes).sum();
    let (hash, count) = (source.lockfile.hash(), source.lockfile.entries().len());
    if console.is_json() {
        let entries = |entries: &[&Entry]| -> Vec<PackageEntry> {
            entries.iter().map(|entry| (*entry).into()).collect()
        };
        return console.json(&json!({
            "lockfileHash": hash.to_string(), "packages": count, "published": !dry_run,
            "added": entries(&changes.added), "removed": entries(&changes.removed),
            "uploadedBlobs": missing.len(), "uploadedBytes": bytes,
        }));
    }
    let rows = |sign: &str, entries: &[&Entry]| -> Vec<Vec<String>> {
        let row = |entry: &&Entry| {
            vec![sign.to_owned(), entry.name.to_string(), entry.version.to_string()]
        };
        entries.iter().map(row).collect()
    };
    let mut changed = rows("-", &changes.removed);
    changed.extend(rows("+", &changes.added));
    if !changed.is_empty() {
        console.table(&["", "PACKAGE", "VERSION"], changed)?;
    }
    let blobs = missing.len();
    console.line(match (dry_run, changes.added.len() + changes.removed.len()) {
        (true, 0) => "Nothing would change.".to_owned(),
        (true, _) => format!(
            "{count} packages would be published as {hash}, and {blobs} blobs ({bytes} bytes) \
             uploaded."
        ),
        (false, 0) => format!("Nothing changed: these {count} packages are published as {hash}."),
        (false, _) => format!(
            "Published {count} packages as {hash}; {blobs} blobs ({bytes} bytes) were uploaded."
        ),
    })?;
    Ok(())
}

async fn show(client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let desired = client.packages().await?;
    if console.is_json() {
        return console.json(&desired);
    }
    let (Some(hash), Some(since)) = (&desired.lockfile_hash, &desired.since) else {
        console.line("There are no packages.")?;
        return Ok(());
    };
    let row = |entry: &PackageEntry| {
        let (name, version) = (entry.name.clone(), entry.version.clone());
        vec![name, version, entry.blob_sha256.clone()]
    };
    console.table(&["PACKAGE", "VERSION", "BLOB"], desired.entries.iter().map(row).collect())?;
    console.line(format!("Lockfile {hash}, since {since}."))?;
    Ok(())
}

async fn status(client: &Client, console: &mut Console) -> anyhow::Result<()> {
    let states = client.package_sync_states().await?;
    if console.is_json() {
        return console.json(&states);
    }
    let desired = client.packages().await?.lockfile_hash;
    let mut states: BTreeMap<Uuid, PackageSyncState> =
        states.into_iter().map(|state| (state.satellite_id, state)).collect();
    let (mut rows, mut ready) = (Vec::new(), BTreeSet::new());
    for satellite in client.satellites(&ListFilter::default()).await? {
        let id = satellite.id;
        let state = states.remove(&id);
        if state.as_ref().is_some_and(|state| is_ready(state, desired.as_deref())) {
            ready.insert(id);
        }
        rows.push(row(satellite.name, state, desired.as_deref()));
    }
    let count = rows.len();
    console.table(&["SATELLITE", "PACKAGES", "LOCKFILE", "REPORTED", "ERROR"], rows)?;
    console.line(format!("{} of {count} satellites are ready.", ready.len()))?;
    Ok(())
}

fn is_ready(state: &PackageSyncState, desired: Option<&str>) -> bool {
    let said = (state.lockfile_hash.as_deref(), state.status.0.name());
    said == (desired, "ready")
}

fn row(name: String, state: Option<PackageSyncState>, desired: Option<&str>) -> Vec<String> {
    let Some(state) = state else {
        return vec![name, "never reported".to_owned()];
    };
    let lockfile = match state.lockfile_hash.as_deref() {
        None => "none".to_owned(),
        said if said == desired => "desired".to_owned(),
        Some(other) => format!("another: {}", other.chars().take(12).collect::<String>()),
    };
    let (reported, error) = (state.reported_at.to_string(), state.error_message);
    vec![name, state.status.to_string(), lockfile, reported, error.unwrap_or_default()]
}

async fn clear(yes: bool, client: &Client, console: &mut Console) -> anyhow::Result<()> {
    if !yes {
        match console.confirm("Remove all packages from all satellites?")? {
            Some(true) => {}
            Some(false) => bail!("nothing was removed"),
            None => bail!("nothing was removed: pass --yes where nobody can be asked"),
        }
    }
    client.clear_packages().await?;
    if console.is_json() {
        return console.json(&json!({"lockfileHash": null}));
    }
    console.line("There are no packages any more.")?;
    Ok(())
}

//! Keeps the packages of this agent in step with the lockfile that the server wants: one change
//! at a time, always towards the newest.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundcontrol_websocket::wire::{ManifestEntry, PackageStatus, ScriptPackageSyncState};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::folder::{Folder, FolderError};
use crate::agent::work::{Desk, NoAnswer};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// After how long a change that failed is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Why this agent is not in step.
#[derive(Debug, thiserror::Error)]
enum SyncError {
    #[error("this agent keeps no packages; start it with --packages DIR")]
    NoFolder,
    #[error("the server does not know the lockfile {0}")]
    UnknownLockfile(String),
    #[error("the server holds no blob for {0}")]
    NoBlob(String),
    #[error("the blob of {0} is no base64")]
    NoBase64(String),
    #[error("the server was asked for {what}: {why}")]
    NoAnswer { what: String, why: NoAnswer },
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("a fault of this agent")]
    Fault,
    /// Not told: the next one begins.
    #[error("another lockfile is wanted meanwhile")]
    Overtaken,
}

/// Works until the desk is gone.
pub(crate) async fn keep_in_step(desk: Arc<Desk>, root: Option<PathBuf>) {
    let mut wanted = desk.packages();
    loop {
        let lockfile = wanted.borrow_and_update().clone();
        let again = match lockfile {
            None => None,
            Some(lockfile) => step(&desk, root.clone(), lockfile, &wanted).await,
        };
        let changed = match again {
            None => wanted.changed().await,
            Some(delay) => tokio::time::timeout(delay, wanted.changed()).await.unwrap_or(Ok(())),
        };
        if changed.is_err() {
            return;
        }
    }
}

/// One change, and what the server is told of it. Some: it is to be tried again.
async fn step(
    desk: &Desk,
    root: Option<PathBuf>,
    lockfile: Option<String>,
    wanted: &watch::Receiver<Option<Option<String>>>,
) -> Option<Duration> {
    let tell = |status, error: Option<String>| {
        desk.sync_state(ScriptPackageSyncState {
            lockfile_hash: lockfile.clone(),
            status,
            error_message: error,
        });
    };
    let Some(root) = root else {
        if lockfile.is_some() {
            tell(PackageStatus::Error, Some(SyncError::NoFolder.to_string()));
        }
        return None;
    };
    tell(PackageStatus::Syncing, None);
    match change(desk, root, lockfile.clone(), wanted).await {
        Ok(()) => {
            tracing::info!(lockfile, "script packages are ready");
            tell(PackageStatus::Ready, None);
            None
        }
        Err(SyncError::Overtaken) => Some(Duration::ZERO),
        Err(why) => {
            tracing::warn!(lockfile, "script packages are not ready: {why}");
            tell(PackageStatus::Error, Some(why.to_string()));
            Some(AGAIN)
        }
    }
}

async fn change(
    desk: &Desk,
    root: PathBuf,
    lockfile: Option<String>,
    wanted: &watch::Receiver<Option<Option<String>>>,
) -> Result<(), SyncError> {
    let folder = blocking(move || Folder::open(root)).await?;
    let Some(lockfile) = lockfile else {
        return blocking(move || folder.clear()).await;
    };
    if folder.is_current(&lockfile) {
        return Ok(());
    }
    let manifest = desk.ask_manifest(lockfile.clone(), PATIENCE).await;
    let what = || format!("the manifest of {lockfile}");
    let manifest = manifest.map_err(|why| SyncError::NoAnswer { what: what(), why })?;
    if manifest.entries.is_empty() {
        return Err(SyncError::UnknownLockfile(lockfile));
    }
    for entry in &manifest.entries {
        if wanted.has_changed().unwrap_or(true) {
            return Err(SyncError::Overtaken);
        }
        fetch(desk, &folder, entry.clone()).await?;
    }
    blocking(move || folder.install(&lockfile, &manifest.entries)).await
}

/// Asks for one blob, unless it is there already.
async fn fetch(desk: &Desk, folder: &Folder, entry: ManifestEntry) -> Result<(), SyncError> {
    let (held, wanted) = (folder.clone(), entry.clone());
    if blocking(move || Ok(held.holds(&wanted))).await? {
        return Ok(());
    }
    let answer = desk.ask_blob(entry.integrity.clone(), PATIENCE).await;
    let what = || format!("the blob of {}", entry.name);
    let answer = answer.map_err(|why| SyncError::NoAnswer { what: what(), why })?;
    let data = answer.data.ok_or_else(|| SyncError::NoBlob(entry.name.clone()))?;
    let blob = STANDARD.decode(data).map_err(|_| SyncError::NoBase64(entry.name.clone()))?;
    let folder = folder.clone();
    blocking(move || folder.keep(&entry, &blob)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FolderError> + Send + 'static,
) -> Result<T, SyncError> {
    Ok(spawn_blocking(work).await.map_err(|_| SyncError::Fault)??)
}

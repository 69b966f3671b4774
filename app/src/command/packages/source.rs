//! What is to be published, from wherever it is.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use groundcontrol_core::packages::{Entry, Lockfile};
use tempfile::TempDir;

use super::{npm, pack};

/// One package with its blob.
#[derive(Debug)]
pub(super) struct Package {
    /// The entry.
    pub(super) entry: Entry,
    /// Where its blob is.
    pub(super) path: PathBuf,
    /// How long that is.
    pub(super) bytes: u64,
}

/// Everything that is to be published.
pub(super) struct Source {
    /// The packages, as they were found.
    pub(super) packages: Vec<Package>,
    /// What they make.
    pub(super) lockfile: Lockfile,
    /// What a person should know of what was left out.
    pub(super) notes: Vec<String>,
    /// Where blobs are that were packed for this.
    _staging: TempDir,
}

impl Source {
    /// What is at `path`: a folder, or a package-lock.json with npm's cache.
    pub(super) fn read(path: &Path, cache: Option<PathBuf>) -> anyhow::Result<Self> {
        let staging = tempfile::tempdir().context("cannot make a folder for packed packages")?;
        let (packages, notes) = if path.is_dir() {
            (pack::packages_in(path, staging.path())?, Vec::new())
        } else {
            npm::packages_of(path, &cache.map_or_else(default_cache, Ok)?)?
        };
        let entries = packages.iter().map(|package| package.entry.clone()).collect();
        let lockfile = Lockfile::new(entries).context("these packages make no lockfile: it")?;
        Ok(Self { packages, lockfile, notes, _staging: staging })
    }
}

fn default_cache() -> anyhow::Result<PathBuf> {
    let home = std::env::home_dir().context("there is no home folder: say --cache DIR")?;
    Ok(home.join(".npm"))
}

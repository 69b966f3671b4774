//! Where packages lie: blobs by key, a tree for each lockfile, and `current`, which is one of
//! them. Whatever interrupts a change, `current` is a whole tree.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use groundcontrol_core::limits::{MAX_BLOB, MAX_PACKAGE_FILES, MAX_UNPACKED_PACKAGES};
use groundcontrol_core::packages::{PackageName, is_folder_name};
use groundcontrol_websocket::wire::ManifestEntry;
use sha2::{Digest as _, Sha256};

use super::unpack::unpack;
use crate::archive::{ArchiveError, Budget};

/// What the packages of one lockfile may hold.
const BUDGET: Budget = Budget { bytes: MAX_UNPACKED_PACKAGES, files: MAX_PACKAGE_FILES };

/// A folder of packages. Its calls block.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// Why packages cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// The folder cannot be written.
    #[error("could not {doing}: {why}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        why: io::Error,
    },
    /// A name that is no name of a folder.
    #[error("{0:?} cannot name a package or a lockfile")]
    Name(String),
    /// The bytes are others than those that were announced.
    #[error("the blob of {0} is not the one that its manifest describes")]
    Differs(String),
    /// Too long for a blob.
    #[error("the blob of {0} is longer than 11 MiB")]
    TooLong(String),
    /// The blob is no package that may be unpacked.
    #[error("could not unpack {package}: {why}")]
    Unpack {
        /// The package.
        package: String,
        /// What is wrong with it.
        why: ArchiveError,
    },
}

impl Folder {
    /// The folder at `root`, without what an interrupted change left behind.
    pub(crate) fn open(root: PathBuf) -> Result<Self, FolderError> {
        let folder = Self { root };
        let staging = folder.root.join("staging");
        let doing = || format!("prepare {}", folder.root.display());
        if staging.exists() {
            fs::remove_dir_all(&staging).map_err(io_error(doing()))?;
        }
        for part in ["blobs", "trees", "staging"] {
            fs::create_dir_all(folder.root.join(part)).map_err(io_error(doing()))?;
        }
        // Where runtimes look, from any script's folder upwards.
        replace_link(&folder.root, "node_modules", Path::new("current/node_modules"))
            .map_err(io_error(doing()))?;
        Ok(folder)
    }

    /// Whether `current` is the tree of this lockfile.
    pub(crate) fn is_current(&self, lockfile: &str) -> bool {
        let current = fs::read_link(self.root.join("current"));
        let tree = Path::new("trees").join(lockfile);
        current.is_ok_and(|current| current == tree) && self.root.join(tree).is_dir()
    }

    /// Whether there is a blob for this entry, as the manifest describes it.
    pub(crate) fn holds(&self, entry: &ManifestEntry) -> bool {
        fs::read(self.blob(entry)).is_ok_and(|blob| check(entry, &blob).is_ok())
    }

    /// Keeps a blob, if it is the one that the manifest describes.
    pub(crate) fn keep(&self, entry: &ManifestEntry, blob: &[u8]) -> Result<(), FolderError> {
        check(entry, blob)?;
        let doing = || format!("keep the blob of {}", entry.name);
        let staged = self.root.join("staging").join(key(entry));
        let written = File::create(&staged).and_then(|mut file| {
            file.write_all(blob)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&staged, self.blob(entry))).map_err(io_error(doing()))
    }

    /// Builds the tree of a lockfile, all of whose blobs are there, and makes it `current`.
    pub(crate) fn install(
        &self,
        lockfile: &str,
        entries: &[ManifestEntry],
    ) -> Result<(), FolderError> {
        let name = plain(lockfile)?;
        let tree = self.root.join("trees").join(name);
        if !tree.is_dir() {
            let staged = self.root.join("staging").join(name);
            self.build(&staged, entries)?;
            fs::rename(&staged, &tree).map_err(io_error(format!("finish {}", tree.display())))?;
        }
        let last = fs::read_link(self.root.join("current")).ok();
        let doing = || format!("make {lockfile} the current packages");
        replace_link(&self.root, "current", &Path::new("trees").join(name))
            .map_err(io_error(doing()))?;
        self.tidy(&tree, last, entries);
        Ok(())
    }

    /// Nothing is installed any more.
    pub(crate) fn clear(&self) -> Result<(), FolderError> {
        match fs::remove_file(self.root.join("current")) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => {
                Err(io_error("remove the current packages".to_owned())(why))
            }
            _ => Ok(()),
        }
    }

    fn build(&self, tree: &Path, entries: &[ManifestEntry]) -> Result<(), FolderError> {
        if tree.exists() {
            fs::remove_dir_all(tree).map_err(io_error(format!("build {}", tree.display())))?;
        }
        let modules = tree.join("node_modules");
        fs::create_dir_all(&modules).map_err(io_error(format!("build {}", tree.display())))?;
        let mut budget = BUDGET;
        let mut done = BTreeSet::new();
        for entry in entries {
            // Of several versions the first is the one that scripts import.
            if !done.insert(&entry.name) {
                tracing::warn!(package = entry.name, version = entry.version, "a second version");
                continue;
            }
            let folder = modules.join(package(&entry.name)?);
            let doing = || format!("read the blob of {}", entry.name);
            let blob = fs::read(self.blob(entry)).map_err(io_error(doing()))?;
            check(entry, &blob)?;
            unpack(&blob, &folder, &mut budget).map_err(|why| {
                let package = format!("{} {}", entry.name, entry.version);
                FolderError::Unpack { package, why }
            })?;
        }
        Ok(())
    }

    /// Removes what neither this nor the last lockfile needs: scripts may still run in the last.
    fn tidy(&self, tree: &Path, last: Option<PathBuf>, entries: &[ManifestEntry]) {
        let last = last.map(|last| self.root.join(last));
        remove_others(&self.root.join("trees"), |path| {
            path == tree || last.as_deref() == Some(path)
        });
        let needed: BTreeSet<PathBuf> = entries.iter().map(|entry| self.blob(entry)).collect();
        remove_others(&self.root.join("blobs"), |path| needed.contains(path));
    }

    fn blob(&self, entry: &ManifestEntry) -> PathBuf {
        self.root.join("blobs").join(key(entry))
    }
}

/// A key may be any text: its hash is a name.
fn key(entry: &ManifestEntry) -> String {
    hex(&Sha256::digest(entry.integrity.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(entry: &ManifestEntry, blob: &[u8]) -> Result<(), FolderError> {
    if blob.len() > MAX_BLOB {
        return Err(FolderError::TooLong(entry.name.clone()));
    }
    match &entry.blob_sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(&hex(&Sha256::digest(blob))) => {
            Err(FolderError::Differs(entry.name.clone()))
        }
        _ => Ok(()),
    }
}

/// `name` or `@scope/name`.
fn package(name: &str) -> Result<PathBuf, FolderError> {
    let checked: PackageName = name.parse().map_err(|_| FolderError::Name(name.to_owned()))?;
    Ok(checked.as_str().into())
}

/// A text that is one name in a folder, and no hidden one.
fn plain(name: &str) -> Result<&str, FolderError> {
    if is_folder_name(name) { Ok(name) } else { Err(FolderError::Name(name.to_owned())) }
}

/// Makes `name` in `folder` a link to `target`, at once whatever it was.
fn replace_link(folder: &Path, name: &str, target: &Path) -> io::Result<()> {
    let staged = folder.join("staging").join(format!("{name}.link"));
    match fs::remove_file(&staged) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    symlink(target, &staged)?;
    fs::rename(staged, folder.join(name))
}

fn remove_others(folder: &Path, is_needed: impl Fn(&Path) -> bool) {
    let Ok(found) = fs::read_dir(folder) else { return };
    for path in found.flatten().map(|entry| entry.path()).filter(|path| !is_needed(path)) {
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed {
            tracing::warn!(%error, path = %path.display(), "could not remove old packages");
        }
    }
}

fn io_error(doing: String) -> impl FnOnce(io::Error) -> FolderError {
    move |why| FolderError::Io { doing, why }
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::super::tests::manifest_entry;
    use super::*;
    use crate::archive::tests::package as blob_of;

    fn folder() -> (TempDir, Folder) {
        let root = tempdir().unwrap();
        let folder = Folder::open(root.path().join("packages")).unwrap();
        (root, folder)
    }

    fn read(folder: &Folder, path: &str) -> io::Result<String> {
        fs::read_to_string(folder.root.join("node_modules").join(path))
    }

    fn install(folder: &Folder, lockfile: &str, content: &str) -> Result<(), FolderError> {
        let blob = blob_of(&[("package/index.js", content)]);
        let entry = manifest_entry("@scope/left-pad", &blob);
        folder.keep(&entry, &blob)?;
        folder.install(lockfile, &[entry])
    }

    #[test]
    fn what_is_installed_is_found_where_scripts_look() {
        let (_root, folder) = folder();
        install(&folder, "one", "1").unwrap();
        assert!(folder.is_current("one") && !folder.is_current("two"));
        assert_eq!(read(&folder, "@scope/left-pad/index.js").unwrap(), "1");
        install(&folder, "two", "2").unwrap();
        assert_eq!(read(&folder, "@scope/left-pad/index.js").unwrap(), "2");
        folder.clear().unwrap();
        folder.clear().unwrap();
        assert!(read(&folder, "@scope/left-pad/index.js").is_err());
    }

    #[test]
    fn only_this_tree_and_the_last_are_kept() {
        let (_root, folder) = folder();
        for lockfile in ["one", "two", "three"] {
            install(&folder, lockfile, lockfile).unwrap();
        }
        let trees = fs::read_dir(folder.root.join("trees")).unwrap();
        let mut trees: Vec<_> = trees.map(|tree| tree.unwrap().file_name()).collect();
        trees.sort();
        assert_eq!(trees, ["three", "two"]);
        assert_eq!(fs::read_dir(folder.root.join("blobs")).unwrap().count(), 1);
    }

    #[test]
    fn a_blob_that_differs_from_its_hash_is_not_kept() {
        let (_root, folder) = folder();
        let blob = blob_of(&[("package/index.js", "1")]);
        let entry = manifest_entry("a", &blob);
        let error = folder.keep(&entry, b"other").unwrap_err();
        assert!(matches!(error, FolderError::Differs(_)), "{error}");
        assert!(!folder.holds(&entry));
    }

    #[test]
    fn a_package_that_cannot_be_unpacked_leaves_the_last_tree_in_place() {
        let (_root, folder) = folder();
        install(&folder, "one", "1").unwrap();
        let entry = manifest_entry("bad", b"no archive");
        folder.keep(&entry, b"no archive").unwrap();
        assert!(folder.install("two", &[entry]).is_err());
        assert!(folder.is_current("one"));
        assert_eq!(read(&folder, "@scope/left-pad/index.js").unwrap(), "1");
    }

    #[test]
    fn a_change_that_a_crash_interrupted_is_made_again() {
        let (_root, folder) = folder();
        fs::create_dir_all(folder.root.join("staging/one/node_modules/half")).unwrap();
        let folder = Folder::open(folder.root.clone()).unwrap();
        install(&folder, "one", "1").unwrap();
        assert!(!folder.root.join("trees/one/node_modules/half").exists());
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let (_root, folder) = folder();
        let blob = blob_of(&[("package/index.js", "1")]);
        for name in ["..", "../x", "@/x", "@a/../b", "a/b", "", ".hidden", "/etc", "@a/b/c"] {
            let entry = manifest_entry(name, &blob);
            folder.keep(&entry, &blob).unwrap();
            let error = folder.install("one", &[entry]).unwrap_err();
            assert!(matches!(error, FolderError::Name(_)), "{name}: {error}");
        }
        for lockfile in ["..", "a/b", ""] {
            let error = folder.install(lockfile, &[]).unwrap_err();
            assert!(matches!(error, FolderError::Name(_)), "{lockfile}: {error}");
        }
    }
}

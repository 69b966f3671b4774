//! Unpacks a package without following links, leaving its folder or filling the disk.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

/// How much the packages of one lockfile may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Bytes, unpacked.
    pub(crate) bytes: u64,
    /// Files and folders.
    pub(crate) entries: u64,
}

/// Why a package was not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    /// The bytes are no archive, or a file could not be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A path that leads elsewhere.
    #[error("it holds {0:?}, which leads out of its folder")]
    Outside(PathBuf),
    /// A link, a device or the like.
    #[error("it holds {path:?}, which is neither a file nor a folder but {kind:?}")]
    NotPlain {
        /// Where.
        path: PathBuf,
        /// What.
        kind: EntryType,
    },
    /// Far more inside than it seems.
    #[error("it holds more than an agent unpacks")]
    TooLarge,
}

/// Unpacks a gzipped tar below `folder`, without the folder that all of it is in. `budget` is what
/// is left for this package and those after it.
pub(crate) fn unpack(blob: &[u8], folder: &Path, budget: &mut Budget) -> Result<(), UnpackError> {
    // Headers and padding count as well; the end of what may be read is no end of the archive.
    let bounded = Bounded { inner: GzDecoder::new(blob), left: budget.bytes, over: false };
    let mut archive = Archive::new(bounded);
    let unpacked = entries(&mut archive, folder, budget);
    let Bounded { left, over, .. } = archive.into_inner();
    budget.bytes = left;
    if over { Err(UnpackError::TooLarge) } else { unpacked }
}

fn entries(
    archive: &mut Archive<impl Read>,
    folder: &Path,
    budget: &mut Budget,
) -> Result<(), UnpackError> {
    fs::create_dir_all(folder)?;
    for entry in archive.entries()? {
        budget.entries = budget.entries.checked_sub(1).ok_or(UnpackError::TooLarge)?;
        write(&mut entry?, folder)?;
    }
    Ok(())
}

fn write(entry: &mut Entry<'_, impl Read>, folder: &Path) -> Result<(), UnpackError> {
    let path = entry.path()?.into_owned();
    let kind = entry.header().entry_type();
    match kind {
        EntryType::XGlobalHeader => Ok(()),
        EntryType::Directory => Ok(fs::create_dir_all(folder.join(inside(&path)?))?),
        EntryType::Regular | EntryType::Continuous => {
            let inside = inside(&path)?;
            let Some(parent) = inside.parent() else { return Err(UnpackError::Outside(path)) };
            fs::create_dir_all(folder.join(parent))?;
            let mut file = File::create(folder.join(&inside))?;
            io::copy(entry, &mut file)?;
            Ok(executable(&file, entry.header().mode()?)?)
        }
        kind => Err(UnpackError::NotPlain { path, kind }),
    }
}

/// The path without its first folder; an error where it does not stay inside.
fn inside(path: &Path) -> Result<PathBuf, UnpackError> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(UnpackError::Outside(path.to_owned()));
            }
        }
    }
    Ok(parts.into_iter().skip(1).collect())
}

fn executable(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Reads so much and no more.
struct Bounded<R> {
    inner: R,
    left: u64,
    over: bool,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        match self.left.checked_sub(bytes as u64) {
            Some(left) => self.left = left,
            None => {
                self.over = true;
                return Err(io::Error::other("too large"));
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::super::tests::{gzip, package};
    use super::*;

    const BUDGET: Budget = Budget { bytes: 1_000_000, entries: 100 };

    /// An archive of one entry, whose path is written as it is.
    fn entry(path: &str, kind: EntryType, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        let mut archive = tar::Builder::new(Vec::new());
        archive.append(&header, content).unwrap();
        gzip(&archive.into_inner().unwrap())
    }

    fn refused(blob: &[u8]) -> UnpackError {
        let folder = tempdir().unwrap();
        let inside = folder.path().join("inside");
        let error = unpack(blob, &inside, &mut BUDGET.clone()).unwrap_err();
        let outside: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(outside.len(), 1, "nothing beside the folder");
        error
    }

    #[test]
    fn files_come_out_without_their_first_folder() {
        let folder = tempdir().unwrap();
        let blob = package(&[("package/index.js", "1"), ("package/lib/a.js", "2")]);
        unpack(&blob, folder.path(), &mut BUDGET.clone()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("index.js")).unwrap(), "1");
        assert_eq!(fs::read_to_string(folder.path().join("lib/a.js")).unwrap(), "2");
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for path in ["../x", "package/../../x", "/x", "package/a/../../../x"] {
            let error = refused(&entry(path, EntryType::Regular, b"x"));
            assert!(matches!(error, UnpackError::Outside(_)), "{path}: {error}");
        }
    }

    #[test]
    fn links_and_devices_are_refused() {
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
            let error = refused(&entry("package/x", kind, b""));
            assert!(matches!(error, UnpackError::NotPlain { .. }), "{kind:?}: {error}");
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_fills_the_disk() {
        let long = "0".repeat(2_000_000);
        let error = refused(&package(&[("package/long", &long)]));
        assert!(matches!(error, UnpackError::TooLarge), "{error}");
        let names: Vec<String> = (0..101).map(|n| format!("package/{n}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        let error = refused(&package(&many));
        assert!(matches!(error, UnpackError::TooLarge), "{error}");
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for blob in [&b""[..], b"no gzip", &gzip(b"no tar, and not of a block's length")] {
            assert!(matches!(refused(blob), UnpackError::Io(_)));
        }
    }
}

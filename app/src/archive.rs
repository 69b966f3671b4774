//! What a package's archive may hold: files and folders below one folder, and no more of them than
//! there is room for. The server asks this of what is uploaded, the agent of what it unpacks.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

/// How much may come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Bytes, unpacked.
    pub(crate) bytes: u64,
    /// Files and folders.
    pub(crate) files: u64,
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
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
    /// More bytes inside than there is room for.
    #[error("it unpacks to more bytes than there is room for")]
    TooLarge,
    /// More files and folders inside than there is room for.
    #[error("it holds more files and folders than there is room for")]
    TooMany,
}

/// Something in an archive, with its path below the one folder that all of it is in.
pub(crate) enum Member<'a, 'b, R: Read> {
    /// A folder.
    Folder(PathBuf),
    /// A file, with its mode and its bytes.
    File(PathBuf, u32, &'a mut Entry<'b, R>),
}

/// Shows each member of a gzipped tar to `each`. `budget` is what there is room for in this archive
/// and those after it.
pub(crate) fn visit<R: Read>(
    bytes: R,
    budget: &mut Budget,
    mut each: impl FnMut(Member<'_, '_, Bounded<GzDecoder<R>>>) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    // Headers and padding count as well; the end of what may be read is no end of the archive.
    let bounded = Bounded { inner: GzDecoder::new(bytes), left: budget.bytes, over: false };
    let mut archive = Archive::new(bounded);
    let visited = members(&mut archive, budget, &mut each);
    let Bounded { left, over, .. } = archive.into_inner();
    budget.bytes = left;
    if over { Err(ArchiveError::TooLarge) } else { visited }
}

fn members<R: Read>(
    archive: &mut Archive<R>,
    budget: &mut Budget,
    each: &mut impl FnMut(Member<'_, '_, R>) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    for entry in archive.entries()? {
        budget.files = budget.files.checked_sub(1).ok_or(ArchiveError::TooMany)?;
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => {}
            EntryType::Directory => each(Member::Folder(inside(&path)?))?,
            EntryType::Regular | EntryType::Continuous => {
                let inside = inside(&path)?;
                if inside.as_os_str().is_empty() {
                    return Err(ArchiveError::Outside(path));
                }
                let mode = entry.header().mode()?;
                each(Member::File(inside, mode, &mut entry))?;
            }
            kind => return Err(ArchiveError::NotPlain { path, kind }),
        }
    }
    Ok(())
}

/// The path without its first folder; an error where it does not stay inside.
fn inside(path: &Path) -> Result<PathBuf, ArchiveError> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(ArchiveError::Outside(path.to_owned()));
            }
        }
    }
    Ok(parts.into_iter().skip(1).collect())
}

/// Reads so much and no more.
pub(crate) struct Bounded<R> {
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
pub(crate) mod tests {
    //! Archives as tests make them.

    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A gzipped tar of these files.
    pub(crate) fn package(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        gzip(&archive.into_inner().unwrap())
    }

    /// A gzipped tar of one entry, whose path is written as it is.
    pub(crate) fn entry(path: &str, kind: EntryType, content: &[u8]) -> Vec<u8> {
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

    fn refused(blob: &[u8]) -> ArchiveError {
        let mut budget = Budget { bytes: 1_000_000, files: 100 };
        let copy = |member: Member<'_, '_, _>| {
            if let Member::File(_, _, file) = member {
                io::copy(file, &mut io::sink())?;
            }
            Ok(())
        };
        visit(blob, &mut budget, copy).unwrap_err()
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for path in ["../x", "package/../../x", "/x", "package/a/../../../x", "x"] {
            let error = refused(&entry(path, EntryType::Regular, b"x"));
            assert!(matches!(error, ArchiveError::Outside(_)), "{path}: {error}");
        }
    }

    #[test]
    fn links_and_devices_are_refused() {
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
            let error = refused(&entry("package/x", kind, b""));
            assert!(matches!(error, ArchiveError::NotPlain { .. }), "{kind:?}: {error}");
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let long = "0".repeat(2_000_000);
        let error = refused(&package(&[("package/long", &long)]));
        assert!(matches!(error, ArchiveError::TooLarge), "{error}");
        let names: Vec<String> = (0..101).map(|n| format!("package/{n}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        let error = refused(&package(&many));
        assert!(matches!(error, ArchiveError::TooMany), "{error}");
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for blob in [&b""[..], b"no gzip", &gzip(b"no tar, and not of a block's length")] {
            assert!(matches!(refused(blob), ArchiveError::Io(_)));
        }
    }
}

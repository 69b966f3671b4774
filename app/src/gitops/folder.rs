//! Where documents are: files, folders of files, and whether they changed.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use groundcontrol_core::limits::{MAX_DOCUMENT_BYTES, MAX_DOCUMENT_FILES};

/// Folders within folders that are looked into.
const MAX_LEVELS: usize = 16;

/// The text of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// What it is called, for whoever has to find it.
    pub name: Arc<str>,
    /// What it says.
    pub text: String,
}

/// Files with documents: one file, or all files `*.yaml` and `*.yml` in a folder and the folders
/// within it. What begins with a dot is passed over, and folders that are links are, except the
/// one that is named: a checkout that is swapped as a whole is such a link.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// What tells one state of a folder from another without reading the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    root: PathBuf,
    files: Vec<(PathBuf, u64, i64, i64, u64)>,
}

/// Why documents could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not there, or not for us.
    #[error("cannot read {}: {why}", .path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// What the operating system said.
        why: io::Error,
    },
    /// More than is read.
    #[error("{} holds more than {most} {what}, which is the most that is read", .path.display())]
    TooMuch {
        /// The folder or file.
        path: PathBuf,
        /// How many.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// A file that is no text.
    #[error("{} is not text in UTF-8", .path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
}

type Found<T> = Result<T, FolderError>;

impl Folder {
    /// The files at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its state.
    pub fn stamp(&self) -> Found<Stamp> {
        let root = self.root()?;
        let stat = |path: PathBuf| {
            let told = fs::metadata(&path).map_err(|why| unreadable(&path, why))?;
            Ok((path, told.len(), told.mtime(), told.mtime_nsec(), told.ino()))
        };
        let files = files(&root)?.into_iter().map(stat).collect::<Found<_>>()?;
        Ok(Stamp { root, files })
    }

    /// The text of all files, ordered by their names; what the folder leads to is looked up once,
    /// so that all are of one checkout.
    pub fn read(&self) -> Found<Vec<TextFile>> {
        let root = self.root()?;
        let mut left = MAX_DOCUMENT_BYTES;
        let mut read = Vec::new();
        for path in files(&root)? {
            let text = text(&path, left)?.ok_or_else(|| FolderError::TooMuch {
                path: self.path.clone(),
                most: MAX_DOCUMENT_BYTES,
                what: "bytes",
            })?;
            left -= text.len();
            let name = path.strip_prefix(&root).ok().filter(|rest| !rest.as_os_str().is_empty());
            let name = name.map_or_else(|| self.path.clone(), |rest| self.path.join(rest));
            read.push(TextFile { name: name.to_string_lossy().into(), text });
        }
        Ok(read)
    }

    fn root(&self) -> Found<PathBuf> {
        self.path.canonicalize().map_err(|why| unreadable(&self.path, why))
    }
}

/// The text of a file of at most `most` bytes; none where it has more.
fn text(path: &Path, most: usize) -> Found<Option<String>> {
    let file = fs::File::open(path).map_err(|why| unreadable(path, why))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|why| unreadable(path, why))?;
    if bytes.len() > most {
        return Ok(None);
    }
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| FolderError::NoText { path: path.into() })
}

/// The file itself, or the files in the folder, ordered.
fn files(root: &Path) -> Found<Vec<PathBuf>> {
    let told = fs::metadata(root).map_err(|why| unreadable(root, why))?;
    if !told.is_dir() {
        return Ok(vec![root.to_owned()]);
    }
    let mut found = Vec::new();
    look_into(root, MAX_LEVELS, &mut found)?;
    found.sort();
    Ok(found)
}

fn look_into(folder: &Path, levels: usize, found: &mut Vec<PathBuf>) -> Found<()> {
    let too_much = |most, what| FolderError::TooMuch { path: folder.into(), most, what };
    if levels == 0 {
        return Err(too_much(MAX_LEVELS, "levels of folders"));
    }
    let entries = fs::read_dir(folder).map_err(|why| unreadable(folder, why))?;
    for entry in entries {
        let entry = entry.map_err(|why| unreadable(folder, why))?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().map_err(|why| unreadable(&path, why))?;
        if kind.is_dir() {
            look_into(&path, levels - 1, found)?;
        } else if is_document(&path) && path.is_file() {
            found.push(path);
        }
        if found.len() > MAX_DOCUMENT_FILES {
            return Err(too_much(MAX_DOCUMENT_FILES, "files"));
        }
    }
    Ok(())
}

fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

fn unreadable(path: &Path, why: io::Error) -> FolderError {
    FolderError::Unreadable { path: path.into(), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let read = Folder::new(folder).read().unwrap();
        let name = |file: &TextFile| {
            file.name.strip_prefix(&format!("{}/", folder.display())).unwrap().to_owned()
        };
        read.iter().map(name).collect()
    }

    #[test]
    fn yaml_files_are_read_in_the_order_of_their_names_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for name in ["b.yaml", "a/z.yml", ".git/x.yaml", "readme.md", ".hidden.yaml"] {
            write(path, name, "");
        }
        symlink("/", path.join("everything")).unwrap();
        symlink(path, path.join("circle")).unwrap();
        assert_eq!(names(path), ["a/z.yml", "b.yaml"]);
    }

    #[test]
    fn files_that_are_links_are_followed_as_in_a_mounted_config_map() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "..1/a.yaml", "one");
        symlink("..1", folder.path().join("..data")).unwrap();
        symlink("..data/a.yaml", folder.path().join("a.yaml")).unwrap();
        assert_eq!(names(folder.path()), ["a.yaml"]);
    }

    #[test]
    fn a_swapped_link_is_another_state() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "one/a.yaml", "same");
        write(folder.path(), "two/a.yaml", "same");
        let link = folder.path().join("current");
        symlink("one", &link).unwrap();
        let documents = Folder::new(&link);
        let before = documents.stamp().unwrap();
        assert_eq!(documents.stamp().unwrap(), before);
        let next = folder.path().join("next");
        symlink("two", &next).unwrap();
        fs::rename(&next, &link).unwrap();
        assert_ne!(documents.stamp().unwrap(), before);
    }

    #[test]
    fn what_is_not_there_or_no_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Folder::new(folder.path().join("none")).read().unwrap_err();
        assert!(missing.to_string().contains("none"), "{missing}");
        fs::write(folder.path().join("a.yaml"), [0xff, 0xfe, b'a']).unwrap();
        let error = Folder::new(folder.path()).read().unwrap_err().to_string();
        assert!(error.ends_with("a.yaml is not text in UTF-8"), "{error}");
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused_without_being_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        fs::write(&file, "12345").unwrap();
        assert_eq!(text(&file, 5).unwrap().as_deref(), Some("12345"));
        assert_eq!(text(&file, 4).unwrap(), None);
    }
}

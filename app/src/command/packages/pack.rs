//! A folder as a package's blob: the same files make the same bytes, wherever and whenever.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use groundcontrol_core::limits::MAX_BLOB;
use groundcontrol_core::packages::{BlobHash, Entry, PackageName};
use serde::Deserialize;
use sha2::{Digest as _, Sha512};
use tar::{EntryType, Header};

use super::source::Package;

/// When all files were changed last, as npm writes it: 26 October 1985.
const CHANGED: u64 = 499_162_500;

/// What is read of a `package.json`.
#[derive(Deserialize)]
struct Described {
    name: Option<String>,
    version: Option<String>,
}

/// All packages in `folder`, or in the `node_modules` in it, packed into `staging`.
pub(super) fn packages_in(folder: &Path, staging: &Path) -> anyhow::Result<Vec<Package>> {
    let modules = folder.join("node_modules");
    let root = if modules.is_dir() { modules } else { folder.to_owned() };
    if !root.ends_with("node_modules") && root.join("package.json").is_file() {
        let name = described(&root)?.name;
        let name = name.with_context(|| format!("{}/package.json has no name", root.display()))?;
        return Ok(vec![package(&name, &root, staging)?]);
    }
    let mut found = Vec::new();
    for (name, path) in folders(&root)? {
        if name.starts_with('@') {
            for (inner, path) in folders(&path)? {
                found.push(package(&format!("{name}/{inner}"), &path, staging)?);
            }
        } else {
            found.push(package(&name, &path, staging)?);
        }
    }
    if found.is_empty() {
        bail!("{} holds no packages: it has no folder with a package.json", root.display());
    }
    Ok(found)
}

/// The folders in `root` that are not hidden, by name.
fn folders(root: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let doing = || format!("cannot read {}", root.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(root).with_context(doing)? {
        let path = entry.with_context(doing)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let name = name.with_context(|| format!("{} is no name in UTF-8", path.display()))?;
        if !name.starts_with('.') && path.is_dir() {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}

fn described(folder: &Path) -> anyhow::Result<Described> {
    let path = folder.join("package.json");
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot understand {}", path.display()))
}

fn package(name: &str, folder: &Path, staging: &Path) -> anyhow::Result<Package> {
    let checked: PackageName =
        name.parse().with_context(|| format!("{} cannot be a package", folder.display()))?;
    let version = described(folder)?.version;
    let version =
        version.with_context(|| format!("{}/package.json has no version", folder.display()))?;
    let bytes = packed(folder)?;
    if bytes.len() > MAX_BLOB {
        let (megabytes, most) = (bytes.len() / 1_048_576, MAX_BLOB / 1_048_576);
        bail!("{name} has {megabytes} MiB when packed; at most {most} MiB are allowed");
    }
    let blob = BlobHash::of(&bytes);
    let integrity = format!("sha512-{}", STANDARD.encode(Sha512::digest(&bytes)));
    let path = staging.join(blob.to_string());
    fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    let entry = Entry {
        name: checked,
        version: version.parse().with_context(|| format!("the version of {name}"))?,
        integrity: integrity.parse()?,
        blob,
    };
    Ok(Package { entry, path, bytes: bytes.len() as u64 })
}

/// A gzipped tar of `folder`, as `package/…`.
fn packed(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let doing = || format!("cannot pack {}", folder.display());
    let encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let mut archive = tar::Builder::new(encoder);
    append(&mut archive, folder, Path::new("package")).with_context(doing)?;
    let encoder: GzEncoder<Vec<u8>> = archive.into_inner().with_context(doing)?;
    encoder.finish().with_context(doing)
}

/// The files below `folder` in the order of their names. `.bin` holds links to what is there anyway.
fn append(
    archive: &mut tar::Builder<impl Write>,
    folder: &Path,
    place: &Path,
) -> anyhow::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, place) = (entry.path(), place.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if entry.file_name() != ".bin" {
                append(archive, &path, &place)?;
            }
        } else if kind.is_file() {
            append_file(archive, &path, &place)?;
        } else {
            bail!("{} is a link or a device: a package holds files and folders", path.display());
        }
    }
    Ok(())
}

fn append_file(
    archive: &mut tar::Builder<impl Write>,
    path: &Path,
    place: &Path,
) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let about = file.metadata()?;
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(if is_executable(&about) { 0o755 } else { 0o644 });
    header.set_mtime(CHANGED);
    header.set_size(about.len());
    Ok(archive.append_data(&mut header, place, file)?)
}

fn is_executable(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::archive::{Budget, Member, visit};

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let root = tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    fn found(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
        let staging = tempdir().unwrap();
        let found = packages_in(root, staging.path())?;
        let names = found.iter().map(|package| {
            assert_eq!(BlobHash::of(&fs::read(&package.path).unwrap()), package.entry.blob);
            (package.entry.name.to_string(), package.entry.version.to_string())
        });
        Ok(names.collect())
    }

    fn version(version: &str) -> String {
        format!(r#"{{"name": "whatever", "version": "{version}"}}"#)
    }

    fn paths(bytes: &[u8]) -> Vec<String> {
        let mut paths = Vec::new();
        let mut budget = Budget { bytes: 1_000_000, files: 100 };
        visit(bytes, &mut budget, |member| {
            if let Member::File(path, ..) = member {
                paths.push(path.display().to_string());
            }
            Ok(())
        })
        .unwrap();
        paths
    }

    #[test]
    fn packages_are_known_by_their_folder_with_the_version_that_they_say() {
        let (one, two) = (version("1.0.0"), version("2.0.0"));
        let root = folder(&[
            ("left-pad/package.json", &one),
            ("@scope/b/package.json", &two),
            (".bin/x", ""),
            ("readme.txt", ""),
        ]);
        let expected = [("@scope/b", "2.0.0"), ("left-pad", "1.0.0")];
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(found(root.path()).unwrap(), expected);
    }

    #[test]
    fn the_node_modules_of_a_project_are_its_packages() {
        let root = folder(&[
            ("package.json", &version("9.0.0")),
            ("node_modules/a/package.json", &version("1.0.0")),
        ]);
        let expected = [("a".to_owned(), "1.0.0".to_owned())];
        assert_eq!(found(root.path()).unwrap(), expected);
        assert_eq!(found(&root.path().join("node_modules")).unwrap(), expected);
    }

    #[test]
    fn the_same_files_make_the_same_bytes_whenever_they_were_written() {
        let files = [("package.json", r#"{"version": "1"}"#), ("lib/b.js", "b"), ("a.js", "a")];
        let (one, other) = (folder(&files), folder(&files));
        let changed = File::open(other.path().join("a.js")).unwrap();
        changed.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let bytes = packed(one.path()).unwrap();
        assert_eq!(bytes, packed(other.path()).unwrap());
        assert_eq!(paths(&bytes), ["a.js", "lib/b.js", "package.json"]);
    }

    #[test]
    fn links_to_commands_are_left_out_and_any_other_link_is_refused() {
        let root = folder(&[("a/package.json", &version("1"))]);
        let bin = root.path().join("a/node_modules/.bin");
        fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink("/bin/sh", bin.join("sh")).unwrap();
        assert_eq!(found(root.path()).unwrap().len(), 1);
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("a/passwd")).unwrap();
        let error = format!("{:#}", found(root.path()).unwrap_err());
        assert!(error.contains("a/passwd is a link"), "{error}");
    }

    #[test]
    fn what_is_no_package_is_named() {
        for (files, said) in [
            (vec![("a/index.js", "")], "a/package.json"),
            (vec![("a/package.json", "{}")], "has no version"),
            (vec![("a b/package.json", "{}")], "a b cannot be a package"),
            (vec![("readme.txt", "")], "holds no packages"),
        ] {
            let error = format!("{:#}", found(folder(&files).path()).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
    }
}

//! A package-lock.json with the blobs that npm has in its cache. Nothing is asked of the network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundcontrol_core::limits::MAX_BLOB;
use groundcontrol_core::packages::{BlobHash, Entry};
use serde::Deserialize;
use sha2::{Digest as _, Sha512};

use super::source::Package;

const MODULES: &str = "node_modules/";

/// A package-lock.json of version 2 or 3.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PackageLock {
    lockfile_version: Option<u32>,
    packages: Option<BTreeMap<String, Locked>>,
}

/// One package in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Locked {
    version: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    in_bundle: bool,
}

/// All packages of a package-lock.json, and what is to be said about those that were left out.
pub(super) fn packages_of(
    lock: &Path,
    cache: &Path,
) -> anyhow::Result<(Vec<Package>, Vec<String>)> {
    let text = fs::read(lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let lock: PackageLock = serde_json::from_slice(&text)
        .with_context(|| format!("cannot understand {}", lock.display()))?;
    let Some(packages) = lock.packages else {
        let version = lock.lockfile_version.unwrap_or(1);
        bail!(
            "a package-lock.json of version {version} does not say enough; make one of version 3: \
             npm install --package-lock-only --lockfile-version 3"
        );
    };
    let mut in_order: Vec<_> = packages.iter().filter(|(path, _)| !path.is_empty()).collect();
    // What is at the top is what scripts import.
    in_order.sort_by_key(|(path, _)| (path.matches(MODULES).count(), *path));
    let (mut found, mut notes, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (path, locked) in in_order {
        let Some((_, name)) = path.rsplit_once(MODULES) else {
            notes.push(format!("{path} is left out: it is part of the project, not installed"));
            continue;
        };
        if locked.link || locked.in_bundle {
            continue;
        }
        if locked.dev {
            notes.push(format!("{name} is left out: it is for development"));
            continue;
        }
        match package(name, locked, cache) {
            Ok(package) => {
                if known.insert((name, package.entry.version.to_string())) {
                    found.push(package);
                }
            }
            Err(why) if locked.optional => {
                notes.push(format!("{name} is left out: it is optional, and {why:#}"));
            }
            Err(why) => return Err(why.context(format!("cannot publish {name}"))),
        }
    }
    ensure!(!found.is_empty(), "the package-lock.json names no packages");
    Ok((found, notes))
}

fn package(name: &str, locked: &Locked, cache: &Path) -> anyhow::Result<Package> {
    let version = locked.version.as_deref().context("it has no version")?;
    let integrity = locked.integrity.as_deref().context(
        "it has no integrity: packages from git or a folder are published with their folder",
    )?;
    let sha512 = integrity.split_whitespace().find_map(|one| one.strip_prefix("sha512-"));
    let sha512 = sha512.context("its integrity is no sha512; install it with a current npm")?;
    let expected = STANDARD.decode(sha512).context("its integrity is no base64")?;
    let path = content(cache, &expected);
    let bytes = fs::read(&path).with_context(|| {
        format!("it is not in npm's cache ({}); run npm install first", path.display())
    })?;
    ensure!(Sha512::digest(&bytes).as_slice() == expected, "{} is damaged", path.display());
    ensure!(
        bytes.len() <= MAX_BLOB,
        "it has {} bytes; at most {MAX_BLOB} are allowed",
        bytes.len()
    );
    let entry = Entry {
        name: name.parse()?,
        version: version.parse().context("its version")?,
        integrity: integrity.parse().context("its integrity")?,
        blob: BlobHash::of(&bytes),
    };
    Ok(Package { entry, path, bytes: bytes.len() as u64 })
}

/// Where npm keeps what has this hash.
fn content(cache: &Path, sha512: &[u8]) -> PathBuf {
    let hex: String = sha512.iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, rest) = hex.split_at(hex.len().min(2));
    let (second, rest) = rest.split_at(rest.len().min(2));
    let nested = cache.join("_cacache");
    let cache = if nested.is_dir() { nested } else { cache.to_owned() };
    cache.join("content-v2/sha512").join(first).join(second).join(rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::archive::tests::package as blob_of;

    type Named = Vec<(String, String)>;

    struct Project(TempDir);

    impl Project {
        fn new() -> Self {
            let root = tempdir().unwrap();
            fs::create_dir(root.path().join("_cacache")).unwrap();
            Self(root)
        }

        /// Puts a package into the cache; answers its integrity.
        fn cached(&self, content: &str) -> String {
            let bytes = blob_of(&[("package/index.js", content)]);
            let hash = Sha512::digest(&bytes);
            let path = super::content(self.0.path(), &hash);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
            format!("sha512-{}", STANDARD.encode(hash))
        }

        /// Names and versions of the packages, and what is worth a note.
        fn packages(&self, lock: &serde_json::Value) -> anyhow::Result<(Named, Vec<String>)> {
            let path = self.0.path().join("package-lock.json");
            fs::write(&path, lock.to_string()).unwrap();
            let (found, notes) = packages_of(&path, self.0.path())?;
            let named = |one: &Package| (one.entry.name.to_string(), one.entry.version.to_string());
            Ok((found.iter().map(named).collect(), notes))
        }
    }

    fn locked(version: &str, integrity: &str) -> serde_json::Value {
        json!({"version": version, "integrity": integrity, "resolved": "https://elsewhere/x.tgz"})
    }

    #[test]
    fn what_is_at_the_top_comes_before_what_is_nested() {
        let project = Project::new();
        let [old, new, other] = ["old", "new", "other"].map(|content| project.cached(content));
        let lock = json!({"lockfileVersion": 3, "packages": {
            "": {"name": "project"},
            "node_modules/@a/z/node_modules/left-pad": locked("1.0.0", &old),
            "node_modules/left-pad": locked("2.0.0", &new),
            "node_modules/@a/z": locked("3.0.0", &other),
            "node_modules/@a/y/node_modules/left-pad": locked("2.0.0", &new),
        }});
        let (found, notes) = project.packages(&lock).unwrap();
        let expected = [("@a/z", "3.0.0"), ("left-pad", "2.0.0"), ("left-pad", "1.0.0")];
        assert_eq!(found, expected.map(|(name, version)| (name.into(), version.into())));
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn what_is_for_development_or_optional_and_absent_is_left_out() {
        let project = Project::new();
        let there = project.cached("there");
        let absent = format!("sha512-{}", STANDARD.encode([7; 64]));
        let mut dev = locked("1.0.0", &absent);
        dev["dev"] = json!(true);
        let mut optional = locked("1.0.0", &absent);
        optional["optional"] = json!(true);
        let lock = json!({"lockfileVersion": 2, "packages": {
            "node_modules/a": locked("1.0.0", &there), "node_modules/b": dev,
            "node_modules/c": optional, "node_modules/d": {"link": true},
            "workspaces/d": {"version": "1.0.0"},
        }});
        let (found, notes) = project.packages(&lock).unwrap();
        assert_eq!(found, [("a".to_owned(), "1.0.0".to_owned())]);
        assert_eq!(notes.len(), 3, "{notes:?}");
    }

    #[test]
    fn what_cannot_be_published_is_named_with_what_to_do() {
        let project = Project::new();
        let absent = format!("sha512-{}", STANDARD.encode([7; 64]));
        let damaged = project.cached("damaged");
        let path = {
            let hash = STANDARD.decode(damaged.trim_start_matches("sha512-")).unwrap();
            super::content(project.0.path(), &hash)
        };
        fs::write(path, "other").unwrap();
        for (one, said) in [
            (locked("1.0.0", &absent), "run npm install first"),
            (locked("1.0.0", &damaged), "is damaged"),
            (locked("1.0.0", "sha1-AAAA"), "no sha512"),
            (json!({"version": "1.0.0"}), "with their folder"),
        ] {
            let lock = json!({"lockfileVersion": 3, "packages": {"node_modules/a": one}});
            let error = format!("{:#}", project.packages(&lock).unwrap_err());
            assert!(error.contains(said) && error.contains("cannot publish a"), "{error}");
        }
        let old = json!({"lockfileVersion": 1, "dependencies": {}});
        let error = project.packages(&old).unwrap_err().to_string();
        assert!(error.contains("--lockfile-version 3"), "{error}");
    }
}

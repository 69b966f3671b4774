//! Secrets as files of a folder, as Docker, Kubernetes and systemd mount them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use groundcontrol_core::limits::MAX_SECRET_VALUE;
use groundcontrol_core::ports::{SecretError, SecretSource};
use groundcontrol_core::secrets::{SecretName, SecretValue, Secrets};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::value_of;

const HOW: &str = "write the file in the folder of secrets";

/// One file a secret, called as the secret is. One line end at the end of a file is not part of the
/// value. Files are opened each time: links that are swapped, as Kubernetes does, are followed.
#[derive(Clone, Debug)]
pub struct DirSecrets {
    folder: PathBuf,
}

impl DirSecrets {
    /// The files of `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Whether the folder can be read.
    pub fn check(&self) -> Result<(), SecretError> {
        names(&self.folder).map(drop)
    }
}

#[async_trait]
impl SecretSource for DirSecrets {
    async fn resolve(&self, names: &BTreeSet<SecretName>) -> Result<Secrets, SecretError> {
        let (folder, names) = (self.folder.clone(), names.clone());
        off_thread(move || {
            names.into_iter().map(|name| read(&folder, &name).map(|value| (name, value))).collect()
        })
        .await
    }

    async fn names(&self) -> Result<BTreeSet<SecretName>, SecretError> {
        let folder = self.folder.clone();
        off_thread(move || names(&folder)).await
    }

    async fn put(&self, _: &SecretName, _: &SecretValue) -> Result<(), SecretError> {
        Err(SecretError::ReadOnly { how: HOW })
    }

    async fn delete(&self, _: &SecretName) -> Result<bool, SecretError> {
        Err(SecretError::ReadOnly { how: HOW })
    }
}

/// A file system may be far away.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(SecretError::Unavailable("reading the folder failed".to_owned())))
}

fn names(folder: &Path) -> Result<BTreeSet<SecretName>, SecretError> {
    let unavailable = |error: std::io::Error| {
        SecretError::Unavailable(format!("the folder {}: {error}", folder.display()))
    };
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(unavailable)? {
        let name = entry.map_err(unavailable)?.file_name();
        let Some(name) = name.to_str().and_then(|name| name.parse::<SecretName>().ok()) else {
            continue;
        };
        if std::fs::metadata(folder.join(name.as_str())).is_ok_and(|found| found.is_file()) {
            names.insert(name);
        }
    }
    Ok(names)
}

/// A name has neither dot nor slash, so that the file is in the folder.
fn read(folder: &Path, name: &SecretName) -> Result<SecretValue, SecretError> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => SecretError::NotFound(name.clone()),
        _ => SecretError::Unavailable(format!(
            "the file {}: {error}",
            folder.join(name.as_str()).display()
        )),
    };
    let path = folder.join(name.as_str());
    // Not opened before it is known to be a file: a pipe would be waited for.
    if !std::fs::metadata(&path).map_err(failed)?.is_file() {
        return Err(SecretError::NotFound(name.clone()));
    }
    let file = File::open(&path).map_err(failed)?;
    // The value, a line end, and one byte more, which tells that it is too long.
    const MOST: usize = MAX_SECRET_VALUE + 3;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    file.take(MOST as u64).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    value_of(name, bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn value(folder: &Path, name: &str) -> Result<String, SecretError> {
        read(folder, &name.parse().unwrap()).map(|value| value.expose().to_owned())
    }

    #[test]
    fn one_line_end_at_the_end_is_not_part_of_the_value() {
        let folder = tempfile::tempdir().unwrap();
        for (content, expected) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("\n", "")] {
            std::fs::write(folder.path().join("x"), content).unwrap();
            assert_eq!(value(folder.path(), "x").unwrap(), expected);
        }
    }

    #[test]
    fn links_that_are_swapped_are_followed_as_kubernetes_swaps_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for (version, content) in [("..one", "1"), ("..two", "2")] {
            std::fs::create_dir(path.join(version)).unwrap();
            std::fs::write(path.join(version).join("key"), content).unwrap();
        }
        symlink("..one", path.join("..data")).unwrap();
        symlink("..data/key", path.join("key")).unwrap();
        assert_eq!(value(path, "key").unwrap(), "1");
        symlink("..two", path.join("..next")).unwrap();
        std::fs::rename(path.join("..next"), path.join("..data")).unwrap();
        assert_eq!(value(path, "key").unwrap(), "2");
        let names: Vec<_> = names(path).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["key"]);
    }

    #[test]
    fn folders_and_what_is_no_text_are_no_secrets() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(folder.path().join("binary"), [0xff, 0xfe]).unwrap();
        assert!(matches!(value(folder.path(), "sub"), Err(SecretError::NotFound(_))));
        assert!(matches!(value(folder.path(), "binary"), Err(SecretError::Unusable { .. })));
    }

    #[test]
    fn a_folder_that_is_away_is_told() {
        let away = DirSecrets::new("/nowhere/at/all");
        let error = away.check().unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all"), "{error}");
    }
}

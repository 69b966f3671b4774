//! Unpacks a package without following links, leaving its folder or filling the disk.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::archive::{ArchiveError, Budget, Member, visit};

/// Unpacks a gzipped tar below `folder`, without the folder that all of it is in. `budget` is what
/// is left for this package and those after it.
pub(crate) fn unpack(blob: &[u8], folder: &Path, budget: &mut Budget) -> Result<(), ArchiveError> {
    fs::create_dir_all(folder)?;
    visit(blob, budget, |member| match member {
        Member::Folder(path) => Ok(fs::create_dir_all(folder.join(path))?),
        Member::File(path, mode, bytes) => {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut file = File::create(path)?;
            io::copy(bytes, &mut file)?;
            Ok(executable(&file, mode)?)
        }
    })
}

fn executable(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use tar::EntryType;
    use tempfile::tempdir;

    use super::*;
    use crate::archive::tests::{entry, package};

    const BUDGET: Budget = Budget { bytes: 1_000_000, files: 100 };

    #[test]
    fn files_come_out_without_their_first_folder() {
        let folder = tempdir().unwrap();
        let blob = package(&[("package/index.js", "1"), ("package/lib/a.js", "2")]);
        unpack(&blob, folder.path(), &mut BUDGET.clone()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("index.js")).unwrap(), "1");
        assert_eq!(fs::read_to_string(folder.path().join("lib/a.js")).unwrap(), "2");
    }

    #[test]
    fn what_is_refused_leaves_nothing_beside_its_folder() {
        for blob in [
            entry("../x", EntryType::Regular, b"x"),
            entry("/x", EntryType::Regular, b"x"),
            entry("package/x", EntryType::Symlink, b""),
        ] {
            let folder = tempdir().unwrap();
            let inside = folder.path().join("inside");
            assert!(unpack(&blob, &inside, &mut BUDGET.clone()).is_err());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}

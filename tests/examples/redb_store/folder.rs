//! A place for the stores of one test.

use std::path::Path;

use tempfile::TempDir;

/// In memory where there is such a place: some thousand commits need not wait for a disk, and
/// what `kill -9` leaves behind is the same.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    made.expect("a temporary folder can be made")
}

//! Where the binary is.

use std::path::PathBuf;

/// The `groundcontrol` binary under test: `GROUNDCONTROL_BIN`, or the one that was built beside
/// this test.
///
/// # Panics
/// Where there is none, with what to do about it.
pub fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("GROUNDCONTROL_BIN") {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "GROUNDCONTROL_BIN={} is no file", named.display());
        return named;
    }
    let test = std::env::current_exe().expect("a test knows its own path");
    // target/debug/deps/e2e-… → target/debug/groundcontrol
    let folders = test.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join("groundcontrol")).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "there is no groundcontrol binary near {}: build it with `cargo build --workspace \
             --all-features --bins`, name it in GROUNDCONTROL_BIN, or run `tests/run e2e`",
            test.display()
        )
    })
}

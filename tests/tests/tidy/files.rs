//! What holds of every file.

use crate::tree;

/// What stands in the project's own folder, and nothing else.
const TOP: &[&str] = &[
    ".cargo/",
    ".ci/",
    ".editorconfig",
    ".gitattributes",
    ".github/",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "adapters/",
    "app/",
    "clippy.toml",
    "core/",
    "deny.toml",
    "fuzz/",
    "migrations/",
    "rustfmt.toml",
    "tests/",
];

/// Lines of the longest file.
const MAX_LINES: usize = 500;

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    let mut strange = tree::entries("");
    strange.retain(|name| !TOP.contains(&name.as_str()));
    assert!(strange.is_empty(), "not allowed at the top level: {strange:?}");
}

#[test]
fn every_rust_file_begins_by_saying_what_lives_there() {
    let silent: Vec<_> = tree::rust_files()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    assert!(silent.is_empty(), "these do not begin with `//! `: {silent:#?}");
}

#[test]
fn no_rust_file_is_longer_than_a_reader_can_hold() {
    let lines = |source: &tree::Source| source.text.lines().count();
    let long: Vec<_> = tree::rust_files()
        .iter()
        .filter(|source| lines(source) > MAX_LINES)
        .map(|source| format!("{}: {} lines", source.path, lines(source)))
        .collect();
    assert!(long.is_empty(), "longer than {MAX_LINES} lines: {long:#?}");
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    // Put together here, so that this file holds none of them.
    let marks = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let marks = marks.into_iter().chain([format!("#[{}", "ignore"), format!("FIX{}", "ME")]);
    let marks: Vec<String> = marks.collect();
    let mut found = Vec::new();
    for source in tree::rust_files() {
        for (at, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", source.path, at + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "unfinished or switched off: {found:#?}");
}

/// Where nothing else is said, seeds are kept in the folder `proptest-regressions` of the crate, but
/// for tests that stand outside of `src` they are not kept at all.
#[test]
fn every_property_test_keeps_the_seeds_of_its_failures_in_the_tree() {
    let begins = |line: &str| {
        ["proptest! {", "groundcontrol_core::prove_pods!("].iter().any(|it| line.starts_with(it))
    };
    let mut forgetful = tree::rust_files();
    forgetful.retain(|source| !source.path.contains("/src/"));
    forgetful.retain(|source| source.text.lines().any(|line| begins(line.trim_start())));
    assert!(forgetful.len() > 3, "the property tests are not found");
    forgetful.retain(|source| {
        !source.text.contains(r#"FileFailurePersistence::WithSource("regressions")"#)
    });
    let forgetful: Vec<_> = forgetful.into_iter().map(|source| source.path).collect();
    assert!(forgetful.is_empty(), "these do not say where seeds are kept: {forgetful:#?}");
}

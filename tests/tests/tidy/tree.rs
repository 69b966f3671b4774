//! The files of the project, as the other checks read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that builds, runs and Git make, and that nobody wrote.
const MADE: &[&str] = &[".git", "target", "groundcontrol-data", "mutants.out"];

/// A file with its text.
pub(crate) struct Source {
    /// Relative to the project, with `/`.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    let testkit = Path::new(env!("CARGO_MANIFEST_DIR"));
    testkit.parent().expect("the testkit lies in the project").to_owned()
}

/// Whether `path`, relative to the project, exists.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// The text of a file that must exist.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names in a folder, sorted; folders end with `/`. What nobody wrote is left out.
pub(crate) fn entries(folder: &str) -> Vec<String> {
    let read = fs::read_dir(root().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let mut names: Vec<String> = read
        .map(|entry| entry.expect("a folder can be read"))
        .map(|entry| {
            let name = entry.file_name().into_string().expect("names are UTF-8");
            if entry.path().is_dir() { format!("{name}/") } else { name }
        })
        .filter(|name| !MADE.contains(&name.trim_end_matches('/')))
        .collect();
    names.sort();
    names
}

/// All Rust files.
pub(crate) fn rust_files() -> Vec<Source> {
    rust_files_below("")
}

/// The Rust files below a folder.
pub(crate) fn rust_files_below(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for name in entries(folder) {
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        match path.strip_suffix('/') {
            Some(inner) => found.extend(rust_files_below(inner)),
            None if path.ends_with(".rs") => {
                let text = read(&path);
                found.push(Source { path, text });
            }
            None => {}
        }
    }
    found
}

/// The folders of all crates.
pub(crate) fn crates() -> Vec<String> {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let members = manifest["workspace"]["members"].as_array().expect("members are a list");
    let mut crates = Vec::new();
    for member in members.iter().filter_map(toml::Value::as_str) {
        match member.strip_suffix("/*") {
            None => crates.push(member.to_owned()),
            Some(folder) => crates.extend(
                entries(folder)
                    .iter()
                    .map(|name| format!("{folder}/{}", name.trim_end_matches('/'))),
            ),
        }
    }
    if exists("fuzz/Cargo.toml") {
        crates.push("fuzz".to_owned());
    }
    crates
}

/// A crate's manifest.
pub(crate) fn manifest(folder: &str) -> toml::Table {
    read(&format!("{folder}/Cargo.toml")).parse().expect("Cargo.toml is TOML")
}

/// The lines of code with their numbers: no comments, and nothing from `#[cfg(test)] mod` on.
pub(crate) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let numbered = text[..end].lines().enumerate().map(|(at, line)| (at + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

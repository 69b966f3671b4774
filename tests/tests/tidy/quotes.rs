//! What the documentation quotes is there: Rust that compiles, files, planted bugs, variables.

use crate::tree;

/// A fenced block of Rust: where it is, and its lines without indentation.
struct Block {
    at: String,
    lines: Vec<String>,
}

fn blocks(page: &str) -> Vec<Block> {
    let text = tree::read(page);
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if inside && line == "```" {
            inside = false;
        } else if inside {
            blocks.last_mut().expect("a block is open").lines.push(line.to_owned());
        } else if line.starts_with("```rust") {
            inside = true;
            blocks.push(Block { at: format!("{page}:{}", number + 1), lines: Vec::new() });
        }
    }
    blocks
}

/// What is wrong with a block; none where it names a file that has its lines, one after another.
fn fault(block: &Block) -> Option<String> {
    let at = &block.at;
    let (first, quoted) = block.lines.split_first()?;
    let Some(path) = first.strip_prefix("// ").filter(|path| tree::exists(path)) else {
        return Some(format!("{at} begins with {first:?}, which is no `// path/of/a/file.rs`"));
    };
    let source = tree::read(path);
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let found = lines.windows(quoted.len().max(1)).any(|window| window == quoted);
    (!found).then(|| format!("{at} is not in {path}"))
}

#[test]
fn every_block_of_rust_in_the_documentation_is_in_the_file_that_it_names() {
    let pages = ["ARCHITECTURE.md", "README.md", "tests/README.md", "fuzz/README.md"];
    let blocks: Vec<_> = pages.into_iter().flat_map(blocks).collect();
    assert!(!blocks.is_empty(), "ARCHITECTURE.md quotes how to bring an adapter");
    let faults: Vec<_> = blocks.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The words between backticks outside of blocks.
fn quoted_words(page: &str) -> Vec<String> {
    let text = tree::read(page);
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

fn is_path(word: &str) -> bool {
    let folders = ["core/", "adapters/", "app/", "tests/", "fuzz/", "migrations/"];
    folders.iter().any(|folder| word.starts_with(folder)) && !word.contains([' ', '…', '*'])
}

/// The name of a planted bug: at least two words in camel case.
fn is_camel(word: &str) -> bool {
    let capitals = word.chars().filter(char::is_ascii_uppercase).count();
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_alphanumeric())
        && capitals > 1
        && capitals < word.len() / 2
}

/// The name of a variable that has a value: `NAME=1`.
fn variable(word: &str) -> Option<&str> {
    let (name, _) = word.split_once('=')?;
    let shouted = |c: char| c.is_ascii_uppercase() || c == '_';
    (!name.is_empty() && name.chars().all(shouted)).then_some(name)
}

#[test]
fn the_page_about_the_tests_names_files_bugs_and_variables_that_are_there() {
    let sources = tree::rust_files();
    let in_code = |text: &str| sources.iter().any(|source| source.text.contains(text));
    // proptest reads it, and no code of this project.
    let elsewhere = ["PROPTEST_CASES"];
    let mut missing = quoted_words("tests/README.md");
    missing.retain(|word| match variable(word) {
        Some(name) => !elsewhere.contains(&name) && !in_code(&format!("\"{name}\"")),
        None if is_path(word) => !tree::exists(word),
        None => is_camel(word) && !in_code(&format!("Self::{word},")),
    });
    assert!(missing.is_empty(), "tests/README.md names what is not there: {missing:#?}");
}

//! Rust in the documentation is Rust that compiles: each block names a file and quotes it.

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

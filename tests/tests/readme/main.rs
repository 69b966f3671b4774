//! Every command in README.md, in its order, does what the page says.
//!
//! The commands of `sh` blocks are run in one empty folder. A comment `<!-- shows: … -->` behind a
//! block, which readers of the page don't see, says what the block's output must contain. `ID`
//! stands for the id that was last shown; commands that stay (a server, an agent, a stream) run
//! on until the end. The binary under test takes the place of `cargo run --release --`.

mod page;
mod terminal;

use std::collections::BTreeSet;

use page::Block;
use terminal::Terminal;

fn readme() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test]
async fn every_command_does_what_the_page_says() {
    let blocks = page::blocks(&readme());
    assert!(blocks.len() > 10, "the page has {} blocks of commands", blocks.len());
    let mut terminal = Terminal::open();
    for Block { commands, shows } in blocks {
        let mut output = String::new();
        for command in &commands {
            output.push_str(&terminal.run(command, &shows).await);
        }
        for expected in &shows {
            let expected = terminal.here(expected);
            assert!(output.contains(&expected), "{commands:?} shows no {expected:?}:\n{output}");
        }
    }
    terminal.close().await;
}

/// The long flags that stand in a text as `--flag`.
fn flags(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let flags = words.filter(|word| word.starts_with("--") && word.len() > 2);
    flags.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_table_of_options_is_complete_and_names_nothing_else() {
    let binary = groundcontrol_testkit::server::binary();
    let help = std::process::Command::new(binary).args(["serve", "--help"]).output();
    let help = String::from_utf8(help.expect("the binary runs").stdout).expect("help is text");
    // Options begin their line; descriptions may mention any.
    let listed = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let mut known = flags(&listed.collect::<Vec<_>>().join("\n"));
    known.retain(|flag| !["--help", "--version"].contains(&flag.as_str()));

    let page = readme();
    let section = page.split("### Configuration").nth(1).expect("the page has the section");
    let rows = section.lines().filter(|line| line.starts_with("| `--"));
    let cells: Vec<_> = rows.filter_map(|row| row.split('|').nth(1)).collect();
    assert_eq!(flags(&cells.join(" ")), known);
}

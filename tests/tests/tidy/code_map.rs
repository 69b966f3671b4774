//! ARCHITECTURE.md against the tree: the code map, and the numbers of the rules.

use std::collections::BTreeSet;

use crate::tree;

/// The paths that the code map names, in its order. Two blanks of indentation are one level.
fn mapped() -> Vec<String> {
    let text = tree::read("ARCHITECTURE.md");
    let section = text.split("\n## Code map\n").nth(1).expect("ARCHITECTURE.md has a code map");
    let block = section.split("```").nth(1).expect("the code map is a fenced block");
    let mut open: Vec<&str> = Vec::new();
    let mut paths = Vec::new();
    for line in block.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let level = (line.len() - line.trim_start().len()) / 2;
        let name = line.split_whitespace().next().expect("the line is not blank");
        // A line that goes on from the one above begins with no path.
        if level > open.len() {
            continue;
        }
        open.truncate(level);
        open.push(name.trim_end_matches('/'));
        paths.push(open.join("/"));
    }
    paths
}

#[test]
fn every_path_in_the_code_map_exists() {
    let missing: Vec<_> = mapped().into_iter().filter(|path| !tree::exists(path)).collect();
    assert!(missing.is_empty(), "the code map names what is not there: {missing:#?}");
}

#[test]
fn every_crate_and_every_module_of_its_first_level_is_in_the_code_map() {
    let mapped: BTreeSet<String> = mapped().into_iter().collect();
    let mut expected: Vec<String> = tree::crates();
    for folder in tree::crates().iter().filter(|folder| tree::exists(&format!("{folder}/src"))) {
        for name in tree::entries(&format!("{folder}/src")) {
            let root = ["lib.rs", "main.rs"].contains(&name.as_str());
            // The steps of the schema only ever grow in number.
            let step = folder == "migrations" && name.starts_with("m0");
            if !root && !step {
                expected.push(format!("{folder}/src/{}", name.trim_end_matches('/')));
            }
        }
    }
    expected.retain(|path| !mapped.contains(path));
    assert!(expected.is_empty(), "the code map in ARCHITECTURE.md lacks: {expected:#?}");
}

/// The numbers that a list in ARCHITECTURE.md explains: its entries begin with `- **R1** `.
fn explained() -> BTreeSet<String> {
    let text = tree::read("ARCHITECTURE.md");
    let bold = text.lines().filter_map(|line| line.strip_prefix("- **"));
    bold.filter_map(|rest| rest.split("**").next())
        .map(str::to_owned)
        .filter(|n| is_rule(n))
        .collect()
}

fn is_rule(word: &str) -> bool {
    let mut chars = word.chars();
    let kind = chars.next().is_some_and(|first| "RSTEP".contains(first));
    let number = chars.as_str();
    kind && (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
}

#[test]
fn all_rules_and_properties_are_explained() {
    let all = [("R", 3), ("S", 5), ("T", 8), ("E", 4), ("P", 12)];
    let expected: BTreeSet<String> = all
        .iter()
        .flat_map(|(kind, last)| (1..=*last).map(move |n| format!("{kind}{n}")))
        .collect();
    assert_eq!(explained(), expected);
}

#[test]
fn every_rule_that_code_quotes_is_explained() {
    let explained = explained();
    let mut unknown = Vec::new();
    for source in tree::rust_files() {
        for (at, line) in source.text.lines().enumerate() {
            let Some(quoted) = quoted_rules(line) else { continue };
            let strange = quoted.filter(|word| is_rule(word) && !explained.contains(*word));
            unknown.extend(strange.map(|word| format!("{}:{}: {word}", source.path, at + 1)));
        }
    }
    assert!(unknown.is_empty(), "ARCHITECTURE.md does not explain: {unknown:#?}");
}

/// The words of a comment that speaks of rules.
fn quoted_rules(line: &str) -> Option<impl Iterator<Item = &str>> {
    let comment = line.trim_start().strip_prefix("//")?;
    let speaks = ["rule", "Rule", "propert", "Propert"].iter().any(|word| comment.contains(word));
    speaks.then(|| comment.split(|c: char| !c.is_ascii_alphanumeric()))
}

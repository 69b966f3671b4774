//! Every input that the fuzz targets start from, or found, replayed on stable.

use std::path::{Path, PathBuf};

fn inputs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.expect("a folder that can be read").path()).collect();
    files.sort();
    files
}

#[test]
fn no_input_of_the_corpus_breaks_its_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for (name, target) in groundcontrol_fuzz::TARGETS {
        let seeds = inputs(&fuzz.join("corpus").join(name));
        assert!(!seeds.is_empty(), "{name} has no corpus");
        for input in seeds.into_iter().chain(inputs(&fuzz.join("regressions").join(name))) {
            let data = std::fs::read(&input).unwrap();
            let kept = std::panic::catch_unwind(|| target(&data));
            assert!(kept.is_ok(), "{} breaks the target {name}", input.display());
        }
    }
}

#[test]
fn every_target_has_a_binary_of_its_name() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/targets");
    let mut named: Vec<_> = groundcontrol_fuzz::TARGETS
        .iter()
        .map(|(name, _)| targets.join(format!("{name}.rs")))
        .collect();
    named.sort();
    assert_eq!(inputs(&targets), named);
}

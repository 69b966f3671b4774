//! Every sequence of operations up to a depth, not a sample of them.
//!
//! What a step does depends on the state it is performed in and on nothing else, and two equal
//! [`Trial`]s have the same future; so sequences that lead to equal trials are continued once.
//! Every sequence is covered: each of its steps was performed in the state it leads to.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::collections::HashSet;

use groundcontrol_core::model::Trial;

mod alphabet;
use alphabet::ALPHABET;

const DEPTH: usize = 6;

#[test]
fn every_sequence_keeps_every_rule() {
    let depth = std::env::var("ENUMERATION_DEPTH").ok().map_or(DEPTH, |text| text.parse().unwrap());
    let mut frontier = vec![Trial::new()];
    let mut states = 1;
    for length in 1..=depth {
        frontier = continued(&frontier, length < depth);
        states += frontier.len();
    }
    let sequences = (ALPHABET.len() as f64).powi(depth as i32);
    println!("depth {depth}: {sequences:.2e} sequences through {states} distinct states");
}

/// The distinct trials one operation later, where they are wanted; each step is checked.
fn continued(frontier: &[Trial], wanted: bool) -> Vec<Trial> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = frontier.len().div_ceil(threads);
    let next = std::thread::scope(|scope| {
        let workers: Vec<_> = frontier
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().flat_map(|t| after(t, wanted)).collect()))
            .collect();
        let parts = workers.into_iter().map(|worker| worker.join().unwrap());
        parts.collect::<Vec<HashSet<Trial>>>()
    });
    next.into_iter().flatten().collect::<HashSet<_>>().into_iter().collect()
}

fn after(trial: &Trial, wanted: bool) -> Vec<Trial> {
    let mut next = Vec::new();
    for operation in ALPHABET {
        let mut after = trial.clone();
        if let Err(fault) = after.perform(*operation) {
            panic!("{fault}\nafter {operation:?} in {trial:#?}");
        }
        if wanted {
            next.push(after);
        }
    }
    next
}

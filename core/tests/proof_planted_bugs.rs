//! The checks fire: every bug that can be planted in the decisions is caught, and this prints by
//! which suite and for breaking which property.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use groundcontrol_core::model::{
    ERROR, Fault, Operation, PlantedBug, Property, Rules, SoundRules, Trial, operations,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

mod alphabet;
mod table;
use alphabet::ALPHABET;

const DEPTH: usize = 5;
const LISTS: u32 = 4_000;
const MOST_SKEW: i64 = ERROR.as_i64();

/// The first fault that breadth-first enumeration meets, and the length of the sequence to it.
fn by_enumeration(bug: PlantedBug) -> Option<(usize, Fault)> {
    let mut frontier = HashSet::from([Trial::with(bug)]);
    for length in 1..=DEPTH {
        let mut next = HashSet::new();
        for trial in &frontier {
            for operation in ALPHABET {
                let mut after = trial.clone();
                if let Err(fault) = after.perform(*operation) {
                    return Some((length, fault));
                }
                next.insert(after);
            }
        }
        frontier = next;
    }
    None
}

/// The fault of the shortest list that proptest finds, and its length.
fn by_lists(begin: &dyn Fn() -> Trial<PlantedBug>, skew: i64) -> Option<(usize, Fault)> {
    let config = Config { cases: LISTS, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let lists = vec((operations(), -skew..=skew), 0..24);
    let run = |list: &[(Operation, i64)]| {
        let mut trial = begin();
        list.iter()
            .try_for_each(|(operation, skew)| trial.perform_skewed(*operation, *skew).map(drop))
    };
    let found = runner
        .run(&lists, |list| run(&list).map_err(|fault| TestCaseError::fail(fault.to_string())));
    match found {
        Ok(()) => None,
        Err(TestError::Fail(_, list)) => run(&list).err().map(|fault| (list.len(), fault)),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn every_planted_bug_is_caught() {
    let tables = |rules: &dyn Rules| table::every_pair(rules) + &table::of_the_rules(rules);
    let sound = tables(&SoundRules);
    let mut report = format!(
        "{:<26} {:<16} {:<16} {:<16} {:<16} table
",
        "bug", "enumeration", "lists", "skewed lists", "properties alone"
    );
    let mut broken: BTreeMap<Property, BTreeSet<PlantedBug>> = BTreeMap::new();
    let mut missed = Vec::new();
    for bug in PlantedBug::ALL {
        let begin = || Trial::with(*bug);
        let finds = [
            by_enumeration(*bug),
            by_lists(&begin, 0),
            by_lists(&begin, MOST_SKEW),
            by_lists(&|| begin().by_properties_alone(), 0),
        ];
        write!(report, "{:<26}", format!("{bug:?}")).unwrap();
        for find in &finds {
            let cell = match find {
                Some((length, fault)) => format!("{} in {length}", fault.property),
                None => "–".to_owned(),
            };
            write!(report, " {cell:<16}").unwrap();
        }
        let in_table = tables(bug) != sound;
        writeln!(report, " {}", if in_table { "differs" } else { "–" }).unwrap();
        if finds.iter().all(Option::is_none) && !in_table {
            missed.push(*bug);
        }
        for (_, fault) in finds.into_iter().flatten() {
            broken.entry(fault.property).or_default().insert(*bug);
        }
    }
    println!("{report}");
    for (property, bugs) in &broken {
        println!("{property:<6} is broken by {bugs:?}");
    }
    assert_eq!(missed, [], "not caught by any suite");
    let broken: Vec<_> = broken.into_keys().collect();
    // P7 speaks of several pods, and P11 is that the others hold with skewed clocks.
    for property in ALWAYS {
        assert!(broken.contains(&property), "nothing breaks {property}");
    }
}

const ALWAYS: [Property; 14] = [
    Property::R1,
    Property::R2,
    Property::S1,
    Property::P1,
    Property::P2,
    Property::P3,
    Property::P4,
    Property::P5,
    Property::P6,
    Property::P8,
    Property::P9,
    Property::P10,
    Property::P12,
    Property::Table,
];

#[test]
fn a_sound_machine_passes_where_the_bugs_are_caught() {
    let mut trial = Trial::new();
    let list = [Operation::CONNECT, Operation::SILENCE, Operation::Sweep, Operation::HEARTBEAT];
    assert_eq!(trial.perform_all(&list), Ok(()));
}

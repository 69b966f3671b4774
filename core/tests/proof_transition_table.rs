//! The transition table over every (state, input) pair, as text: a change to a rule shows up as
//! a change to a table.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use groundcontrol_core::model::SoundRules;

mod table;

#[test]
fn the_whole_table_is_as_it_was() {
    insta::assert_snapshot!("every_pair", table::every_pair(&SoundRules));
}

#[test]
fn the_table_of_the_rules_is_as_it_was() {
    insta::assert_snapshot!("rules", table::of_the_rules(&SoundRules));
}

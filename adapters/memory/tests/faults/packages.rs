//! Every fault of a store of packages is caught by the cases that are about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use groundcontrol_core::conformance::{self, Fixture, Report, WorkAdapter};
use groundcontrol_memory::MemoryStore;

use crate::faulty::Faulty;
use crate::named::{Named, check};
use crate::package_fault::PackageFault as Fault;

const AT_FIRST: (&str, &str) = ("desired", "nothing_is_desired_at_first");
const TO_THE_LETTER: (&str, &str) = ("desired", "a_lockfile_that_is_set_is_read_to_the_letter");
const CLEARED: (&str, &str) = ("desired", "to_want_no_packages_is_a_change_too");
const IN_PLACE: (&str, &str) =
    ("conditional", "a_lockfile_is_set_only_in_place_of_the_one_that_was_read");
const AT_ONCE: (&str, &str) = ("conditional", "of_two_publishers_at_once_one_is_overtaken");
const MISSING: (&str, &str) =
    ("conditional", "a_lockfile_whose_blobs_are_not_all_held_changes_nothing");
const HELD: (&str, &str) = ("blobs", "a_blob_that_is_held_is_told_to_whoever_wants_it");
const FIRST_UPLOAD: (&str, &str) = ("blobs", "the_first_upload_of_a_blob_stays");
const KEY: (&str, &str) = ("key", "a_blob_is_found_by_its_key_in_the_desired_lockfile_first");
const KEPT: (&str, &str) = ("kept", "what_the_desired_lockfile_names_is_never_forgotten");
const FORGOTTEN: (&str, &str) =
    ("forget", "what_nobody_names_or_wants_is_forgotten_after_its_time");
const REPLACED: (&str, &str) =
    ("forget", "a_lockfile_that_was_replaced_keeps_its_blobs_for_a_while");
const AGAIN: (&str, &str) = ("forget", "a_lockfile_that_is_desired_again_is_kept");
const UNHELD: (&str, &str) = ("unheld", "names_of_other_uploads_are_told_from_those_that_count");
const SAID: (&str, &str) =
    ("sync", "of_what_a_satellite_says_the_latest_holds_until_it_is_removed");
const LISTED: (&str, &str) = ("sync", "sync_states_are_listed_in_the_order_of_ids");
const CRASH: (&str, &str) = ("durable", "all_of_it_is_there_after_a_crash");

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (Fault::SinceAlways, &[AT_FIRST]),
    (Fault::SortsVersions, &[TO_THE_LETTER]),
    (Fault::IgnoresExpected, &[IN_PLACE, AT_ONCE]),
    (Fault::OvertakenByNothing, &[IN_PLACE, AT_ONCE]),
    (Fault::PublishesHalf, &[MISSING]),
    (Fault::TellsOneMissing, &[MISSING]),
    (Fault::RestampsRepetitions, &[CLEARED, IN_PLACE]),
    (Fault::ForgetsReplaced, &[CLEARED, REPLACED]),
    (Fault::AnswersInAnotherOrder, &[HELD]),
    (Fault::LeavesOut, &[AT_FIRST, HELD, FORGOTTEN, REPLACED]),
    (Fault::WantingKeepsNothing, &[FORGOTTEN]),
    (Fault::LastUploadCounts, &[FIRST_UPLOAD]),
    (Fault::FirstKeyStays, &[KEY]),
    (Fault::ForgetsDesired, &[KEPT, REPLACED, AGAIN]),
    (Fault::ForgetsDesiredAgain, &[AGAIN]),
    (Fault::NeverForgets, &[FORGOTTEN, REPLACED, AGAIN]),
    (Fault::ForgetsAtItsTime, &[FORGOTTEN, REPLACED]),
    (Fault::UnheldByHash, &[UNHELD]),
    (Fault::ListensToStrangers, &[SAID]),
    (Fault::StatesOutlive, &[SAID]),
    (Fault::FirstWordStays, &[SAID]),
    (Fault::ListsBackwards, &[LISTED]),
    (Fault::PagesOverlap, &[LISTED]),
    (Fault::ForgetsInCrash, &[CRASH]),
];

async fn report(fault: Fault) -> Report {
    conformance::package_store(|| async move {
        let kept = MemoryStore::new();
        let store: Arc<dyn WorkAdapter> = Arc::new(Faulty::of_packages(kept.clone(), fault));
        Fixture::from(store).reopened_by(move || {
            let inner = match fault {
                Fault::ForgetsInCrash => MemoryStore::new(),
                _ => kept.clone(),
            };
            let store: Arc<dyn WorkAdapter> = Arc::new(Faulty::of_packages(inner, fault));
            async { store }
        })
    })
    .await
}

#[tokio::test]
async fn every_fault_of_a_package_store_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}

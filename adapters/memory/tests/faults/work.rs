//! Every fault of the work's ports is caught by the case that is about it.

use std::sync::Arc;

use groundcontrol_core::conformance::{self, Fixture, Outcome, Report, WorkAdapter};
use groundcontrol_memory::MemoryStore;

use crate::faulty::Faulty;
use crate::work_fault::WorkFault;

/// Which suite.
#[derive(Clone, Copy)]
enum Suite {
    WorkStore,
    AssignmentSource,
    RevisionStore,
    RunStore,
}

async fn report(suite: Suite, fault: WorkFault) -> Report {
    let make = || async move {
        let kept = MemoryStore::new();
        let store: Arc<dyn WorkAdapter> = Arc::new(Faulty::of_work(kept.clone(), fault));
        Fixture::from(store).reopened_by(move || {
            let inner = match fault {
                WorkFault::ForgetsInCrash => MemoryStore::new(),
                _ => kept.clone(),
            };
            let store: Arc<dyn WorkAdapter> = Arc::new(Faulty::of_work(inner, fault));
            async { store }
        })
    };
    match suite {
        Suite::WorkStore => conformance::work_store(make).await,
        Suite::AssignmentSource => conformance::assignment_source(make).await,
        Suite::RevisionStore => conformance::revision_store(make).await,
        Suite::RunStore => conformance::run_store(make).await,
    }
}

macro_rules! caught {
    ($($test:ident: $suite:ident $fault:ident by $case:ident;)+) => {$(
        #[tokio::test]
        async fn $test() {
            let report = report(Suite::$suite, WorkFault::$fault).await;
            let case = report.cases().iter().find(|case| case.name == stringify!($case));
            let Some(case) = case else { panic!("no case is called {}", stringify!($case)) };
            assert!(matches!(&case.outcome, Outcome::Failed(seen) if !seen.is_empty()), "{report}");
        }
    )+};
}

caught! {
    json_written_anew: WorkStore RewritesJson
        by what_was_made_is_read_as_it_was_given_to_the_letter;
    a_creation_that_resets: WorkStore CreateTwiceResets by the_same_creation_twice_makes_one;
    shared_names: WorkStore NamesMayBeShared by names_are_unique_among_their_kind;
    cleared_collectors: WorkStore UpdateClearsCollectors by only_what_is_named_changes;
    a_change_of_nothing: WorkStore ChangesNothingQuietly by what_is_not_there_is_not_changed;
    half_a_change: WorkStore UpdatesHalfway by a_refused_change_changes_nothing;
    systems_by_id: WorkStore ListsSystemsById by lists_go_on_after_a_name_in_the_order_of_bytes;
    an_assignment_to_nobody: WorkStore AssignsToNobody
        by an_assignment_refers_only_to_what_is_there;
    a_filter_overlooked: WorkStore ListsByCheckAlone
        by assignments_are_listed_by_check_and_system_in_the_order_of_ids;
    targets_that_grow: WorkStore TargetsGrow by a_new_target_takes_the_place_of_the_old;
    assignments_that_stay: WorkStore KeepsAssignments
        by with_a_system_or_a_check_its_assignments_go;
    a_policy_that_stays: WorkStore PolicyStays
        by a_sandbox_policy_is_kept_to_the_letter_until_it_is_unset;
    work_that_a_crash_forgets: WorkStore ForgetsInCrash by what_was_made_is_there_after_a_crash;

    empty_by_accident: AssignmentSource EmptyByAccident
        by a_satellite_runs_what_names_it_and_what_selects_it;
    answers_in_another_order: AssignmentSource AnswersInOrderOfIds
        by answers_come_in_the_order_of_the_question;
    a_remembered_configuration: AssignmentSource RemembersConfigurations
        by a_selector_follows_the_fleet;
    a_remembered_change: AssignmentSource RemembersConfigurations
        by a_changed_check_target_or_removal_shows_at_once;
    copies_for_each: AssignmentSource CopiesConfigurations by thousands_are_answered_in_one_call;

    any_revision: RevisionStore StoresAnyRevision
        by a_revision_takes_only_the_place_of_the_one_before_it;
    a_refused_repetition: RevisionStore RefusesRepeatedRevision
        by the_same_revision_again_counts_as_stored;
    a_stop_at_the_first_refusal: RevisionStore StopsAtRefusedRevision
        by one_that_is_refused_hinders_no_other;
    an_agent_that_goes_back: RevisionStore AppliedGoesBack
        by what_an_agent_runs_never_goes_back_nor_ahead;
    an_agent_that_runs_ahead: RevisionStore AppliedRunsAhead
        by what_an_agent_runs_never_goes_back_nor_ahead;
    revisions_that_outlive: RevisionStore RevisionsOutlive by with_its_satellite_a_revision_goes;
    revisions_that_a_crash_forgets: RevisionStore ForgetsInCrash
        by revisions_are_there_after_a_crash;

    repeated_ids: RunStore KeepsRepetitions by a_run_with_an_id_is_kept_once;
    repeated_times: RunStore KeepsRepetitions
        by a_run_without_an_id_is_kept_once_for_each_time_it_was_executed;
    shared_ids: RunStore IdsAreShared by a_run_with_an_id_is_kept_once;
    runs_as_they_came: RunStore ListsRunsAsTheyCame
        by runs_are_listed_by_check_system_satellite_and_time;
    pages_by_time: RunStore PagesByTimeAlone
        by a_list_goes_on_after_a_run_also_among_those_of_one_time;
    newest_pruned_first: RunStore PrunesNewestFirst by the_oldest_go_first_in_small_steps;
    pruned_without_limit: RunStore PrunesWithoutLimit by the_oldest_go_first_in_small_steps;
    a_first_word_that_stays: RunStore FirstErrorStays
        by of_what_an_agent_says_of_a_strategy_the_latest_holds;
    dropped_failures: RunStore DropsFailures by what_was_reported_is_read_to_the_letter;
    long_batches_cut: RunStore CutsLongBatches by thousands_are_kept_in_one_call;
    runs_that_a_crash_forgets: RunStore ForgetsInCrash by runs_are_there_after_a_crash;

    the_last_to_come_as_the_latest: RunStore LatestIsLastToCome
        by a_run_that_comes_late_is_not_the_latest_and_of_one_time_the_last_kept_is;
    an_environment_forgotten: RunStore LatestForgetsEnvironment
        by of_each_check_system_satellite_and_environment_the_last_is_the_latest;
    a_satellite_overlooked: RunStore LatestOverlooksSatellite
        by latest_runs_are_found_by_check_system_and_satellite_page_by_page;
    latest_pages_that_overlap: RunStore LatestPagesOverlap
        by latest_runs_are_found_by_check_system_and_satellite_page_by_page;
    a_latest_that_outlives: RunStore LatestOutlives by what_is_pruned_is_no_latest_run;

    quiet_too_late: RunStore QuietLate
        by a_pair_is_quiet_once_its_interval_has_passed_without_a_run;
    quiet_since_the_check: RunStore QuietSinceCheck
        by a_pair_counts_from_when_the_last_of_its_parts_was_made;
    quiet_in_spite_of_runs: RunStore QuietForgetsRuns
        by a_run_of_anybody_ends_the_quiet_of_its_pair_alone;
    status_from_the_edge: RunStore QuietStatusFromEdge by who_is_online_is_told_as_status_is;
    selectors_forgotten: RunStore QuietForgetsSelectors
        by of_selected_satellites_one_that_is_online_is_enough;
    one_assignment_of_many: RunStore QuietCountsOneAssignment
        by all_assignments_of_a_pair_count_together;
    quiet_pages_that_begin_anew: RunStore QuietIgnoresCursor
        by quiet_pairs_come_in_the_order_of_check_and_system_page_by_page;
}

#[tokio::test]
async fn a_wrapper_of_the_work_without_a_fault_passes() {
    for suite in [Suite::WorkStore, Suite::AssignmentSource, Suite::RevisionStore, Suite::RunStore]
    {
        report(suite, WorkFault::Nothing).await.assert_passed();
    }
}

//! Every fault of a satellite store is caught by the case that is about it.

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::conformance::{self, Fixture, Outcome, Report};
use groundcontrol_core::ports::SatelliteStore;
use groundcontrol_memory::MemoryStore;

use crate::fault::Fault;
use crate::faulty::Faulty;

async fn report(fault: Fault) -> Report {
    conformance::satellite_store(|| async move {
        let store = Faulty::new(fault);
        let kept = store.inner.clone();
        Fixture::from(Arc::new(store))
            .giving_up_after(|| tokio::time::sleep(Duration::from_secs(60)))
            .reopened_by(move || {
                let inner = match fault {
                    Fault::ForgetsInCrash => MemoryStore::new(),
                    _ => kept.clone(),
                };
                let store: Arc<dyn SatelliteStore> = Arc::new(Faulty::over(inner, fault));
                async { store }
            })
    })
    .await
}

fn what_was_seen<'a>(report: &'a Report, rule: &str, name: &str) -> &'a str {
    let case = report.cases().iter().find(|case| case.name == name);
    let Some(case) = case else { panic!("no case is called {name}") };
    assert_eq!(case.rule, rule, "the rule of {name}");
    match &case.outcome {
        Outcome::Failed(seen) => seen,
        Outcome::Passed | Outcome::Skipped(_) => panic!("{name} did not fail\n{report}"),
    }
}

macro_rules! caught {
    ($($test:ident: $fault:ident by $rule:literal $case:ident;)+) => {$(
        #[tokio::test(start_paused = true)]
        async fn $test() {
            let report = report(Fault::$fault).await;
            what_was_seen(&report, $rule, stringify!($case));
        }
    )+};
}

caught! {
    an_ignored_seq: IgnoresSeq by "P1" a_connect_written_twice_is_written_once;
    an_ignored_seq_in_a_close: IgnoresSeq by "P2" a_close_decided_before_a_takeover_changes_nothing;
    an_ignored_credential: IgnoresCredentialVersion
        by "T1" a_credential_that_changed_since_it_was_read_refuses_the_connect;
    an_ignored_heartbeat: IgnoresHeartbeat
        by "T5" a_heartbeat_since_the_read_saves_the_satellite;
    an_ignored_own_threshold: IgnoresOwnThreshold
        by "T5" a_changed_threshold_of_its_own_saves_the_satellite;
    an_ignored_default_threshold: IgnoresDefaultThreshold
        by "T5" a_changed_default_threshold_saves_the_satellite;
    an_ignored_lapse_of_watching: IgnoresWatchSpan
        by "T5" a_lapse_of_watching_since_the_read_saves_the_satellite;
    an_ignored_lease: IgnoresLease by "T5" a_pod_whose_lease_ran_out_records_no_silence;
    a_lease_of_another_pod: TakesAnyPodsLease
        by "T5" a_pod_that_never_had_a_lease_records_no_silence;
    a_lease_that_ends_early: LeaseEndsEarly
        by "T5" a_lease_is_alive_up_to_its_last_millisecond;
    heartbeats_across_epochs: BeatsAcrossEpochs
        by "P2" a_heartbeat_of_an_older_session_changes_nothing;
    heartbeats_across_epochs_against_decide: BeatsAcrossEpochs
        by "T2" a_batch_does_to_every_record_what_decide_says;
    swallowed_heartbeats: SwallowsBeatsOfLostSessions
        by "T3" the_batch_leaves_a_lost_session_to_decide;
    heartbeats_back_in_time: BeatsBackInTime by "T2" a_heartbeat_never_moves_time_back;
    heartbeats_ahead_of_now: BeatsAheadOfNow by "T2" a_heartbeat_never_moves_time_ahead_of_now;
    refused_stale_heartbeats: RefusesStaleBeats
        by "T2" a_batch_does_to_every_record_what_decide_says;
    less_for_at_most: OnlineBelowThreshold
        by "S1" exactly_at_the_threshold_is_online_and_one_past_it_is_not;
    status_from_the_heartbeat_alone: StatusFromHeartbeatAlone
        by "S3" every_reader_computes_the_same_status_as_core;
    status_by_the_default_threshold: StatusByDefaultThreshold
        by "S2" a_threshold_of_its_own_goes_before_the_default;
    a_lost_transition: LosesTransition by "P8" seq_grows_by_one_with_every_edge;
    a_rewritten_history: RenamesHistory
        by "E2" a_transition_keeps_the_names_that_it_was_written_with;
    a_connect_that_creates: ConnectMakesRemovedAgain
        by "T6" nothing_that_comes_late_makes_a_removed_satellite_again;
    a_removal_without_an_event: RemovesSilently
        by "T7" a_satellite_that_never_connected_is_removed_with_seq_one;
    a_creation_refused_when_repeated: CreateTwiceIsRefused
        by "create" creating_the_same_satellite_again_changes_nothing;
    a_creation_that_resets: CreateTwiceResets
        by "create" creating_the_same_satellite_again_changes_nothing;
    a_creation_refused_when_doubled: CreateTwiceIsRefused
        by "P1" one_creation_sent_twice_at_once_makes_one_satellite;
    half_an_update: UpdatesHalfway by "names" an_update_to_a_taken_name_changes_nothing;
    text_as_a_pattern: TextIsPattern by "list" no_character_of_text_is_a_wildcard;
    an_order_without_case: ListIgnoresCase
        by "list" satellites_are_listed_in_the_order_of_their_names_bytes;
    events_out_of_order: EventsBySatellite
        by "events" events_keep_their_order_when_more_are_recorded;
    events_that_appear_late: EventsAppearLate
        by "events" a_reader_that_follows_while_many_write_misses_nothing;
    cursors_given_again: CursorsAreCounted by "prune" a_cursor_is_never_given_again;
    a_batch_that_stops: BatchStopsAtConflict
        by "batch" a_conflict_and_a_removed_satellite_hinder_no_other_write;
    a_batch_undone: BatchIsAllOrNothing
        by "batch" a_conflict_and_a_removed_satellite_hinder_no_other_write;
    a_revocation_in_two_writes: RevokesInTwoWrites
        by "T8" a_credential_version_that_moved_since_the_read_conflicts;
    a_change_of_any_version: ChangesAnyVersion
        by "T8" a_credential_version_that_moved_since_the_read_conflicts;
    a_rehash_that_counts: RehashGrowsVersion
        by "T8" a_rehash_changes_one_hash_and_not_the_version;
    an_overlap_that_lengthens: OverlapLengthens
        by "T8" an_overlap_lengthens_no_token_that_ends_earlier;
    overdue_too_early: OverdueEarly
        by "T5" a_satellite_is_overdue_one_past_threshold_and_settle;
    overdue_without_watching: OverdueIgnoresWatching
        by "T5" a_span_of_watching_that_began_later_spares_them;
    overdue_by_id: OverdueById
        by "T5" those_whose_threshold_passed_first_come_first_and_no_more_than_asked_for;
    the_next_threshold_by_default: NextThresholdByDefault
        by "T5" the_next_threshold_is_the_earliest_of_any_connected_satellite;
    a_span_without_lapses: SpanNeverLapses by "T5" a_span_starts_anew_after_a_lapse;
    a_lease_without_end: LeaseCannotBeEnded by "P10" a_span_ends_with_its_last_lease;
    a_guard_checked_before_the_write: ChecksThenWrites
        by "P7" of_two_connects_at_once_exactly_one_is_written;
    a_guard_checked_before_many_writes: ChecksThenWrites
        by "P8" many_writers_on_one_satellite_leave_a_gapless_history;
    a_batch_cut_short: CutsLongBatches by "T2" any_number_of_heartbeats_fits_into_a_batch;
    ids_cut_short: CutsLongBatches by "get_many" any_number_of_ids_may_be_asked_for;
    dropped_tags: DropsTags by "create" a_created_satellite_reads_back_as_it_was_made;
    forgotten_agents: ForgetsAgents by "record_agent" what_an_agent_says_of_itself_is_stored;
    an_update_that_clears: UpdateClearsTags
        by "update" an_update_changes_what_it_names_and_nothing_else;
    names_without_case: NamesIgnoreCase by "names" names_that_differ_in_any_byte_are_different;
    names_taken_for_ever: NamesStayTaken by "names" a_name_that_was_given_up_is_free;
    a_name_taken_by_itself: OwnNameIsTaken
        by "names" a_satellite_may_be_given_the_name_that_it_has;
    a_region_as_a_prefix: RegionIsPrefix by "list" a_region_selects_exactly_its_satellites;
    any_tag: AnyTagWillDo by "list" all_tags_of_a_query_must_be_there;
    text_with_case: TextMindsCase by "list" the_case_of_ascii_letters_does_not_matter_to_text;
    text_in_names_only: TextInNamesOnly
        by "list" text_is_found_in_name_and_region_and_at_the_start_of_the_id;
    overlapping_pages: PagesOverlap by "list" pages_show_every_satellite_once;
    pages_cut_before_filtering: CutsBeforeFiltering
        by "list" filters_narrow_each_other_and_pages_count_what_is_left;
    hidden_satellites: HidesNeverConnected
        by "S4" a_satellite_that_never_connected_has_no_state_and_is_listed_offline;
    doubled_answers: AnswersTwice by "get_many" those_that_exist_are_read_each_once;
    the_default_as_the_smallest: SmallestIsDefault
        by "S2" the_smallest_threshold_is_that_of_any_satellite_or_the_default;
    the_new_settings_as_the_old: AnswersNewSettings
        by "S2" settings_are_shared_and_setting_them_answers_the_ones_before;
    a_span_for_every_lease: EveryLeaseIsASpan by "T5" a_span_goes_on_while_leases_overlap;
    late_expiry: ExpiresLate by "T8" expired_tokens_are_found_from_their_last_moment_on;
    expiry_without_limit: ExpiredWithoutLimit
        by "T8" expired_tokens_are_no_more_than_asked_for_and_go_with_their_drop;
    overlooked_slow_hashes: OverlooksSlowHashes
        by "slow hashes" a_bcrypt_hash_is_noticed_until_it_is_replaced;
    a_removal_of_any_state: RemovesAnyState
        by "T7" an_edge_since_the_read_conflicts_with_a_removal;
    an_overlap_that_replaces: OverlapReplaces
        by "T8" an_overlap_adds_a_token_and_ends_the_others_at_its_time;
    a_forgotten_token: ConnectForgetsToken
        by "T1" a_first_connect_is_recorded_as_it_was_decided;
    a_crash_that_forgets: ForgetsInCrash
        by "durable" everything_that_was_answered_is_there_after_a_crash;
}

#[tokio::test]
async fn a_wrapper_without_a_fault_passes() {
    report(Fault::Nothing).await.assert_passed();
}

#[tokio::test]
async fn a_panic_fails_its_case_and_ends_no_other() {
    let report = report(Fault::Panics).await;
    let seen = what_was_seen(&report, "slow hashes", "a_bcrypt_hash_is_stored_as_it_came");
    assert_eq!(seen, "a panic: a slow hash nobody thought of");
    assert!(report.failed().count() < 6, "{report}");
}

#[tokio::test]
async fn an_error_fails_its_case_and_says_what_the_adapter_said() {
    let report = report(Fault::Fails).await;
    let seen = what_was_seen(&report, "probe", "a_store_that_works_says_so");
    assert!(seen.contains("could not probe the store"), "{seen}");
    assert_eq!(report.failed().count(), 1, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_answers_fails_its_case_when_the_limit_has_passed() {
    let report = report(Fault::Hangs).await;
    let seen = what_was_seen(&report, "probe", "a_store_that_works_says_so");
    assert!(seen.contains("did not end in time"), "{seen}");
    assert_eq!(report.failed().count(), 1, "{report}");
}

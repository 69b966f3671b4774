//! Every fault of a store of webhooks is caught by the cases that are about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use groundcontrol_core::conformance::{self, Fixture, Report, WebhookAdapter};
use groundcontrol_memory::MemoryStore;

use crate::faulty::Faulty;
use crate::named::{Named, check};
use crate::webhook_fault::WebhookFault as Fault;

const TO_THE_LETTER: (&str, &str) = ("webhooks", "a_webhook_is_read_to_the_letter");
const CHANGE: (&str, &str) = ("webhooks", "a_change_is_made_whole_or_not_at_all");
const NAMES: (&str, &str) = ("webhooks", "names_are_unique_and_order_the_list");
const LIMIT: (&str, &str) = ("webhooks", "no_more_webhooks_are_made_than_the_limit");
const BEGINS: (&str, &str) = ("cursor", "a_webhook_begins_with_what_happens_after_it_was_made");
const ALERTS_ALONE: (&str, &str) =
    ("cursor", "a_webhook_that_is_told_of_alerts_alone_has_no_event_to_look_at");
const IDLE: (&str, &str) = ("cursor", "only_webhooks_with_something_to_do_are_idle");
const BACKLOG: (&str, &str) = ("cursor", "a_backlog_says_how_far_a_webhook_came_and_how_many_wait");
const CLAIMED: (&str, &str) = ("fenced", "a_webhook_is_claimed_once_until_its_lease_ends");
const AT_ONCE: (&str, &str) = ("fenced", "of_several_pods_at_once_one_gets_the_claim");
const LOST: (&str, &str) = ("fenced", "a_claim_that_was_lost_writes_nothing");
const PAUSED: (&str, &str) = ("fenced", "a_paused_webhook_is_not_claimed");
const ONCE: (&str, &str) = ("once", "an_event_is_made_into_one_delivery");
const LOWEST: (&str, &str) = ("in order", "of_each_satellite_the_lowest_seq_is_due_and_no_other");
const BEHIND: (&str, &str) = ("in order", "those_behind_one_that_waits_wait_as_long");
const NEW: (&str, &str) = ("in order", "new_ones_wait_for_those_before_them");
const AGAIN_IN_ORDER: (&str, &str) =
    ("in order", "one_that_is_delivered_again_waits_for_those_before_it");
const APART: (&str, &str) = ("apart", "each_webhook_has_deliveries_of_its_own");
const LISTED: (&str, &str) = ("attempts", "what_was_seen_is_listed_newest_first");
const COUNTED: (&str, &str) = ("attempts", "an_attempt_counts_once");
const PAUSES: (&str, &str) = ("attempts", "a_reason_to_pause_is_kept_unless_there_is_one_already");
const AGAIN: (&str, &str) = ("redeliver", "one_or_all_since_a_time_wait_anew");
const PRUNED: (&str, &str) = ("prune", "only_what_is_done_and_old_is_deleted");
const GONE: (&str, &str) = ("prune", "deliveries_go_with_their_event_and_with_their_webhook");
const CRASH: (&str, &str) = ("durable", "what_is_stored_is_there_after_a_crash");

const CAUGHT: &[(Fault, Named)] = &[
    (Fault::Nothing, &[]),
    (Fault::DropsExpiry, &[TO_THE_LETTER]),
    (Fault::UpdateClearsHeaders, &[CHANGE]),
    (Fault::UpdateClearsSecrets, &[CHANGE]),
    (Fault::ChangesNothingQuietly, &[CHANGE]),
    (Fault::NamesMayBeShared, &[NAMES]),
    (Fault::TakesAnyNumber, &[LIMIT]),
    (Fault::ListsById, &[NAMES]),
    (Fault::RemovesNothing, &[NAMES]),
    (Fault::BeginsWithThePast, &[BEGINS, BACKLOG]),
    (Fault::IdleForgetsEvents, &[BEGINS, ALERTS_ALONE, IDLE]),
    (Fault::IdleForgetsDeliveries, &[IDLE]),
    (Fault::IdleIgnoresClaims, &[IDLE]),
    (Fault::IdleIgnoresPauses, &[PAUSED]),
    (Fault::BacklogCountsAll, &[BACKLOG]),
    (Fault::BacklogCountsOthers, &[BACKLOG]),
    (Fault::BacklogOfNothing, &[BACKLOG]),
    (Fault::ClaimsHeld, &[CLAIMED, AT_ONCE]),
    (Fault::ClaimsPaused, &[PAUSED]),
    (Fault::LeasesForEver, &[LOST, CRASH]),
    (Fault::ClaimsAreTheSame, &[CLAIMED, LOST]),
    (Fault::RenewsLost, &[CLAIMED]),
    (Fault::RenewalsDoNothing, &[CLAIMED]),
    (Fault::ReleasesOthers, &[CLAIMED]),
    (Fault::EnqueuesUnfenced, &[LOST]),
    (Fault::RecordsUnfenced, &[LOST]),
    (Fault::MakesDoubles, &[ONCE]),
    (Fault::CursorStays, &[BEGINS, ALERTS_ALONE, IDLE, BACKLOG, ONCE]),
    (Fault::CursorGoesBack, &[ONCE]),
    (Fault::DueForgetsOrder, &[LOWEST, BEHIND, AGAIN_IN_ORDER, APART, AGAIN, GONE]),
    (Fault::DueByTimeAlone, &[AGAIN_IN_ORDER]),
    (Fault::DueNewestFirst, &[LOWEST, BEHIND, LISTED, AGAIN, CRASH]),
    (Fault::DueIgnoresTime, &[LOWEST, BEHIND, AGAIN_IN_ORDER, AGAIN]),
    (Fault::DueIgnoresLimit, &[LOWEST]),
    (Fault::DueWaitsForOthers, &[APART]),
    (Fault::LaterDoNotWait, &[BEHIND]),
    (Fault::NewDoNotWait, &[NEW]),
    (Fault::CountsEveryAttempt, &[COUNTED]),
    (Fault::ReopensDone, &[COUNTED]),
    (Fault::HealthStays, &[PAUSES]),
    (Fault::PausesAgain, &[PAUSES]),
    (Fault::NeverPauses, &[PAUSES]),
    (Fault::ListIgnoresState, &[LISTED, CRASH]),
    (Fault::PagesOverlap, &[LISTED]),
    (Fault::ListsOldestFirst, &[NEW, LISTED, APART]),
    (Fault::ListIgnoresWebhook, &[APART]),
    (Fault::RedeliverKeepsAttempts, &[AGAIN]),
    (Fault::RedeliversEverywhere, &[APART]),
    (Fault::RedeliverIgnoresTime, &[AGAIN]),
    (Fault::PrunesWaiting, &[PRUNED]),
    (Fault::PrunesDeadWithDelivered, &[PRUNED]),
    (Fault::PrunesAtItsTime, &[PRUNED]),
    (Fault::PrunesWithoutLimit, &[PRUNED]),
    (Fault::PrunesByCreation, &[PRUNED]),
    (Fault::OutlivesEvents, &[GONE]),
    (Fault::OutlivesWebhooks, &[GONE]),
    (Fault::ForgetsInCrash, &[CRASH]),
];

async fn report(fault: Fault) -> Report {
    conformance::webhook_store(|| async move {
        let kept = MemoryStore::new();
        let store: Arc<dyn WebhookAdapter> = Arc::new(Faulty::of_webhooks(kept.clone(), fault));
        Fixture::from(store).reopened_by(move || {
            let inner = match fault {
                Fault::ForgetsInCrash => MemoryStore::new(),
                _ => kept.clone(),
            };
            let store: Arc<dyn WebhookAdapter> = Arc::new(Faulty::of_webhooks(inner, fault));
            async { store }
        })
    })
    .await
}

#[tokio::test]
async fn every_fault_of_a_webhook_store_is_named_and_every_case_names_one() {
    let mut named = BTreeSet::new();
    for (fault, cases) in CAUGHT {
        named.extend(check(&report(*fault).await, fault, cases));
    }
    let all = report(Fault::Nothing).await;
    let idle: Vec<_> = all.cases().iter().filter(|case| !named.contains(case.name)).collect();
    assert!(idle.is_empty(), "no fault fails {idle:#?}");
}

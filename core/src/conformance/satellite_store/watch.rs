//! Watch leases and the span that they make (rule T5).

use super::bench::{Bench, Pod, at};
use crate::conformance::runner::{Case, Seen};
use crate::connection::WatchSpan;
use crate::ports::SatelliteStore;
use crate::time::Millis;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T5" nobody_watches_before_the_first_lease,
        "T5" a_span_goes_on_while_leases_overlap,
        "T5" a_span_starts_anew_after_a_lapse,
        "T5" a_shorter_lease_cuts_no_longer_one,
        "P10" the_leases_of_two_pods_make_one_span,
        "P10" a_span_ends_with_its_last_lease,
        "P10" a_pod_that_ends_its_lease_leaves_the_span_to_the_others,
        "T5" ending_a_lease_that_is_not_there_changes_nothing,
        "T5" a_lease_that_ran_out_ended_then_and_not_when_it_was_ended,
    ]
}

async fn renew(pod: &Pod, millis: i64, lease: u64) -> Seen<WatchSpan> {
    Ok(pod.store.renew_watch(&pod.name, at(millis), Millis::new(lease)).await?)
}

async fn end(pod: &Pod, millis: i64) -> Seen {
    Ok(pod.store.end_watch(&pod.name, at(millis)).await?)
}

fn span(since: i64, until: i64) -> WatchSpan {
    WatchSpan { since: at(since), until: at(until) }
}

/// The span that a snapshot carries must be this one.
async fn snapshot_has(pod: &Pod, expected: WatchSpan) -> Seen {
    same!(pod.read(1).await?.watch, Some(expected), "the span in a snapshot");
    Ok(())
}

async fn nobody_watches_before_the_first_lease(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    same!(pod.read(1).await?.watch, None, "the span before the first lease");
    same!(renew(&pod, 1_000, 15).await?, span(1_000, 1_015), "the first lease");
    snapshot_has(&pod, span(1_000, 1_015)).await
}

async fn a_span_goes_on_while_leases_overlap(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    renew(&pod, 0, 15).await?;
    same!(renew(&pod, 5, 15).await?, span(0, 20), "renewed early");
    same!(renew(&pod, 20, 15).await?, span(0, 35), "renewed at the last moment");
    snapshot_has(&pod, span(0, 35)).await
}

async fn a_span_starts_anew_after_a_lapse(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    renew(&pod, 0, 15).await?;
    same!(renew(&pod, 16, 15).await?, span(16, 31), "renewed one millisecond late");
    snapshot_has(&pod, span(16, 31)).await
}

async fn a_shorter_lease_cuts_no_longer_one(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    renew(&pod, 0, 100).await?;
    same!(renew(&pod, 10, 15).await?, span(0, 100), "a shorter lease");
    same!(renew(&pod, 90, 15).await?, span(0, 105), "the next");
    Ok(())
}

async fn the_leases_of_two_pods_make_one_span(bench: &Bench) -> Seen {
    let (one, other) = (bench.fleet(1).await?, bench.pod(1));
    renew(&one, 0, 15).await?;
    same!(renew(&other, 10, 15).await?, span(0, 25), "another pod's lease");
    same!(renew(&other, 24, 15).await?, span(0, 39), "the other alone");
    same!(renew(&one, 30, 15).await?, span(0, 45), "the first again");
    snapshot_has(&other, span(0, 45)).await
}

async fn a_span_ends_with_its_last_lease(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    renew(&pod, 0, 15).await?;
    end(&pod, 5).await?;
    let watch = pod.read(1).await?.watch;
    ensure!(watch.is_none_or(|span| !span.is_alive(at(6))), "a span that goes on: {watch:?}");
    same!(renew(&pod, 6, 15).await?, span(6, 21), "the next lease, within what the first was");
    Ok(())
}

async fn a_pod_that_ends_its_lease_leaves_the_span_to_the_others(bench: &Bench) -> Seen {
    let (one, other) = (bench.fleet(1).await?, bench.pod(1));
    renew(&one, 0, 15).await?;
    renew(&other, 5, 100).await?;
    end(&other, 6).await?;
    snapshot_has(&one, span(0, 15)).await?;
    same!(renew(&one, 14, 15).await?, span(0, 29), "the one that stays renews");
    end(&one, 15).await?;
    same!(renew(&other, 16, 15).await?, span(16, 31), "after both had ended");
    Ok(())
}

async fn ending_a_lease_that_is_not_there_changes_nothing(bench: &Bench) -> Seen {
    let (one, other) = (bench.fleet(1).await?, bench.pod(1));
    end(&one, 0).await?;
    renew(&one, 10, 15).await?;
    end(&other, 11).await?;
    snapshot_has(&one, span(10, 25)).await?;
    same!(renew(&one, 20, 15).await?, span(10, 35), "the next lease");
    end(&one, 21).await?;
    end(&one, 30).await?;
    same!(renew(&one, 30, 15).await?, span(30, 45), "after it had ended twice");
    Ok(())
}

async fn a_lease_that_ran_out_ended_then_and_not_when_it_was_ended(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    renew(&pod, 0, 15).await?;
    end(&pod, 100).await?;
    same!(renew(&pod, 100, 15).await?, span(100, 115), "the next lease");
    Ok(())
}

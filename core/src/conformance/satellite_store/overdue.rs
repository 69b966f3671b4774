//! Finding those whose time has come (rule T5).

use super::bench::{Bench, INTERVAL, Pod, SETTLE, at, liveness, new_satellite, own, satellite_id};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{WatchSpan, is_overdue};
use crate::ports::{SatelliteStore, SatelliteUpdate};
use crate::satellite::SatelliteId;
use crate::time::Millis;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T5" a_satellite_is_overdue_one_past_threshold_and_settle,
        "T5" only_connected_satellites_are_overdue,
        "T5" a_satellite_is_overdue_by_its_own_threshold_where_it_has_one,
        "T5" a_span_of_watching_that_began_later_spares_them,
        "T5" those_whose_threshold_passed_first_come_first_and_no_more_than_asked_for,
        "T5" the_overdue_are_those_that_core_calls_overdue,
        "T5" an_overdue_satellite_is_read_with_all_that_deciding_needs,
        "S2" a_changed_default_changes_who_is_overdue,
        "S2" a_changed_threshold_of_its_own_changes_who_is_overdue,
        "T5" the_next_threshold_is_the_earliest_of_any_connected_satellite,
        "T5" the_next_threshold_follows_every_change,
    ]
}

/// The overdue at `millis`, watched since `since`.
async fn overdue(pod: &Pod, millis: i64, since: i64, limit: usize) -> Seen<Vec<SatelliteId>> {
    let overdue = pod.store.overdue(at(millis), SETTLE, at(since), limit).await?;
    Ok(overdue.iter().map(|read| read.satellite).collect())
}

/// Exactly these must be overdue at `millis`, in this order, watched since long ago.
async fn overdue_are(pod: &Pod, millis: i64, numbers: &[u32]) -> Seen {
    let expected: Vec<_> = numbers.iter().map(|number| satellite_id(*number)).collect();
    same!(overdue(pod, millis, -1_000_000, 100).await?, expected, "overdue after {millis} ms");
    Ok(())
}

async fn next_is(pod: &Pod, millis: Option<i64>, when: &str) -> Seen {
    same!(pod.store.next_threshold().await?, millis.map(at), "the next threshold {when}");
    Ok(())
}

/// Satellites 1, 2, 3 … with these thresholds of their own (0: none), all connected at 1 s.
async fn connected(bench: &Bench, thresholds: &[u64]) -> Seen<Pod> {
    let pod = bench.fleet(0).await?;
    for (number, millis) in (1..).zip(thresholds) {
        let mut new = new_satellite(number)?;
        new.satellite.own_threshold = own(*millis);
        pod.create(new).await?;
        pod.connect(number, 1_000).await?;
    }
    Ok(pod)
}

async fn a_satellite_is_overdue_one_past_threshold_and_settle(bench: &Bench) -> Seen {
    let pod = connected(bench, &[0]).await?;
    overdue_are(&pod, 11_250, &[]).await?;
    overdue_are(&pod, 11_251, &[1]).await?;
    let unsettled = pod.store.overdue(at(11_001), Millis::ZERO, at(0), 9).await?;
    same!(unsettled.len(), 1, "satellites overdue without settle");
    ensure!(pod.beat(1, 1, 11_251).await?, "a heartbeat that was not applied");
    overdue_are(&pod, 11_251, &[]).await
}

async fn only_connected_satellites_are_overdue(bench: &Bench) -> Seen {
    let pod = connected(bench, &[0, 0, 0]).await?;
    pod.create(new_satellite(4)?).await?;
    pod.close(2, 2_000).await?;
    pod.lose(3, 12_000).await?;
    overdue_are(&pod, 1_000_000, &[1]).await?;
    pod.remove(1, 13_000).await?;
    overdue_are(&pod, 1_000_000, &[]).await
}

async fn a_satellite_is_overdue_by_its_own_threshold_where_it_has_one(bench: &Bench) -> Seen {
    let pod = connected(bench, &[0, 3_000, 60_000]).await?;
    overdue_are(&pod, 4_250, &[]).await?;
    overdue_are(&pod, 4_251, &[2]).await?;
    overdue_are(&pod, 61_250, &[2, 1]).await?;
    overdue_are(&pod, 61_251, &[2, 1, 3]).await
}

async fn a_span_of_watching_that_began_later_spares_them(bench: &Bench) -> Seen {
    let pod = connected(bench, &[0, 3_000]).await?;
    let (first, second) = (satellite_id(1), satellite_id(2));
    same!(overdue(&pod, 20_000, 1_000, 9).await?, vec![second, first], "watched throughout");
    same!(overdue(&pod, 20_000, 9_749, 9).await?, vec![second, first], "watched long enough");
    same!(overdue(&pod, 20_000, 9_750, 9).await?, vec![second], "watched too short for one");
    same!(overdue(&pod, 20_000, 16_750, 9).await?, vec![], "watched too short for both");
    same!(overdue(&pod, 20_000, 9_750, 1).await?, vec![second], "at most one of them");
    Ok(())
}

async fn those_whose_threshold_passed_first_come_first_and_no_more_than_asked_for(
    bench: &Bench,
) -> Seen {
    let pod = connected(bench, &[0, 30_000, 0, 5_000]).await?;
    ensure!(pod.beat(1, 1, 3_000).await?, "a heartbeat that was not applied");
    // The thresholds pass at 13, 31, 11 and 6 s.
    let order = [4, 3, 1, 2];
    overdue_are(&pod, 100_000, &order).await?;
    for limit in 0..=4 {
        let expected: Vec<_> = order[..limit].iter().map(|number| satellite_id(*number)).collect();
        same!(overdue(&pod, 100_000, 0, limit).await?, expected, "at most {limit}");
    }
    Ok(())
}

async fn the_overdue_are_those_that_core_calls_overdue(bench: &Bench) -> Seen {
    let thresholds = [0, 3_000, 4_000, 9_999, 10_000, 10_001, 20_000, 60_000];
    let pod = connected(bench, &thresholds).await?;
    for number in [2, 5, 7] {
        ensure!(pod.beat(number, 1, 2_500).await?, "a heartbeat that was not applied");
    }
    for since in [0, 1_000, 2_000, 9_000] {
        for millis in (1_000..40_000).step_by(250).chain([11_251, 12_751, 21_251]) {
            let watch = Some(WatchSpan { since: at(since), until: at(i64::from(u32::MAX)) });
            let mut expected = Vec::new();
            for number in 1..=thresholds.len() as u32 {
                let stored = pod.get(number).await?;
                let (record, threshold) = (&stored.record, stored.threshold);
                if is_overdue(record, watch, threshold, SETTLE, at(millis)) {
                    let passes = record.last_heartbeat_at.map(|heard| heard + threshold);
                    expected.push((passes, stored.satellite.id));
                }
            }
            expected.sort();
            let mut seen = Vec::new();
            for read in pod.store.overdue(at(millis), SETTLE, at(since), 100).await? {
                let passes = read.record.last_heartbeat_at.map(|heard| heard + read.threshold());
                seen.push((passes, read.satellite));
            }
            ensure!(
                seen.is_sorted_by_key(|(passes, _)| *passes),
                "an order that is not that of the thresholds: {seen:?}"
            );
            seen.sort();
            same!(seen, expected, "overdue after {millis} ms, watched since {since} ms");
        }
    }
    Ok(())
}

async fn an_overdue_satellite_is_read_with_all_that_deciding_needs(bench: &Bench) -> Seen {
    let pod = connected(bench, &[0]).await?;
    pod.store.renew_watch(&pod.name, at(1_000), INTERVAL).await?;
    let expected = pod.read(1).await?;
    ensure!(expected.watch.is_some(), "a snapshot without the span of watching");
    let overdue = pod.store.overdue(at(20_000), SETTLE, at(0), 9).await?;
    same!(overdue, vec![expected], "the overdue");
    Ok(())
}

async fn a_changed_default_changes_who_is_overdue(bench: &Bench) -> Seen {
    let pod = connected(bench, &[0, 20_000]).await?;
    overdue_are(&pod, 12_000, &[1]).await?;
    pod.store.set_liveness(liveness(Millis::new(30_000))).await?;
    overdue_are(&pod, 12_000, &[]).await?;
    next_is(&pod, Some(21_000), "with a long default").await?;
    overdue_are(&pod, 40_000, &[2, 1]).await?;
    pod.store.set_liveness(liveness(Millis::new(5_000))).await?;
    overdue_are(&pod, 6_251, &[1]).await?;
    next_is(&pod, Some(6_000), "with a short default").await
}

async fn a_changed_threshold_of_its_own_changes_who_is_overdue(bench: &Bench) -> Seen {
    let pod = connected(bench, &[0]).await?;
    let set_own = async |own_threshold| {
        let update =
            SatelliteUpdate { own_threshold: Some(own_threshold), ..SatelliteUpdate::default() };
        pod.store.update(satellite_id(1), update).await
    };
    set_own(own(30_000)).await?;
    overdue_are(&pod, 31_250, &[]).await?;
    next_is(&pod, Some(31_000), "with a long threshold of its own").await?;
    set_own(own(3_000)).await?;
    overdue_are(&pod, 4_251, &[1]).await?;
    set_own(None).await?;
    overdue_are(&pod, 11_250, &[]).await?;
    next_is(&pod, Some(11_000), "with the default again").await
}

async fn the_next_threshold_is_the_earliest_of_any_connected_satellite(bench: &Bench) -> Seen {
    let pod = bench.fleet(0).await?;
    next_is(&pod, None, "of an empty store").await?;
    let pod = connected(bench, &[0, 4_000, 60_000]).await?;
    next_is(&pod, Some(5_000), "of three").await
}

async fn the_next_threshold_follows_every_change(bench: &Bench) -> Seen {
    let pod = connected(bench, &[0, 4_000]).await?;
    pod.create(new_satellite(3)?).await?;
    ensure!(pod.beat(2, 1, 3_000).await?, "a heartbeat that was not applied");
    next_is(&pod, Some(7_000), "after a heartbeat").await?;
    pod.connect(3, 3_500).await?;
    pod.close(2, 4_000).await?;
    next_is(&pod, Some(11_000), "after a close").await?;
    pod.lose(1, 12_000).await?;
    next_is(&pod, Some(13_500), "after a loss").await?;
    pod.remove(3, 12_500).await?;
    next_is(&pod, None, "when nobody is connected any more").await?;
    pod.connect(1, 13_000).await?;
    next_is(&pod, Some(23_000), "after a connect").await
}

//! Online or offline, wherever it is read (rules S1–S5): what a query filters by must be what
//! `core` computes.

use super::bench::{
    Bench, Pod, THRESHOLD, at, ids, list_all, liveness, new_satellite, own, satellite_id, sorted,
};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{CloseReason, Command, Status};
use crate::ports::{ListQuery, SatelliteStore, SatelliteUpdate};
use crate::satellite::SatelliteId;
use crate::time::{Millis, Timestamp};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "S1" exactly_at_the_threshold_is_online_and_one_past_it_is_not,
        "S3" every_reader_computes_the_same_status_as_core,
        "S3" the_filter_by_status_pages_and_narrows_like_any_other,
        "S2" a_threshold_of_its_own_goes_before_the_default,
        "S2" a_changed_default_counts_from_the_next_read_on,
        "S2" a_changed_threshold_of_its_own_counts_from_the_next_read_on,
        "S4" a_satellite_that_never_connected_has_no_state_and_is_listed_offline,
        "S5" a_clean_disconnect_is_offline_at_once_and_never_seen,
    ]
}

/// The satellites that every reader calls online at `now`; readers must agree with each other.
async fn online(pod: &Pod, now: Timestamp) -> Seen<Vec<SatelliteId>> {
    let all = pod.store.list(&list_all(now)).await?;
    let mut computed: [Vec<SatelliteId>; 2] = [Vec::new(), Vec::new()];
    for stored in &all {
        let side = usize::from(stored.status(now) == Status::Offline);
        computed[side].push(stored.satellite.id);
    }
    let after = now.since(at(0));
    for (status, expected) in [Status::Online, Status::Offline].into_iter().zip(&computed) {
        let query = ListQuery { status: Some(status), ..list_all(now) };
        let listed = pod.store.list(&query).await?;
        same!(ids(&listed), *expected, "those listed as {status} after {after}");
    }
    let [expected, _] = computed;
    let online = sorted(pod.store.online_ids(now).await?);
    same!(online, sorted(expected), "the online ids after {after}");
    Ok(online)
}

async fn online_are(pod: &Pod, millis: i64, numbers: &[u32]) -> Seen {
    let expected: Vec<_> = numbers.iter().map(|number| satellite_id(*number)).collect();
    same!(online(pod, at(millis)).await?, expected, "online after {millis} ms");
    Ok(())
}

async fn set_own(pod: &Pod, number: u32, millis: Option<u64>) -> Seen {
    let own_threshold = Some(millis.and_then(own));
    let update = SatelliteUpdate { own_threshold, ..SatelliteUpdate::default() };
    pod.store.update(satellite_id(number), update).await?;
    Ok(())
}

async fn exactly_at_the_threshold_is_online_and_one_past_it_is_not(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    online_are(&pod, 1_000, &[1]).await?;
    online_are(&pod, 11_000, &[1]).await?;
    online_are(&pod, 11_001, &[]).await?;
    ensure!(pod.beat(1, 1, 9_000).await?, "a heartbeat that was not applied");
    online_are(&pod, 19_000, &[1]).await?;
    online_are(&pod, 19_001, &[]).await
}

async fn every_reader_computes_the_same_status_as_core(bench: &Bench) -> Seen {
    let pod = bench.fleet(7).await?;
    set_own(&pod, 3, Some(20_000)).await?;
    set_own(&pod, 4, Some(3_000)).await?;
    for number in 2..=7 {
        pod.connect(number, 1_000).await?;
    }
    pod.connect(5, 2_000).await?;
    pod.close(6, 2_000).await?;
    pod.lose(7, 11_251).await?;
    let looks = [
        (1_000, &[2, 3, 4, 5][..]),
        (4_000, &[2, 3, 4, 5]),
        (4_001, &[2, 3, 5]),
        (11_000, &[2, 3, 5]),
        (11_001, &[3, 5]),
        (12_000, &[3, 5]),
        (12_001, &[3]),
        (21_000, &[3]),
        (21_001, &[]),
    ];
    for (millis, expected) in looks {
        online_are(&pod, millis, expected).await?;
    }
    Ok(())
}

async fn the_filter_by_status_pages_and_narrows_like_any_other(bench: &Bench) -> Seen {
    let pod = bench.fleet(6).await?;
    for number in [2, 3, 5, 6] {
        pod.connect(number, 1_000).await?;
    }
    let online = ListQuery { status: Some(Status::Online), limit: 2, ..list_all(at(1_000)) };
    let first = pod.store.list(&online).await?;
    same!(ids(&first), [2, 3].map(satellite_id), "the first page");
    let after = first.last().map(|stored| stored.satellite.name.clone());
    let next = ListQuery { after, text: Some("0006".to_owned()), ..online };
    same!(ids(&pod.store.list(&next).await?), [6].map(satellite_id), "the narrowed next page");
    Ok(())
}

async fn a_threshold_of_its_own_goes_before_the_default(bench: &Bench) -> Seen {
    let pod = bench.fleet(0).await?;
    for (number, own_millis) in [(1, 0), (2, 30_000)] {
        let mut new = new_satellite(number)?;
        new.satellite.own_threshold = own(own_millis);
        pod.create(new).await?;
        pod.connect(number, 0).await?;
    }
    same!(pod.get(1).await?.threshold, THRESHOLD, "the threshold by default");
    same!(pod.get(2).await?.threshold, Millis::new(30_000), "the threshold of its own");
    same!(pod.read(2).await?.default_threshold, THRESHOLD, "the default that was read with it");
    online_are(&pod, 10_000, &[1, 2]).await?;
    online_are(&pod, 10_001, &[2]).await?;
    online_are(&pod, 30_001, &[]).await
}

async fn a_changed_default_counts_from_the_next_read_on(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    set_own(&pod, 2, Some(10_000)).await?;
    for number in [1, 2] {
        pod.connect(number, 0).await?;
    }
    online_are(&pod, 8_000, &[1, 2]).await?;
    pod.store.set_liveness(liveness(Millis::new(7_000))).await?;
    online_are(&pod, 8_000, &[2]).await?;
    same!(pod.read(1).await?.default_threshold, Millis::new(7_000), "the default in a snapshot");
    pod.store.set_liveness(liveness(Millis::new(60_000))).await?;
    online_are(&pod, 60_000, &[1]).await
}

async fn a_changed_threshold_of_its_own_counts_from_the_next_read_on(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 0).await?;
    set_own(&pod, 1, Some(20_000)).await?;
    online_are(&pod, 20_000, &[1]).await?;
    set_own(&pod, 1, Some(10_500)).await?;
    online_are(&pod, 10_501, &[]).await?;
    set_own(&pod, 1, None).await?;
    online_are(&pod, 10_000, &[1]).await?;
    online_are(&pod, 10_001, &[]).await
}

async fn a_satellite_that_never_connected_has_no_state_and_is_listed_offline(
    bench: &Bench,
) -> Seen {
    let pod = bench.fleet(1).await?;
    same!(pod.get(1).await?.state(at(0)), None, "its state");
    let offline = ListQuery { status: Some(Status::Offline), ..list_all(at(0)) };
    let listed = pod.store.list(&offline).await?;
    same!(ids(&listed), vec![satellite_id(1)], "who is listed as offline");
    online_are(&pod, 0, &[]).await
}

async fn a_clean_disconnect_is_offline_at_once_and_never_seen(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let close = |epoch| Command::Close { epoch, reason: CloseReason::ClientClosed };
    pod.record(1, |read| close(read.record.epoch), at(1_500)).await?;
    online_are(&pod, 1_500, &[]).await?;
    let state = pod.get(1).await?.state(at(1_500));
    same!(state.and_then(|state| state.last_seen_at), None, "when it was last seen");
    Ok(())
}

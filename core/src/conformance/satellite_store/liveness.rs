//! The settings that all pods share (rule S2).

use super::bench::{Bench, INTERVAL, new_satellite, own, satellite_id};
use crate::conformance::runner::{Case, Seen};
use crate::limits::OFFLINE_THRESHOLD;
use crate::ports::{SatelliteStore, SatelliteUpdate};
use crate::satellite::Liveness;
use crate::time::Millis;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "S2" before_any_settings_the_protocols_threshold_is_the_default,
        "S2" settings_are_shared_and_setting_them_answers_the_ones_before,
        "S2" the_smallest_threshold_is_that_of_any_satellite_or_the_default,
    ]
}

fn settings(default_threshold: u64) -> Liveness {
    Liveness { heartbeat_interval: INTERVAL, default_threshold: Millis::new(default_threshold) }
}

async fn before_any_settings_the_protocols_threshold_is_the_default(bench: &Bench) -> Seen {
    let pod = bench.pod(0);
    same!(pod.store.liveness().await?, None, "the settings");
    pod.create(new_satellite(1)?).await?;
    same!(pod.get(1).await?.threshold, OFFLINE_THRESHOLD, "a satellite's threshold");
    same!(pod.read(1).await?.default_threshold, OFFLINE_THRESHOLD, "the default in a snapshot");
    same!(pod.store.smallest_threshold().await?, OFFLINE_THRESHOLD, "the smallest threshold");
    Ok(())
}

async fn settings_are_shared_and_setting_them_answers_the_ones_before(bench: &Bench) -> Seen {
    let (one, other) = (bench.pod(0), bench.pod(1));
    same!(one.store.set_liveness(settings(20_000)).await?, None, "before the first");
    same!(other.store.liveness().await?, Some(settings(20_000)), "as another pod reads them");
    let before = other.store.set_liveness(settings(30_000)).await?;
    same!(before, Some(settings(20_000)), "before the second");
    same!(one.store.liveness().await?, Some(settings(30_000)), "after the second");
    Ok(())
}

async fn the_smallest_threshold_is_that_of_any_satellite_or_the_default(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    let smallest = async |expected: u64, what: &str| {
        let seen = pod.store.smallest_threshold().await?;
        same!(seen, Millis::new(expected), "the smallest, with {what}");
        Ok(())
    };
    let set_own = async |number, millis| {
        let own_threshold = Some(own(millis));
        let update = SatelliteUpdate { own_threshold, ..SatelliteUpdate::default() };
        pod.store.update(satellite_id(number), update).await
    };
    smallest(10_000, "the default alone").await?;
    set_own(1, 30_000).await?;
    smallest(10_000, "a longer one").await?;
    set_own(2, 6_000).await?;
    smallest(6_000, "a shorter one").await?;
    pod.store.set_liveness(settings(5_500)).await?;
    smallest(5_500, "a default that is shorter still").await?;
    pod.store.set_liveness(settings(10_000)).await?;
    pod.remove(2, 0).await?;
    smallest(10_000, "the shorter one removed").await
}

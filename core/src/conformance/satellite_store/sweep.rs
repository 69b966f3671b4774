//! Recording a silence (rule T5): the write holds only while all that it was decided on is so.

use super::bench::{Bench, INTERVAL, Pod, THRESHOLD, at, liveness, own, satellite_id};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{Command, LifecycleEvent};
use crate::ports::{EdgeWrite, SatelliteStore, SatelliteUpdate, WriteOutcome};
use crate::time::Millis;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T5" a_silence_is_recorded_as_it_was_decided,
        "R2" a_lost_record_keeps_its_heartbeat,
        "P4" a_silence_written_twice_is_written_once,
        "T5" a_heartbeat_since_the_read_saves_the_satellite,
        "T5" a_changed_threshold_of_its_own_saves_the_satellite,
        "T5" a_changed_default_threshold_saves_the_satellite,
        "T5" a_lapse_of_watching_since_the_read_saves_the_satellite,
        "T5" a_pod_that_ended_its_lease_records_no_silence,
        "T5" a_pod_whose_lease_ran_out_records_no_silence,
        "T5" a_pod_that_never_had_a_lease_records_no_silence,
        "T5" a_lease_is_alive_up_to_its_last_millisecond,
        "T5" a_renewed_lease_does_not_hinder_the_write,
        "P2" a_session_that_came_since_the_read_is_not_lost,
        "T5" a_session_that_was_closed_since_the_read_is_not_lost,
        "T7" a_satellite_that_was_removed_since_the_read_is_gone,
    ]
}

/// When the silence was decided: threshold and settle have passed since the heartbeat at 1 s.
const NOW: i64 = 12_000;

/// A satellite that was connected at 1 s, and the silence that pod 0 decided on.
async fn silent(bench: &Bench) -> Seen<(Pod, EdgeWrite)> {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    pod.watch(NOW).await?;
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &Command::Sweep, at(NOW))?;
    Ok((pod, write))
}

/// The write must conflict and change nothing.
async fn conflicts(pod: &Pod, write: &EdgeWrite) -> Seen {
    let before = pod.read(1).await?;
    same!(pod.write(write).await?, WriteOutcome::Conflict, "recording the silence");
    same!(pod.read(1).await?, before, "what is stored");
    let lost = |event| event == Some(LifecycleEvent::HeartbeatLost);
    ensure!(!lost(before.record.last_event), "a satellite that is lost already");
    Ok(())
}

async fn a_silence_is_recorded_as_it_was_decided(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "recording the silence");
    same!(pod.read(1).await?.record, write.change.next, "the record");
    same!(pod.history(1).await?.last(), Some(&write.transition()), "the last transition");
    Ok(())
}

async fn a_lost_record_keeps_its_heartbeat(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    pod.write(&write).await?;
    let record = pod.read(1).await?.record;
    same!(record.last_event, Some(LifecycleEvent::HeartbeatLost), "the last event");
    same!(record.last_heartbeat_at, Some(at(1_000)), "the heartbeat");
    Ok(())
}

async fn a_silence_written_twice_is_written_once(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "recording the silence");
    same!(pod.write(&write).await?, WriteOutcome::Conflict, "the same write again");
    same!(pod.history(1).await?.len(), 2, "transitions");
    Ok(())
}

async fn a_heartbeat_since_the_read_saves_the_satellite(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    ensure!(bench.pod(1).beat(1, 1, 1_001).await?, "a heartbeat that was not applied");
    conflicts(&pod, &write).await
}

async fn a_changed_threshold_of_its_own_saves_the_satellite(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    let own_threshold = Some(own(60_000));
    let update = SatelliteUpdate { own_threshold, ..SatelliteUpdate::default() };
    bench.pod(1).store.update(satellite_id(1), update).await?;
    conflicts(&pod, &write).await
}

async fn a_changed_default_threshold_saves_the_satellite(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    bench.pod(1).store.set_liveness(liveness(Millis::new(60_000))).await?;
    conflicts(&pod, &write).await?;
    pod.store.set_liveness(liveness(THRESHOLD)).await?;
    let outcome = pod.write(&write).await?;
    same!(outcome, WriteOutcome::Applied, "the silence once the default is back");
    Ok(())
}

async fn a_lapse_of_watching_since_the_read_saves_the_satellite(bench: &Bench) -> Seen {
    let (pod, mut write) = silent(bench).await?;
    let after_a_lapse = NOW + 2 * INTERVAL.as_i64();
    let span = pod.store.renew_watch(&pod.name, at(after_a_lapse), INTERVAL).await?;
    same!(span.since, at(after_a_lapse), "the start of the new span");
    write.now = at(after_a_lapse);
    conflicts(&pod, &write).await
}

/// Another pod keeps the span going, so that only the writing pod's own lease is missing.
async fn watched_by_another(bench: &Bench) -> Seen {
    let other = bench.pod(1);
    other.store.renew_watch(&other.name, at(NOW), INTERVAL.times(10)).await?;
    Ok(())
}

async fn a_pod_that_ended_its_lease_records_no_silence(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    watched_by_another(bench).await?;
    pod.store.end_watch(&pod.name, at(NOW)).await?;
    conflicts(&pod, &write).await
}

async fn a_pod_whose_lease_ran_out_records_no_silence(bench: &Bench) -> Seen {
    let (pod, mut write) = silent(bench).await?;
    watched_by_another(bench).await?;
    write.now = at(NOW + INTERVAL.as_i64() + 1);
    conflicts(&pod, &write).await
}

async fn a_pod_that_never_had_a_lease_records_no_silence(bench: &Bench) -> Seen {
    let (_, mut write) = silent(bench).await?;
    let third = bench.pod(2);
    write.origin = third.origin();
    conflicts(&third, &write).await
}

async fn a_lease_is_alive_up_to_its_last_millisecond(bench: &Bench) -> Seen {
    let (pod, mut write) = silent(bench).await?;
    write.now = at(NOW + INTERVAL.as_i64());
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the silence as the lease ends");
    Ok(())
}

async fn a_renewed_lease_does_not_hinder_the_write(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    watched_by_another(bench).await?;
    pod.store.renew_watch(&pod.name, at(NOW + 10), INTERVAL).await?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the silence in the same span");
    Ok(())
}

async fn a_session_that_came_since_the_read_is_not_lost(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    bench.pod(1).connect(1, 11_900).await?;
    conflicts(&pod, &write).await
}

async fn a_session_that_was_closed_since_the_read_is_not_lost(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    bench.pod(1).close(1, 11_900).await?;
    conflicts(&pod, &write).await
}

async fn a_satellite_that_was_removed_since_the_read_is_gone(bench: &Bench) -> Seen {
    let (pod, write) = silent(bench).await?;
    bench.pod(1).remove(1, 11_900).await?;
    same!(pod.write(&write).await?, WriteOutcome::Gone, "recording the silence");
    same!(pod.store.get(satellite_id(1)).await?, None, "the satellite");
    Ok(())
}

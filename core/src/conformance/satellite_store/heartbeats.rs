//! The batch of heartbeats (rule T2), held against `decide`.

use super::bench::{Bench, Pod, SETTLE, at, beat, satellite_id};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{Command, Decision, LifecycleEvent, Unchanged, decide};
use crate::ports::{ConnectionSnapshot, HeartbeatWrite, SatelliteStore};
use crate::time::Timestamp;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T2" a_batch_does_to_every_record_what_decide_says,
        "T2" an_empty_batch_does_nothing,
        "T2" any_number_of_heartbeats_fits_into_a_batch,
        "T2" a_heartbeat_never_moves_time_back,
        "T2" a_heartbeat_never_moves_time_ahead_of_now,
        "T2" a_heartbeat_is_no_edge,
        "P2" a_heartbeat_of_an_older_session_changes_nothing,
        "P2" a_heartbeat_of_an_epoch_that_is_yet_to_come_changes_nothing,
        "P2" a_heartbeat_of_a_closed_session_changes_nothing,
        "T7" a_heartbeat_of_a_removed_satellite_changes_nothing,
    ]
}

/// Store time of the batch.
const NOW: i64 = 12_500;

/// The ways in which a record can be, each made for one satellite. The last one is at epoch 3.
const KINDS: u32 = 6;

async fn make(pod: &Pod, kind: u32, number: u32) -> Seen {
    match kind {
        0 => return Ok(()),
        1 => drop(pod.connect(number, 12_000).await?),
        2 => {
            pod.connect(number, 1_000).await?;
            pod.connect(number, 12_000).await?;
        }
        3 => {
            pod.connect(number, 11_000).await?;
            pod.close(number, 12_000).await?;
        }
        4 => {
            pod.connect(number, 1_000).await?;
            pod.lose(number, 12_000).await?;
        }
        _ => {
            pod.connect(number, 1_000).await?;
            pod.lose(number, 11_500).await?;
            pod.connect(number, 11_600).await?;
            pod.connect(number, 12_000).await?;
        }
    }
    Ok(())
}

/// What `decide` says of one heartbeat: whether the batch applies it, and the time after it.
fn decided(read: &ConnectionSnapshot, beat: &HeartbeatWrite) -> (bool, Option<Timestamp>) {
    let heard = read.record.last_heartbeat_at;
    let connected = read.record.last_event == Some(LifecycleEvent::Connected);
    let command = Command::Heartbeat { epoch: beat.epoch, at: beat.at };
    match decide(&read.record, &command, &read.context(at(NOW), SETTLE)) {
        Decision::Beat { heard } => (true, Some(heard)),
        Decision::Unchanged(Unchanged::StaleHeartbeat) if connected => (true, heard),
        Decision::Record(_)
        | Decision::Unchanged(_)
        | Decision::Fenced(_)
        | Decision::Rejected(_) => (false, heard),
    }
}

async fn a_batch_does_to_every_record_what_decide_says(bench: &Bench) -> Seen {
    let pod = bench.fleet(0).await?;
    // Older than what is stored, the same, newer, exactly now, ahead of now, long ago.
    let times = [11_999, 12_000, 12_001, NOW, NOW + 60_000, 0];
    let mut batch = Vec::new();
    for kind in 0..KINDS {
        for epoch in 0..=4 {
            for millis in times {
                let number = batch.len() as u32 + 1;
                pod.create(super::bench::new_satellite(number)?).await?;
                make(&pod, kind, number).await?;
                batch.push(beat(number, epoch, millis));
            }
        }
    }
    let mut before = Vec::new();
    for number in 1..=batch.len() as u32 {
        before.push(pod.read(number).await?);
    }
    let refused = pod.store.record_heartbeats(&batch, at(NOW)).await?;
    let mut expected_refused = Vec::new();
    for (index, (read, beat)) in before.into_iter().zip(&batch).enumerate() {
        let (applied, heard) = decided(&read, beat);
        let after = pod.read(index as u32 + 1).await?;
        let what = format!("{beat:?} at {} on {:?}", at(NOW), read.record);
        let mut expected = read;
        expected.record.last_heartbeat_at = heard;
        same!(after, expected, "{what}");
        expected_refused.extend((!applied).then_some(index));
    }
    same!(refused, expected_refused, "the indexes not applied");
    Ok(())
}

async fn an_empty_batch_does_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(0).await?;
    same!(pod.store.record_heartbeats(&[], at(0)).await?, Vec::<usize>::new(), "not applied");
    Ok(())
}

async fn any_number_of_heartbeats_fits_into_a_batch(bench: &Bench) -> Seen {
    let pod = bench.fleet(3).await?;
    let mut batch: Vec<_> = (1_000..31_000).map(|number| beat(number, 1, 2_000)).collect();
    let places = [0, 17_000, 30_002];
    for (number, place) in (1..).zip(places) {
        pod.connect(number, 1_000).await?;
        batch.insert(place, beat(number, 1, 2_000));
    }
    let refused = pod.store.record_heartbeats(&batch, at(2_000)).await?;
    let expected: Vec<_> = (0..batch.len()).filter(|index| !places.contains(index)).collect();
    ensure!(
        refused == expected,
        "{} not applied, of {} for satellites that are not there",
        refused.len(),
        expected.len()
    );
    for number in 1..=3 {
        let heard = pod.read(number).await?.record.last_heartbeat_at;
        same!(heard, Some(at(2_000)), "the heartbeat of satellite {number}");
    }
    Ok(())
}

async fn heard(pod: &Pod) -> Seen<Option<Timestamp>> {
    Ok(pod.read(1).await?.record.last_heartbeat_at)
}

async fn a_heartbeat_never_moves_time_back(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    for (millis, expected) in [(3_000, 3_000), (2_000, 3_000), (3_000, 3_000), (3_001, 3_001)] {
        ensure!(pod.beat(1, 1, millis).await?, "a heartbeat at {millis} ms that was not applied");
        same!(heard(&pod).await?, Some(at(expected)), "after a heartbeat at {millis} ms");
    }
    Ok(())
}

async fn a_heartbeat_never_moves_time_ahead_of_now(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let batch = [beat(1, 1, 3_600_000)];
    let refused = pod.store.record_heartbeats(&batch, at(2_000)).await?;
    same!(refused, Vec::<usize>::new(), "not applied");
    same!(heard(&pod).await?, Some(at(2_000)), "after a heartbeat an hour ahead");
    let refused = pod.store.record_heartbeats(&batch, at(1_500)).await?;
    same!(refused, Vec::<usize>::new(), "not applied");
    same!(heard(&pod).await?, Some(at(2_000)), "after a pod whose time is behind");
    Ok(())
}

async fn a_heartbeat_is_no_edge(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let mut expected = pod.read(1).await?;
    ensure!(pod.beat(1, 1, 2_000).await?, "a heartbeat that was not applied");
    expected.record.last_heartbeat_at = Some(at(2_000));
    same!(pod.read(1).await?, expected, "what is stored");
    same!(pod.history(1).await?.len(), 1, "transitions");
    Ok(())
}

/// A heartbeat that must neither be applied nor change anything.
async fn refused(pod: &Pod, epoch: u64) -> Seen {
    let before = pod.store.snapshot(satellite_id(1)).await?;
    ensure!(!pod.beat(1, epoch, 5_000).await?, "a heartbeat of epoch {epoch} that was applied");
    same!(pod.store.snapshot(satellite_id(1)).await?, before, "what is stored");
    Ok(())
}

async fn a_heartbeat_of_an_older_session_changes_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    pod.connect(1, 2_000).await?;
    refused(&pod, 1).await
}

async fn a_heartbeat_of_an_epoch_that_is_yet_to_come_changes_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    refused(&pod, 2).await
}

async fn a_heartbeat_of_a_closed_session_changes_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    pod.close(1, 2_000).await?;
    refused(&pod, 1).await
}

async fn a_heartbeat_of_a_removed_satellite_changes_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    pod.remove(1, 2_000).await?;
    refused(&pod, 1).await
}

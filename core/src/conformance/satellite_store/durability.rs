//! What was answered is stored, also after a crash. Skipped where the fixture cannot open its
//! store again.

use super::bench::{
    ALL, Bench, INTERVAL, Pod, at, liveness, new_satellite, own, satellite_id, token,
};
use super::credentials::credentials;
use crate::conformance::runner::{Case, Fault, Seen};
use crate::connection::Transition;
use crate::ports::{
    ConnectionSnapshot, CredentialAction, RecordedEvent, SatelliteStore, StoredSatellite,
    WriteOutcome,
};
use crate::satellite::{HashedToken, Liveness, ReportedAgent};
use crate::time::{Millis, Timestamp};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "durable" everything_that_was_answered_is_there_after_a_crash,
        "durable" every_single_write_is_there_after_a_crash,
        "durable" a_removed_satellite_does_not_come_back_with_a_crash,
        "durable" cursors_go_on_after_a_crash,
        "P1" a_write_repeated_after_a_crash_is_written_once,
    ]
}

fn needs_reopening(bench: &Bench) -> Seen {
    match bench.can_reopen() {
        true => Ok(()),
        false => Err(Fault::Needs("Fixture::reopened_by")),
    }
}

/// Everything that can be read of satellites `1..=3`.
#[derive(Debug, PartialEq)]
struct Everything {
    liveness: Option<Liveness>,
    satellites: Vec<(StoredSatellite, ConnectionSnapshot, Vec<HashedToken>, Vec<Transition>)>,
    events: Vec<RecordedEvent>,
    next_threshold: Option<Timestamp>,
    slow_hashes: bool,
}

async fn everything(pod: &Pod) -> Seen<Everything> {
    let mut satellites = Vec::new();
    for number in 1..=3 {
        let mut tokens = credentials(pod, number).await?.tokens;
        tokens.sort_by_key(|token| token.id);
        let (stored, read) = (pod.get(number).await?, pod.read(number).await?);
        satellites.push((stored, read, tokens, pod.history(number).await?));
    }
    Ok(Everything {
        liveness: pod.store.liveness().await?,
        satellites,
        events: pod.store.events_after(None, ALL).await?,
        next_threshold: pod.store.next_threshold().await?,
        slow_hashes: pod.store.has_slow_hashes().await?,
    })
}

/// Writes of every kind.
async fn live(pod: &Pod) -> Seen {
    pod.store.set_liveness(liveness(Millis::new(20_000))).await?;
    pod.connect(1, 1_000).await?;
    ensure!(pod.beat(1, 1, 2_000).await?, "a heartbeat that was not applied");
    pod.connect(2, 1_500).await?;
    pod.close(2, 2_500).await?;
    pod.connect(3, 1_000).await?;
    pod.lose(3, 30_000).await?;
    let update = crate::ports::SatelliteUpdate {
        region: Some("moved".parse()?),
        own_threshold: Some(own(30_000)),
        ..crate::ports::SatelliteUpdate::default()
    };
    pod.store.update(satellite_id(2), update).await?;
    let agent = ReportedAgent { version: Some("1.0".into()), capabilities: vec!["a".into()] };
    pod.store.record_agent(satellite_id(2), agent).await?;
    let overlap = CredentialAction::Overlap { new: token(11), until: at(90_000) };
    pod.change_credentials(1, overlap, None, at(30_000)).await?;
    Ok(())
}

async fn everything_that_was_answered_is_there_after_a_crash(bench: &mut Bench) -> Seen {
    needs_reopening(bench)?;
    let pod = bench.fleet(3).await?;
    live(&pod).await?;
    let before = everything(&pod).await?;
    drop(pod);
    bench.crash().await;
    let pod = bench.pod(0);
    same!(everything(&pod).await?, before, "what is stored");
    pod.connect(1, 31_000).await?;
    ensure!(pod.beat(1, 2, 32_000).await?, "a heartbeat after the crash that was not applied");
    Ok(())
}

async fn every_single_write_is_there_after_a_crash(bench: &mut Bench) -> Seen {
    needs_reopening(bench)?;
    drop(bench.fleet(1).await?);
    for round in 0..4 {
        let start = round * 10_000;
        bench.pod(0).connect(1, start + 1_000).await?;
        bench.crash().await;
        let epoch = round.unsigned_abs() + 1;
        let applied = bench.pod(0).beat(1, epoch, start + 2_000).await?;
        ensure!(applied, "a heartbeat of epoch {epoch} that was not applied after a crash");
        bench.crash().await;
        let heard = bench.pod(0).read(1).await?.record.last_heartbeat_at;
        same!(heard, Some(at(start + 2_000)), "the heartbeat after a crash");
        bench.pod(0).close(1, start + 3_000).await?;
        bench.crash().await;
        let span = bench.pod(0).watch(start + 3_000).await?;
        bench.crash().await;
        same!(bench.pod(0).read(1).await?.watch, Some(span), "the span of watching");
    }
    same!(bench.pod(0).history(1).await?.len(), 8, "transitions");
    Ok(())
}

async fn a_removed_satellite_does_not_come_back_with_a_crash(bench: &mut Bench) -> Seen {
    needs_reopening(bench)?;
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let removal = pod.remove(1, 2_000).await?;
    drop(pod);
    bench.crash().await;
    let pod = bench.pod(0);
    same!(pod.store.get(satellite_id(1)).await?, None, "the satellite");
    same!(pod.store.remove(removal.clone()).await?, WriteOutcome::Gone, "the removal, repeated");
    same!(pod.history(1).await?.last(), Some(&removal.transition()), "the last transition");
    Ok(())
}

async fn cursors_go_on_after_a_crash(bench: &mut Bench) -> Seen {
    needs_reopening(bench)?;
    let pod = bench.fleet(2).await?;
    for number in [1, 2] {
        pod.connect(number, 1_000).await?;
    }
    let newest = pod.store.newest_event().await?;
    drop(pod);
    bench.crash().await;
    let pod = bench.pod(0);
    same!(pod.store.newest_event().await?, newest, "the newest event");
    pod.connect(1, 2_000).await?;
    let events = pod.store.events_after(newest, ALL).await?;
    same!(events.len(), 1, "events after the newest before the crash");
    Ok(())
}

async fn a_write_repeated_after_a_crash_is_written_once(bench: &mut Bench) -> Seen {
    needs_reopening(bench)?;
    let pod = bench.fleet(0).await?;
    pod.store.renew_watch(&pod.name, at(0), INTERVAL).await?;
    pod.create(new_satellite(1)?).await?;
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &super::bench::connect(&read, 7), at(1_000))?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the connect");
    drop(pod);
    bench.crash().await;
    let pod = bench.pod(0);
    pod.create(new_satellite(1)?).await?;
    same!(pod.write(&write).await?, WriteOutcome::Conflict, "the same connect again");
    same!(pod.history(1).await?.len(), 1, "transitions");
    Ok(())
}

//! The end of a session (rule T4).

use super::bench::{Bench, SETTLE, at, close, satellite_id};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{CloseReason, Command, Decision, Fence, decide};
use crate::ports::{SatelliteStore, WriteOutcome};
use crate::satellite::Epoch;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T4" every_cause_of_a_close_is_recorded_as_it_was_decided,
        "R3" a_closed_record_keeps_epoch_and_session_and_loses_its_heartbeat,
        "T4" a_lost_session_can_still_be_closed,
        "P1" a_close_written_twice_is_written_once,
        "P2" a_close_of_an_older_session_changes_nothing,
        "P2" a_close_decided_before_a_takeover_changes_nothing,
        "T4" a_heartbeat_since_the_read_does_not_save_a_closed_session,
        "P11" a_pod_whose_time_is_behind_records_edges_in_order_all_the_same,
    ]
}

async fn every_cause_of_a_close_is_recorded_as_it_was_decided(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let reasons = CloseReason::ALL.iter().filter(|reason| reason.cause().is_some());
    for (round, reason) in (0..).zip(reasons) {
        pod.connect(1, round * 1_000 + 1).await?;
        let read = pod.read(1).await?;
        let command = Command::Close { epoch: read.record.epoch, reason: *reason };
        let write = pod.edge(&read, &command, at(round * 1_000 + 500))?;
        same!(pod.write(&write).await?, WriteOutcome::Applied, "{reason:?}");
        same!(pod.read(1).await?.record, write.change.next, "the record after {reason:?}");
        let history = pod.history(1).await?;
        same!(history.last(), Some(&write.transition()), "the transition of {reason:?}");
    }
    Ok(())
}

async fn a_closed_record_keeps_epoch_and_session_and_loses_its_heartbeat(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let before = pod.close(1, 2_000).await?.record;
    let after = pod.read(1).await?.record;
    let identity = (before.epoch, before.session, before.token);
    same!((after.epoch, after.session, after.token), identity, "epoch, session and token");
    same!(after.last_heartbeat_at, None, "the heartbeat");
    Ok(())
}

async fn a_lost_session_can_still_be_closed(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    pod.lose(1, 12_000).await?;
    pod.close(1, 13_000).await?;
    same!(pod.read(1).await?.record.last_heartbeat_at, None, "the heartbeat");
    Ok(())
}

async fn a_close_written_twice_is_written_once(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &close(&read), at(2_000))?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the close");
    same!(pod.write(&write).await?, WriteOutcome::Conflict, "the same write again");
    let read = pod.read(1).await?;
    let again = decide(&read.record, &close(&read), &read.context(at(3_000), SETTLE));
    same!(again, Decision::Fenced(Fence::Closed), "the close, decided again");
    Ok(())
}

async fn a_close_of_an_older_session_changes_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    pod.connect(1, 2_000).await?;
    let read = pod.read(1).await?;
    let stale = Command::Close { epoch: Epoch(1), reason: CloseReason::ConnectionLost };
    let decision = decide(&read.record, &stale, &read.context(at(3_000), SETTLE));
    same!(decision, Decision::Fenced(Fence::Superseded), "the stale close on what is stored");
    Ok(())
}

async fn a_close_decided_before_a_takeover_changes_nothing(bench: &Bench) -> Seen {
    let (old, new) = (bench.fleet(1).await?, bench.pod(1));
    old.connect(1, 1_000).await?;
    let read = old.read(1).await?;
    let stale = old.edge(&read, &close(&read), at(3_000))?;
    new.connect(1, 2_000).await?;
    let before = old.read(1).await?;
    same!(old.write(&stale).await?, WriteOutcome::Conflict, "the stale close");
    same!(old.read(1).await?, before, "what is stored");
    Ok(())
}

async fn a_heartbeat_since_the_read_does_not_save_a_closed_session(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let read = pod.read(1).await?;
    ensure!(pod.beat(1, 1, 2_000).await?, "a heartbeat that was not applied");
    let write = pod.edge(&read, &close(&read), at(3_000))?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the close");
    let online = pod.store.online_ids(at(3_000)).await?;
    ensure!(!online.contains(&satellite_id(1)), "a closed satellite online");
    Ok(())
}

async fn a_pod_whose_time_is_behind_records_edges_in_order_all_the_same(bench: &Bench) -> Seen {
    let (pod, behind) = (bench.fleet(1).await?, bench.pod(1));
    pod.connect(1, 1_000).await?;
    behind.close(1, 900).await?;
    behind.connect(1, 950).await?;
    let occurred: Vec<_> = pod.history(1).await?.iter().map(|t| t.occurred_at).collect();
    same!(occurred, [at(1_000); 3], "when the edges occurred");
    same!(pod.read(1).await?.record.last_event_at, Some(at(1_000)), "the last edge");
    Ok(())
}

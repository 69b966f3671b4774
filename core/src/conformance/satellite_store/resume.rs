//! A lost session that is heard again (rule T3).

use super::bench::{Bench, Pod, SETTLE, at};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{Cause, Command, Decision, Status, Unchanged, decide};
use crate::ports::{ConnectionSnapshot, SatelliteStore, WriteOutcome};
use crate::satellite::Epoch;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T3" a_lost_session_that_is_heard_again_is_connected_and_online,
        "T3" the_batch_leaves_a_lost_session_to_decide,
        "P1" a_resume_written_twice_is_written_once,
        "P2" a_resume_loses_against_a_session_that_came_between,
        "P4" a_session_may_be_lost_and_resume_again_and_again,
        "T3" a_heartbeat_from_before_the_loss_resumes_nothing,
    ]
}

/// A satellite that was connected at 1 s and lost at 12 s.
async fn lost(bench: &Bench) -> Seen<Pod> {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    pod.lose(1, 12_000).await?;
    Ok(pod)
}

fn heard(read: &ConnectionSnapshot, millis: i64) -> Command {
    Command::Heartbeat { epoch: read.record.epoch, at: at(millis) }
}

async fn a_lost_session_that_is_heard_again_is_connected_and_online(bench: &Bench) -> Seen {
    let pod = lost(bench).await?;
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &heard(&read, 13_000), at(13_100))?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the resume");
    same!(write.change.edge.cause, Cause::HeartbeatResumed, "its cause");
    same!(pod.read(1).await?.record, write.change.next, "the record");
    same!(pod.history(1).await?.last(), Some(&write.transition()), "the last transition");
    same!(pod.get(1).await?.status(at(23_000)), Status::Online, "its status a threshold later");
    ensure!(pod.beat(1, 1, 14_000).await?, "a heartbeat after the resume that was not applied");
    Ok(())
}

async fn the_batch_leaves_a_lost_session_to_decide(bench: &Bench) -> Seen {
    let pod = lost(bench).await?;
    let before = pod.read(1).await?;
    ensure!(!pod.beat(1, 1, 13_000).await?, "a heartbeat that was applied to a lost session");
    same!(pod.read(1).await?, before, "what is stored");
    Ok(())
}

async fn a_resume_written_twice_is_written_once(bench: &Bench) -> Seen {
    let pod = lost(bench).await?;
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &heard(&read, 13_000), at(13_100))?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the resume");
    let again = bench.pod(1).write(&write).await?;
    same!(again, WriteOutcome::Conflict, "the same write again");
    same!(pod.history(1).await?.len(), 3, "transitions");
    Ok(())
}

async fn a_resume_loses_against_a_session_that_came_between(bench: &Bench) -> Seen {
    let (pod, other) = (lost(bench).await?, bench.pod(1));
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &heard(&read, 13_000), at(13_100))?;
    other.connect(1, 13_050).await?;
    let before = pod.read(1).await?;
    same!(pod.write(&write).await?, WriteOutcome::Conflict, "the resume of the old session");
    same!(pod.read(1).await?, before, "what is stored");
    Ok(())
}

async fn a_session_may_be_lost_and_resume_again_and_again(bench: &Bench) -> Seen {
    let pod = lost(bench).await?;
    for millis in [13_000, 30_000, 47_000] {
        pod.record(1, |read| heard(read, millis), at(millis)).await?;
        pod.lose(1, millis + 12_000).await?;
    }
    let record = pod.read(1).await?.record;
    same!(record.epoch, Epoch(1), "the epoch");
    same!(record.last_heartbeat_at, Some(at(47_000)), "the heartbeat, untouched since the loss");
    Ok(())
}

async fn a_heartbeat_from_before_the_loss_resumes_nothing(bench: &Bench) -> Seen {
    let pod = lost(bench).await?;
    for millis in [1_000, 11_999, 12_000] {
        let read = pod.read(1).await?;
        let decision =
            decide(&read.record, &heard(&read, millis), &read.context(at(13_000), SETTLE));
        let stale = Decision::Unchanged(Unchanged::StaleHeartbeat);
        same!(decision, stale, "a heartbeat of {millis} ms on what is stored");
        ensure!(!pod.beat(1, 1, millis).await?, "a heartbeat at {millis} ms that was applied");
    }
    Ok(())
}

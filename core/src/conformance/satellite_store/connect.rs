//! Connecting (rule T1): the newest authenticated session wins, and no older one ever does.

use super::bench::{ALL, Bench, Pod, at, change, connect, satellite_id, session, token};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{
    Actor, Cause, Command, Decision, LifecycleEvent, Recorded, Rejection, TransitionKind,
    Unchanged, decide,
};
use crate::ports::{ConnectionSnapshot, CredentialAction, EdgeWrite, SatelliteStore, WriteOutcome};
use crate::satellite::{Epoch, Seq};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T1" a_first_connect_is_recorded_as_it_was_decided,
        "E3" a_connect_leaves_record_transition_and_event,
        "T1" connecting_works_in_every_state,
        "P1" a_connect_written_twice_is_written_once,
        "P1" a_connect_whose_reply_was_lost_is_recognised_when_it_is_repeated,
        "P2" a_repeated_connect_fences_no_session_that_came_between,
        "T1" an_epoch_that_moved_since_the_credential_was_read_refuses_the_connect,
        "T1" a_credential_that_changed_since_it_was_read_refuses_the_connect,
        "T1" a_credential_that_was_disabled_since_it_was_read_refuses_the_connect,
        "T1" a_better_hash_of_the_same_token_refuses_nobody,
        "T1" heartbeats_of_the_old_session_do_not_hinder_the_new_one,
    ]
}

/// What was decided must be what is stored.
async fn stored_as_decided(pod: &Pod, write: &EdgeWrite) -> Seen {
    same!(pod.read(1).await?.record, write.change.next, "the record");
    let history = pod.history(1).await?;
    same!(history.last(), Some(&write.transition()), "the last transition");
    Ok(())
}

async fn a_first_connect_is_recorded_as_it_was_decided(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &connect(&read, 7), at(1_000))?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the connect");
    stored_as_decided(&pod, &write).await?;
    let record = pod.read(1).await?.record;
    let seen = (record.epoch, record.session, record.token, record.seq);
    let expected = (Epoch(1), Some(session(7)), Some(token(1).id), Seq(1));
    same!(seen, expected, "epoch, session, token and seq");
    same!(record.last_heartbeat_at, Some(at(1_000)), "the heartbeat");
    same!(pod.history(2).await?, vec![], "another satellite's history");
    Ok(())
}

async fn a_connect_leaves_record_transition_and_event(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let read = pod.read(1).await?;
    let mut write = pod.edge(&read, &connect(&read, 7), at(1_000))?;
    write.origin.remote_address = Some("2001:db8::1".to_owned());
    write.origin.actor = Some(Actor("api-token \"1\"".to_owned()));
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the connect");
    stored_as_decided(&pod, &write).await?;
    let events = pod.store.events_after(None, ALL).await?;
    let transitions: Vec<_> = events.into_iter().map(|event| event.recorded).collect();
    same!(transitions, vec![Recorded::Transition(write.transition())], "the events");
    let kind = transitions[0].transition().and_then(|transition| transition.kind);
    same!(kind, Some(TransitionKind::Edge(LifecycleEvent::Connected)), "its kind");
    Ok(())
}

async fn connecting_works_in_every_state(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let caused = async |session, millis, cause| {
        let read = pod.read(1).await?;
        let write = pod.edge(&read, &connect(&read, session), at(millis))?;
        same!(pod.write(&write).await?, WriteOutcome::Applied, "session {session}");
        same!(write.change.edge.cause, cause, "the cause of session {session}");
        stored_as_decided(&pod, &write).await
    };
    caused(1, 1_000, Cause::Authenticated).await?;
    caused(2, 2_000, Cause::TookOver).await?;
    pod.close(1, 3_000).await?;
    caused(3, 4_000, Cause::Authenticated).await?;
    pod.lose(1, 20_000).await?;
    caused(4, 21_000, Cause::Authenticated).await?;
    same!(pod.read(1).await?.record.epoch, Epoch(4), "the epoch");
    Ok(())
}

async fn a_connect_written_twice_is_written_once(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &connect(&read, 7), at(1_000))?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the connect");
    same!(pod.write(&write).await?, WriteOutcome::Conflict, "the same write again");
    stored_as_decided(&pod, &write).await?;
    same!(pod.history(1).await?.len(), 1, "transitions");
    Ok(())
}

/// Decides about `command` again, on what is stored now.
async fn decided_again(pod: &Pod, command: &Command) -> Seen<Decision> {
    let read = pod.read(1).await?;
    Ok(decide(&read.record, command, &read.context(at(9_000), super::bench::SETTLE)))
}

async fn a_connect_whose_reply_was_lost_is_recognised_when_it_is_repeated(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let read = pod.read(1).await?;
    let command = connect(&read, 7);
    pod.write(&pod.edge(&read, &command, at(1_000))?).await?;
    let again = decided_again(&bench.pod(1), &command).await?;
    same!(again, Decision::Unchanged(Unchanged::AlreadyConnected), "the repeated connect");
    Ok(())
}

async fn a_repeated_connect_fences_no_session_that_came_between(bench: &Bench) -> Seen {
    let (pod, other) = (bench.fleet(1).await?, bench.pod(1));
    let read = pod.read(1).await?;
    let command = connect(&read, 7);
    let lost = pod.edge(&read, &command, at(1_000))?;
    pod.write(&lost).await?;
    other.record(1, |read| connect(read, 8), at(2_000)).await?;
    same!(pod.write(&lost).await?, WriteOutcome::Conflict, "the old write, repeated");
    let again = decided_again(&pod, &command).await?;
    same!(again, Decision::Rejected(Rejection::EpochMoved), "the old connect, decided again");
    same!(pod.read(1).await?.record.session, Some(session(8)), "the current session");
    Ok(())
}

async fn an_epoch_that_moved_since_the_credential_was_read_refuses_the_connect(
    bench: &Bench,
) -> Seen {
    let (slow, fast) = (bench.fleet(1).await?, bench.pod(1));
    let read = slow.read(1).await?;
    fast.connect(1, 1_000).await?;
    fast.close(1, 2_000).await?;
    let before = slow.read(1).await?;
    let stale = slow.edge(&read, &connect(&read, 7), at(3_000))?;
    same!(slow.write(&stale).await?, WriteOutcome::Conflict, "the slow connect");
    same!(slow.read(1).await?, before, "what is stored");
    Ok(())
}

/// Connects on what was read before `action`.
async fn connect_after(
    bench: &Bench,
    action: CredentialAction,
) -> Seen<(WriteOutcome, ConnectionSnapshot, Pod)> {
    let (pod, operator) = (bench.fleet(1).await?, bench.pod(1));
    let read = pod.read(1).await?;
    let write = pod.edge(&read, &connect(&read, 7), at(2_000))?;
    operator.change_credentials(1, action, None, at(1_000)).await?;
    let before = pod.read(1).await?;
    Ok((pod.write(&write).await?, before, pod))
}

async fn a_credential_that_changed_since_it_was_read_refuses_the_connect(bench: &Bench) -> Seen {
    let replaced = CredentialAction::Replace(token(2));
    let (outcome, before, pod) = connect_after(bench, replaced).await?;
    same!(outcome, WriteOutcome::Conflict, "the connect on the old credential");
    same!(pod.read(1).await?, before, "what is stored");
    let read = pod.read(1).await?;
    change(&read, &connect(&read, 8), at(3_000))?;
    Ok(())
}

async fn a_credential_that_was_disabled_since_it_was_read_refuses_the_connect(
    bench: &Bench,
) -> Seen {
    let (outcome, before, pod) = connect_after(bench, CredentialAction::SetEnabled(false)).await?;
    same!(outcome, WriteOutcome::Conflict, "the connect of a satellite that was disabled");
    same!(pod.read(1).await?, before, "what is stored");
    Ok(())
}

async fn a_better_hash_of_the_same_token_refuses_nobody(bench: &Bench) -> Seen {
    let rehash = CredentialAction::Rehash { token: token(1).id, hash: token(99).hash };
    let (outcome, _, _) = connect_after(bench, rehash).await?;
    same!(outcome, WriteOutcome::Applied, "the connect");
    Ok(())
}

async fn heartbeats_of_the_old_session_do_not_hinder_the_new_one(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let read = pod.read(1).await?;
    ensure!(bench.pod(1).beat(1, 1, 2_000).await?, "a heartbeat that was not applied");
    let write = pod.edge(&read, &connect(&read, 7), at(3_000))?;
    same!(pod.write(&write).await?, WriteOutcome::Applied, "the takeover");
    let seen = pod.store.snapshot(satellite_id(1)).await?.map(|read| read.record);
    same!(seen, Some(write.change.next), "the record");
    Ok(())
}

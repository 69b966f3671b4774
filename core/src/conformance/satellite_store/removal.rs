//! Removing a satellite (rule T7), and that it stays so (rule T6).

use super::bench::{
    ALL, Bench, Pod, SETTLE, at, close, connect, ids, list_all, new_satellite, own, satellite_id,
    token,
};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{Actor, TransitionKind, check_history};
use crate::ports::{
    CreateOutcome, CredentialAction, Removal, SatelliteStore, SatelliteUpdate, UpdateOutcome,
    WriteOutcome,
};
use crate::satellite::{ReportedAgent, Seq};

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "T7" a_removal_takes_the_next_seq_and_is_recorded_as_it_was_decided,
        "T7" a_satellite_that_never_connected_is_removed_with_seq_one,
        "T7" a_removed_satellite_is_nowhere_but_in_its_history,
        "T7" the_name_of_a_removed_satellite_is_free,
        "T7" others_stay_when_one_is_removed,
        "P1" a_removal_written_twice_is_written_once,
        "T7" an_edge_since_the_read_conflicts_with_a_removal,
        "T7" heartbeats_and_credentials_do_not_hinder_a_removal,
        "T6" nothing_that_comes_late_makes_a_removed_satellite_again,
    ]
}

async fn a_removal_takes_the_next_seq_and_is_recorded_as_it_was_decided(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let read = pod.read(1).await?;
    let mut origin = pod.origin();
    origin.actor = Some(Actor("operator".to_owned()));
    let removal = Removal { read, origin, now: at(2_000) };
    same!(pod.store.remove(removal.clone()).await?, WriteOutcome::Applied, "the removal");
    let history = pod.history(1).await?;
    same!(history.last(), Some(&removal.transition()), "the last transition");
    same!(history.last().map(|last| last.seq), Some(Seq(2)), "its seq");
    Ok(check_history(&history, None)?)
}

async fn a_satellite_that_never_connected_is_removed_with_seq_one(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let removal = pod.remove(1, 1_000).await?;
    same!(pod.history(1).await?, vec![removal.transition()], "the history");
    Ok(())
}

async fn a_removed_satellite_is_nowhere_but_in_its_history(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let own_threshold = Some(own(2_000));
    let update = SatelliteUpdate { own_threshold, ..SatelliteUpdate::default() };
    pod.store.update(satellite_id(1), update).await?;
    let overlap = CredentialAction::Overlap { new: token(2), until: at(500) };
    pod.change_credentials(1, overlap, None, at(0)).await?;
    pod.connect(1, 1_000).await?;
    pod.remove(1, 2_000).await?;
    let (id, store) = (satellite_id(1), &pod.store);
    same!(store.get(id).await?, None, "get");
    same!(store.get_many(&[id]).await?, vec![], "get_many");
    same!(store.snapshot(id).await?, None, "snapshot");
    ensure!(store.credentials(id).await?.is_none(), "credentials of nobody");
    same!(ids(&store.list(&list_all(at(1_000))).await?), vec![], "the list");
    same!(store.online_ids(at(1_000)).await?, vec![], "the online ids");
    same!(store.overdue(at(99_000), SETTLE, at(0), ALL).await?, vec![], "the overdue");
    same!(store.next_threshold().await?, None, "the next threshold");
    same!(store.expired_tokens(at(99_000), ALL).await?, vec![], "the expired tokens");
    let kinds: Vec<_> = pod.history(1).await?.iter().map(|t| t.kind).collect();
    same!(kinds.last(), Some(&Some(TransitionKind::Removed)), "the end of its history");
    same!(store.events_after(None, ALL).await?.len(), 2, "events");
    Ok(())
}

async fn the_name_of_a_removed_satellite_is_free(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let name = pod.get(1).await?.satellite.name;
    pod.remove(1, 2_000).await?;
    let mut successor = new_satellite(2)?;
    successor.satellite.name = name.clone();
    same!(pod.store.create(successor).await?, CreateOutcome::Created, "its successor");
    same!(pod.get(2).await?.satellite.name, name, "the successor's name");
    same!(pod.history(2).await?, vec![], "the successor's history");
    same!(pod.history(1).await?.len(), 2, "transitions of the removed one");
    Ok(())
}

async fn others_stay_when_one_is_removed(bench: &Bench) -> Seen {
    let pod = bench.fleet(3).await?;
    for number in 1..=3 {
        pod.connect(number, 1_000).await?;
    }
    let others = (pod.read(1).await?, pod.read(3).await?);
    pod.remove(2, 2_000).await?;
    same!((pod.read(1).await?, pod.read(3).await?), others, "the others");
    Ok(())
}

async fn a_removal_written_twice_is_written_once(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let removal = pod.remove(1, 1_000).await?;
    same!(pod.store.remove(removal).await?, WriteOutcome::Gone, "the same removal again");
    same!(pod.history(1).await?.len(), 1, "transitions");
    Ok(())
}

async fn an_edge_since_the_read_conflicts_with_a_removal(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let removal = Removal { read: pod.read(1).await?, origin: pod.origin(), now: at(2_000) };
    bench.pod(1).connect(1, 1_000).await?;
    let before = pod.read(1).await?;
    same!(pod.store.remove(removal).await?, WriteOutcome::Conflict, "the removal");
    same!(pod.read(1).await?, before, "what is stored");
    Ok(())
}

async fn heartbeats_and_credentials_do_not_hinder_a_removal(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let removal = Removal { read: pod.read(1).await?, origin: pod.origin(), now: at(3_000) };
    ensure!(pod.beat(1, 1, 2_000).await?, "a heartbeat that was not applied");
    let overlap = CredentialAction::Overlap { new: token(2), until: at(9_000) };
    pod.change_credentials(1, overlap, None, at(2_500)).await?;
    same!(pod.store.remove(removal).await?, WriteOutcome::Applied, "the removal");
    Ok(())
}

/// Everything that may have been on its way when the satellite was removed.
async fn late_words(pod: &Pod, late: &Pod) -> Seen {
    let read = pod.read(1).await?;
    let writes = [
        pod.edge(&read, &connect(&read, 8), at(3_000))?,
        pod.edge(&read, &close(&read), at(3_000))?,
    ];
    let replaced = CredentialAction::Replace(token(2));
    let change = pod.credential_change(&read, replaced, None, at(3_000));
    pod.remove(1, 2_000).await?;
    for write in &writes {
        same!(late.write(write).await?, WriteOutcome::Gone, "{:?}", write.change.edge);
    }
    same!(late.beat(1, 1, 3_000).await?, false, "whether a heartbeat was applied");
    let outcome = late.store.change_credentials(change).await?;
    same!(outcome, WriteOutcome::Gone, "a late rotation");
    let update = SatelliteUpdate { region: Some("r".parse()?), ..SatelliteUpdate::default() };
    let outcome = late.store.update(satellite_id(1), update).await?;
    same!(outcome, UpdateOutcome::Gone, "a late update");
    late.store.record_agent(satellite_id(1), ReportedAgent::default()).await?;
    Ok(())
}

async fn nothing_that_comes_late_makes_a_removed_satellite_again(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    late_words(&pod, &bench.pod(1)).await?;
    same!(pod.store.get(satellite_id(1)).await?, None, "the satellite");
    same!(pod.store.snapshot(satellite_id(1)).await?, None, "its record");
    same!(pod.history(1).await?.len(), 2, "transitions");
    same!(pod.store.online_ids(at(3_000)).await?, vec![], "the online ids");
    Ok(())
}

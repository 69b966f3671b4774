//! Several edges in one call: each under its own guard, none in the way of another.

use super::bench::{ALL, Bench, at, close, connect, satellite_id};
use crate::conformance::runner::{Case, Seen};
use crate::ports::{SatelliteStore, WriteOutcome};
use crate::satellite::Seq;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "batch" an_empty_batch_answers_nothing,
        "batch" every_write_of_a_batch_is_stored_as_it_was_decided,
        "batch" a_conflict_and_a_removed_satellite_hinder_no_other_write,
        "batch" of_two_writes_on_the_same_read_one_conflicts,
        "batch" a_batch_may_be_as_long_as_a_fleet,
    ]
}

async fn an_empty_batch_answers_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    same!(pod.store.record_edges(Vec::new()).await?, vec![], "outcomes");
    Ok(())
}

async fn every_write_of_a_batch_is_stored_as_it_was_decided(bench: &Bench) -> Seen {
    let pod = bench.fleet(5).await?;
    let mut writes = Vec::new();
    for number in [4, 1, 5, 2] {
        let read = pod.read(number).await?;
        writes.push(pod.edge(&read, &connect(&read, number), at(i64::from(number)))?);
    }
    let outcomes = pod.store.record_edges(writes.clone()).await?;
    same!(outcomes, vec![WriteOutcome::Applied; 4], "the outcomes");
    for (number, write) in [4, 1, 5, 2].into_iter().zip(writes) {
        same!(pod.read(number).await?.record, write.change.next, "the record of {number}");
        same!(pod.history(number).await?, vec![write.transition()], "the history of {number}");
    }
    same!(pod.read(3).await?.record.seq, Seq(0), "the seq of one that was not in the batch");
    same!(pod.store.events_after(None, ALL).await?.len(), 4, "events");
    Ok(())
}

async fn a_conflict_and_a_removed_satellite_hinder_no_other_write(bench: &Bench) -> Seen {
    let pod = bench.fleet(5).await?;
    for number in 1..=5 {
        pod.connect(number, 1_000).await?;
    }
    let mut writes = Vec::new();
    for number in 1..=5 {
        let read = pod.read(number).await?;
        writes.push(pod.edge(&read, &close(&read), at(3_000))?);
    }
    pod.connect(2, 2_000).await?;
    pod.remove(4, 2_000).await?;
    let before = pod.read(2).await?;
    let outcomes = pod.store.record_edges(writes.clone()).await?;
    let applied = WriteOutcome::Applied;
    let expected = [applied, WriteOutcome::Conflict, applied, WriteOutcome::Gone, applied];
    same!(outcomes, expected, "the outcomes");
    for (number, write) in [(1, &writes[0]), (3, &writes[2]), (5, &writes[4])] {
        same!(pod.read(number).await?.record, write.change.next, "the record of {number}");
    }
    same!(pod.read(2).await?, before, "the one that conflicted");
    same!(pod.store.get(satellite_id(4)).await?, None, "the removed one");
    Ok(())
}

async fn of_two_writes_on_the_same_read_one_conflicts(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    let (one, two) = (pod.read(1).await?, pod.read(2).await?);
    let writes = [
        pod.edge(&one, &connect(&one, 7), at(1_000))?,
        pod.edge(&two, &connect(&two, 8), at(1_000))?,
        pod.edge(&one, &connect(&one, 9), at(1_000))?,
    ];
    let outcomes = pod.store.record_edges(writes.to_vec()).await?;
    let expected = [WriteOutcome::Applied, WriteOutcome::Applied, WriteOutcome::Conflict];
    same!(outcomes, expected, "the outcomes");
    same!(pod.read(1).await?.record, writes[0].change.next, "the record");
    same!(pod.history(1).await?.len(), 1, "transitions");
    Ok(())
}

async fn a_batch_may_be_as_long_as_a_fleet(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    let read = pod.read(1).await?;
    let template = pod.edge(&read, &connect(&read, 7), at(1_000))?;
    let mut writes = Vec::new();
    for number in 1_000..7_000 {
        let mut write = template.clone();
        write.read.satellite = satellite_id(number);
        writes.push(write);
    }
    let last = pod.read(2).await?;
    writes.push(pod.edge(&last, &connect(&last, 8), at(1_000))?);
    writes.insert(3_000, template);
    let outcomes = pod.store.record_edges(writes).await?;
    same!(outcomes.len(), 6_002, "outcomes");
    for (place, outcome) in outcomes.into_iter().enumerate() {
        let known = place == 3_000 || place == 6_001;
        let expected = if known { WriteOutcome::Applied } else { WriteOutcome::Gone };
        same!(outcome, expected, "write {place}");
    }
    Ok(())
}

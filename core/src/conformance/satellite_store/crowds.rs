//! Many writers and readers at once, on handles of their own (properties P7, P8).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{join, join_all};

use super::bench::{ALL, Bench, Pod, at, connect, satellite_id};
use crate::conformance::runner::{Case, Fault, Seen, give_way};
use crate::ports::{RecordedEvent, SatelliteStore, WriteOutcome};
use crate::satellite::Seq;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "P8" many_writers_on_one_satellite_leave_a_gapless_history,
        "P8" many_writers_on_many_satellites_hinder_none,
        "events" a_reader_that_follows_while_many_write_misses_nothing,
        "E3" whoever_reads_a_record_finds_its_transition,
    ]
}

/// Connects satellite `number` with one session after another, as often as `times`, reading
/// again after every conflict.
async fn keeps_connecting(pod: Pod, number: u32, sessions: u32, times: u32) -> Seen<u32> {
    let mut conflicts = 0;
    for session in (sessions..).take(times as usize) {
        loop {
            let read = pod.read(number).await?;
            let write = pod.edge(&read, &connect(&read, session), at(i64::from(session)))?;
            match pod.write(&write).await? {
                WriteOutcome::Applied => break,
                WriteOutcome::Conflict => conflicts += 1,
                WriteOutcome::Gone => return Err(Fault::Seen("Gone".to_owned())),
            }
            ensure!(conflicts < 10_000, "conflicts without end");
        }
    }
    Ok(conflicts)
}

async fn many_writers_on_one_satellite_leave_a_gapless_history(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    let writers =
        (0..8).map(|writer| keeps_connecting(bench.pod(writer), 1, 1_000 * (writer as u32 + 1), 5));
    for outcome in join_all(writers).await {
        outcome?;
    }
    let seqs: Vec<_> = pod.history(1).await?.iter().map(|transition| transition.seq).collect();
    same!(seqs, (1..=40).map(Seq).collect::<Vec<_>>(), "the seqs");
    Ok(())
}

async fn many_writers_on_many_satellites_hinder_none(bench: &Bench) -> Seen {
    let pod = bench.fleet(24).await?;
    let writers = (0..24).map(|writer| {
        keeps_connecting(bench.pod(writer), writer as u32 + 1, 1_000 * (writer as u32 + 1), 3)
    });
    for (number, outcome) in (1..).zip(join_all(writers).await) {
        same!(outcome?, 0, "conflicts of satellite {number}, which only one writes");
        same!(pod.history(number).await?.len(), 3, "transitions of satellite {number}");
    }
    let events = pod.store.events_after(None, ALL).await?;
    same!(events.len(), 72, "events");
    Ok(())
}

/// Edges that [`while_many_write`] records.
const WRITTEN: usize = 48;

/// Connects 12 satellites, each again and again, while `reader` reads; it is told when they have
/// done.
async fn while_many_write<F, T>(
    bench: &Bench,
    reader: impl FnOnce(Pod, Arc<AtomicBool>) -> F,
) -> Seen<T>
where
    F: Future<Output = Seen<T>>,
{
    let done = Arc::new(AtomicBool::new(false));
    let writing = async {
        let writers = (0..12).map(|writer| {
            keeps_connecting(bench.pod(writer), writer as u32 + 1, 1_000 * (writer as u32 + 1), 4)
        });
        let conflicts: Seen<Vec<u32>> = join_all(writers).await.into_iter().collect();
        done.store(true, Ordering::SeqCst);
        conflicts
    };
    let (written, read) = join(writing, reader(bench.pod(1), Arc::clone(&done))).await;
    written?;
    read
}

async fn a_reader_that_follows_while_many_write_misses_nothing(bench: &Bench) -> Seen {
    let pod = bench.fleet(12).await?;
    let followed = while_many_write(bench, async |reader: Pod, done: Arc<AtomicBool>| {
        let mut followed: Vec<RecordedEvent> = Vec::new();
        loop {
            let was_done = done.load(Ordering::SeqCst);
            let after = followed.last().map(|event| event.cursor);
            let page = reader.store.events_after(after, 3).await?;
            if page.is_empty() && was_done {
                return Ok(followed);
            }
            followed.extend(page);
            ensure!(followed.len() <= WRITTEN, "more events than were recorded");
            give_way().await;
        }
    })
    .await?;
    let all = pod.store.events_after(None, ALL).await?;
    let missed = all.iter().filter(|event| !followed.contains(event)).count();
    ensure!(missed == 0, "{missed} events that the reader never met, read in the end");
    same!(followed, all, "what the reader met, beside what is there in the end");
    same!(all.len(), WRITTEN, "events in the end");
    Ok(())
}

async fn whoever_reads_a_record_finds_its_transition(bench: &Bench) -> Seen {
    bench.fleet(12).await?;
    while_many_write(bench, async |reader: Pod, done: Arc<AtomicBool>| {
        for number in (1..=12).cycle() {
            let was_done = done.load(Ordering::SeqCst);
            let record = reader.read(number).await?.record;
            let newest = reader.store.transitions(satellite_id(number), None, 1).await?;
            let found = newest.first().map_or(Seq(0), |transition| transition.seq);
            ensure!(found >= record.seq, "seq {} without its transition", record.seq);
            if was_done {
                break;
            }
            give_way().await;
        }
        Ok(())
    })
    .await
}

//! Histories, the one order of all events, and how old transitions are pruned.

use super::bench::{ALL, Bench, Pod, at, satellite_id};
use crate::conformance::runner::{Case, Seen};
use crate::connection::{Event, Transition};
use crate::ports::{EventCursor, RecordedEvent, SatelliteStore, SatelliteUpdate};
use crate::satellite::Seq;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "P8" seq_grows_by_one_with_every_edge,
        "transitions" pages_go_from_the_newest_to_the_first,
        "E2" a_transition_keeps_the_names_that_it_was_written_with,
        "E3" every_edge_is_an_event,
        "events" events_keep_their_order_when_more_are_recorded,
        "events" reading_goes_on_after_any_cursor,
        "events" the_newest_event_is_the_last_that_would_be_read,
        "events" a_cursor_survives_as_text,
    ]
}

/// Not audited: what is left is no whole history.
pub(super) fn pruning_cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "prune" only_transitions_before_the_given_time_are_deleted,
        "prune" no_more_are_deleted_than_asked_for_and_the_oldest_first,
        "prune" the_record_stays_when_its_history_is_pruned,
        "prune" a_cursor_is_never_given_again,
        "prune" reading_goes_on_after_a_cursor_whose_event_was_pruned,
    ]
}

/// Three satellites with edges in turns, at 1 s, 2 s …: 4, 3 and 2 transitions.
async fn busy(bench: &Bench) -> Seen<Pod> {
    let pod = bench.fleet(3).await?;
    let rounds = [(1, true), (2, true), (1, false), (3, true), (2, true), (1, true), (3, false)];
    for (second, (number, connects)) in (1..).zip(rounds) {
        match connects {
            true => pod.connect(number, second * 1_000).await?,
            false => pod.close(number, second * 1_000).await?,
        };
    }
    pod.remove(1, 8_000).await?;
    pod.close(2, 9_000).await?;
    Ok(pod)
}

async fn events(pod: &Pod, after: Option<EventCursor>) -> Seen<Vec<RecordedEvent>> {
    Ok(pod.store.events_after(after, ALL).await?)
}

fn seqs(transitions: &[Transition]) -> Vec<u64> {
    transitions.iter().map(|transition| transition.seq.0).collect()
}

async fn seq_grows_by_one_with_every_edge(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    for (number, expected) in [(1, vec![1, 2, 3, 4]), (2, vec![1, 2, 3]), (3, vec![1, 2])] {
        same!(seqs(&pod.history(number).await?), expected, "the seqs of satellite {number}");
    }
    same!(pod.read(2).await?.record.seq, Seq(3), "the seq in the record");
    Ok(())
}

async fn pages_go_from_the_newest_to_the_first(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    let page = async |before: Option<u64>, limit| {
        let before = before.map(Seq);
        let transitions = pod.store.transitions(satellite_id(1), before, limit).await?;
        Seen::Ok(seqs(&transitions))
    };
    same!(page(None, ALL).await?, [4, 3, 2, 1], "all");
    same!(page(None, 2).await?, [4, 3], "the first page of two");
    same!(page(Some(3), 2).await?, [2, 1], "the second page of two");
    same!(page(Some(1), 2).await?, [] as [u64; 0], "below the first");
    same!(page(Some(99), 1).await?, [4], "below more than there are");
    same!(page(None, 0).await?, [] as [u64; 0], "none");
    Ok(())
}

async fn a_transition_keeps_the_names_that_it_was_written_with(bench: &Bench) -> Seen {
    let pod = bench.fleet(1).await?;
    pod.connect(1, 1_000).await?;
    let before = pod.history(1).await?;
    let update = SatelliteUpdate {
        name: Some("renamed".parse()?),
        region: Some("moved".parse()?),
        ..SatelliteUpdate::default()
    };
    pod.store.update(satellite_id(1), update).await?;
    same!(pod.history(1).await?, before, "the history after a rename");
    pod.close(1, 2_000).await?;
    let last = pod.history(1).await?.pop();
    let names = last.and_then(|last| last.next).map(|next| (next.name, next.region));
    same!(names, Some(("renamed".parse()?, "moved".parse()?)), "the names of a later edge");
    Ok(())
}

async fn every_edge_is_an_event(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    let events = events(&pod, None).await?;
    for number in 1..=3 {
        let id = satellite_id(number);
        let of_satellite: Vec<_> = events
            .iter()
            .filter_map(|e| e.recorded.transition())
            .filter(|t| t.satellite == id)
            .collect();
        let history = pod.history(number).await?;
        same!(of_satellite, history.iter().collect::<Vec<_>>(), "events of satellite {number}");
    }
    let underivable = events.iter().find(|e| Event::derive(&e.recorded).is_none());
    same!(underivable, None, "a transition that derives no event");
    same!(events.len(), 9, "events");
    Ok(())
}

async fn events_keep_their_order_when_more_are_recorded(bench: &Bench) -> Seen {
    let pod = bench.fleet(3).await?;
    let mut known: Vec<RecordedEvent> = Vec::new();
    // The last satellite first, so that neither ids nor names order by chance.
    for (second, number) in (1..).zip([3, 1, 2, 3, 1, 2, 2, 1, 3]) {
        pod.connect(number, second * 1_000).await?;
        let now = events(&pod, None).await?;
        same!(now.len(), known.len() + 1, "events");
        same!(now[..known.len()], known[..], "what had been read before");
        known = now;
    }
    Ok(())
}

async fn reading_goes_on_after_any_cursor(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    let all = events(&pod, None).await?;
    for (place, event) in all.iter().enumerate() {
        let rest = events(&pod, Some(event.cursor)).await?;
        same!(rest, all[place + 1..], "what comes after event {place}");
    }
    for limit in [1, 2, 4, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = pod.store.events_after(after, limit).await?;
            let Some(last) = page.last() else { break };
            ensure!(page.len() <= limit, "{} events for a limit of {limit}", page.len());
            ensure!(seen.len() < all.len(), "more events than were recorded");
            after = Some(last.cursor);
            seen.extend(page);
        }
        same!(seen, all, "the pages of {limit}");
    }
    Ok(())
}

async fn the_newest_event_is_the_last_that_would_be_read(bench: &Bench) -> Seen {
    let pod = bench.fleet(2).await?;
    same!(pod.store.newest_event().await?, None, "the newest event of an empty store");
    for (second, number) in (1..).zip([2, 1, 2]) {
        pod.connect(number, second * 1_000).await?;
        let newest = pod.store.newest_event().await?;
        let last = events(&pod, None).await?.last().map(|event| event.cursor);
        same!(newest, last, "the newest event");
        same!(events(&pod, newest).await?, vec![], "the events after it");
    }
    Ok(())
}

async fn a_cursor_survives_as_text(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    for event in events(&pod, None).await? {
        let read: EventCursor = event.cursor.to_string().parse()?;
        same!(read, event.cursor, "the cursor");
    }
    Ok(())
}

async fn occurred(pod: &Pod) -> Seen<Vec<i64>> {
    let millis = |event: &RecordedEvent| event.recorded.occurred_at().since(at(0)).as_i64();
    Ok(events(pod, None).await?.iter().map(millis).collect())
}

async fn only_transitions_before_the_given_time_are_deleted(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    same!(pod.store.prune_transitions(at(1_000), ALL).await?, 0, "deleted before the first");
    same!(pod.store.prune_transitions(at(4_000), ALL).await?, 3, "deleted before the fourth");
    same!(occurred(&pod).await?, [4_000, 5_000, 6_000, 7_000, 8_000, 9_000], "what is left");
    same!(seqs(&pod.history(1).await?), [3, 4], "the seqs left of satellite 1");
    same!(pod.store.prune_transitions(at(99_000), ALL).await?, 6, "deleted in the end");
    same!(pod.history(1).await?, vec![], "what is left of satellite 1");
    same!(pod.store.newest_event().await?, None, "the newest event of nothing");
    Ok(())
}

async fn no_more_are_deleted_than_asked_for_and_the_oldest_first(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    for (limit, left) in [(0, 9), (2, 7), (3, 4), (3, 1), (3, 1)] {
        let before = occurred(&pod).await?;
        ensure!(before.len() >= left, "{} events, of {left} that must stay", before.len());
        let deleted = pod.store.prune_transitions(at(9_000), limit).await?;
        same!(deleted, (before.len() - left) as u64, "deleted, at most {limit}");
        same!(occurred(&pod).await?, before[before.len() - left..], "what is left");
    }
    Ok(())
}

async fn the_record_stays_when_its_history_is_pruned(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    let before = pod.read(2).await?;
    pod.store.prune_transitions(at(99_000), ALL).await?;
    same!(pod.read(2).await?, before, "what is stored");
    pod.connect(2, 100_000).await?;
    same!(seqs(&pod.history(2).await?), [4], "the seqs after the next edge");
    Ok(())
}

async fn a_cursor_is_never_given_again(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    let newest = pod.store.newest_event().await?;
    pod.store.prune_transitions(at(99_000), ALL).await?;
    pod.connect(2, 100_000).await?;
    let events = events(&pod, newest).await?;
    same!(events.len(), 1, "events after the newest that was pruned");
    ensure!(Some(events[0].cursor) > newest, "a cursor that does not ascend");
    Ok(())
}

async fn reading_goes_on_after_a_cursor_whose_event_was_pruned(bench: &Bench) -> Seen {
    let pod = busy(bench).await?;
    let all = events(&pod, None).await?;
    same!(all.len(), 9, "events");
    pod.store.prune_transitions(at(5_000), ALL).await?;
    same!(events(&pod, Some(all[1].cursor)).await?, all[4..], "after a cursor that was pruned");
    same!(events(&pod, Some(all[6].cursor)).await?, all[7..], "after a cursor that stays");
    Ok(())
}

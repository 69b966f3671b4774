//! What must hold of a whole store after every case: R1, R2, P5, P6, P8, and that every way to
//! read the same thing tells the same.

use std::collections::BTreeMap;

use super::bench::{ALL, Bench, at, list_all};
use crate::conformance::runner::{Fault, Seen};
use crate::connection::{ConnectionRecord, Transition, check_history, check_record};
use crate::ports::{EventCursor, RecordedEvent, SatelliteStore};
use crate::satellite::SatelliteId;

pub(super) async fn all(bench: &Bench) -> Seen {
    let store = bench.handle(0);
    match audit(store.as_ref()).await {
        Err(Fault::Seen(seen)) => Err(Fault::Seen(format!("in the audit afterwards: {seen}"))),
        other => other,
    }
}

async fn audit(store: &dyn SatelliteStore) -> Seen {
    let events = events(store).await?;
    let records = records(store).await?;
    let mut histories: BTreeMap<SatelliteId, Vec<Transition>> =
        records.keys().map(|id| (*id, Vec::new())).collect();
    for transition in events.into_iter().filter_map(|event| event.recorded.into_transition()) {
        histories.entry(transition.satellite).or_default().push(transition);
    }
    for (id, history) in histories {
        let mut listed = store.transitions(id, None, ALL).await?;
        listed.reverse();
        ensure!(listed == history, "transitions and events of {id} differ");
        check_history(&history, records.get(&id))?;
    }
    Ok(())
}

/// Every event, read page by page.
async fn events(store: &dyn SatelliteStore) -> Seen<Vec<RecordedEvent>> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = events.last().map(|event| event.cursor);
        let page = store.events_after(after, 500).await?;
        if page.is_empty() {
            break;
        }
        events.extend(page);
        ensure!(events.len() <= ALL, "more events than were ever recorded");
    }
    let cursors: Vec<EventCursor> = events.iter().map(|event| event.cursor).collect();
    ensure!(cursors.is_sorted_by(|a, b| a < b), "cursors that do not ascend: {cursors:?}");
    same!(store.newest_event().await?, cursors.last().copied(), "the newest event");
    Ok(events)
}

async fn records(store: &dyn SatelliteStore) -> Seen<BTreeMap<SatelliteId, ConnectionRecord>> {
    let mut records = BTreeMap::new();
    for stored in store.list(&list_all(at(0))).await? {
        let id = stored.satellite.id;
        check_record(&stored.record)?;
        let snapshot = store.snapshot(id).await?.map(|read| (read.threshold(), read.record));
        let listed = (stored.threshold, stored.record.clone());
        same!(snapshot, Some(listed), "threshold and record of {id} in its snapshot");
        same!(store.get(id).await?.as_ref(), Some(&stored), "satellite {id} read alone");
        records.insert(id, stored.record);
    }
    Ok(records)
}

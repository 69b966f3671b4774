//! Transitions: each satellite's history, and the one order of all events.

use std::ops::Bound;

use groundcontrol_core::connection::Transition;
use groundcontrol_core::ports::{EventCursor, RecordedEvent};
use groundcontrol_core::satellite::{SatelliteId, Seq};
use groundcontrol_core::time::Timestamp;
use redb::{ReadTransaction, ReadableTable, Table, WriteTransaction};

use super::encoding;
use super::error::Done;
use super::tables::{EVENTS, LAST_PLACE, PLACES};

/// What one writing transaction appends to.
pub(super) struct History<'t> {
    events: Table<'t, u64, (i64, &'static [u8])>,
    places: Table<'t, (u128, u64), u64>,
    last: Table<'t, (), u64>,
}

impl<'t> History<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Done<Self> {
        Ok(Self {
            events: transaction.open_table(EVENTS)?,
            places: transaction.open_table(PLACES)?,
            last: transaction.open_table(LAST_PLACE)?,
        })
    }

    /// Gives the transition the next place. With one writer at a time places are given in the
    /// order of commits, so nothing appears before what a reader has passed. With several, a
    /// counter alone would let a later place be seen first, and a reader would skip the earlier.
    pub(super) fn append(&mut self, transition: &Transition) -> Done<()> {
        // Not one more than the newest event: that may have been pruned, and a cursor is never
        // given twice.
        let place = self.last.get(())?.map_or(0, |last| last.value()) + 1;
        self.last.insert((), place)?;
        let key = (transition.satellite.0.as_u128(), transition.seq.0);
        self.places.insert(key, place)?;
        let bytes = encoding::transition_bytes(transition)?;
        self.events.insert(place, (transition.occurred_at.as_millis(), bytes.as_slice()))?;
        Ok(())
    }
}

/// Newest first.
pub(super) fn of_satellite(
    transaction: &ReadTransaction,
    id: SatelliteId,
    before: Option<Seq>,
    limit: usize,
) -> Done<Vec<Transition>> {
    let (places, events) = (transaction.open_table(PLACES)?, transaction.open_table(EVENTS)?);
    let id = id.0.as_u128();
    let end = before.map_or(u64::MAX, |seq| seq.0);
    let mut found = Vec::new();
    for entry in places.range((id, 0)..(id, end))?.rev().take(limit) {
        let place = entry?.1.value();
        if let Some(event) = events.get(place)? {
            found.push(encoding::transition(place, event.value().1)?);
        }
    }
    Ok(found)
}

pub(super) fn after(
    transaction: &ReadTransaction,
    after: Option<EventCursor>,
    limit: usize,
) -> Done<Vec<RecordedEvent>> {
    let start = after.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.position));
    let events = transaction.open_table(EVENTS)?;
    let entries = events.range((start, Bound::Unbounded))?.take(limit);
    entries
        .map(|entry| {
            let (place, event) = entry?;
            let transition = encoding::transition(place.value(), event.value().1)?;
            Ok(RecordedEvent::of(cursor(place.value()), transition))
        })
        .collect()
}

pub(super) fn newest(transaction: &ReadTransaction) -> Done<Option<EventCursor>> {
    let events = transaction.open_table(EVENTS)?;
    Ok(events.last()?.map(|(place, _)| cursor(place.value())))
}

/// `LAST_PLACE` stays: places go on from there.
pub(super) fn prune(transaction: &WriteTransaction, before: Timestamp, limit: usize) -> Done<u64> {
    let (mut events, mut places) =
        (transaction.open_table(EVENTS)?, transaction.open_table(PLACES)?);
    let mut old = Vec::new();
    for entry in events.iter()? {
        if old.len() >= limit {
            break;
        }
        let (place, event) = entry?;
        let (occurred_at, bytes) = event.value();
        if occurred_at < before.as_millis() {
            old.push((place.value(), encoding::transition(place.value(), bytes)?));
        }
    }
    for (place, transition) in &old {
        events.remove(place)?;
        places.remove((transition.satellite.0.as_u128(), transition.seq.0))?;
    }
    Ok(old.len() as u64)
}

/// The place alone orders, so there is no commit to name.
fn cursor(place: u64) -> EventCursor {
    EventCursor { commit: 0, position: place }
}

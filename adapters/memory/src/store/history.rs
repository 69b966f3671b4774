//! What was recorded: each satellite's history, and the one order of all events.

use std::collections::BTreeMap;
use std::ops::Bound;

use groundcontrol_core::connection::{ContextId, Recorded, Transition};
use groundcontrol_core::ports::{EventCursor, RecordedEvent};
use groundcontrol_core::satellite::{SatelliteId, Seq};
use groundcontrol_core::time::Timestamp;

/// Everything once, found by its place and by its context.
#[derive(Default)]
pub(super) struct History {
    events: BTreeMap<u64, Recorded>,
    places: BTreeMap<(ContextId, Seq), u64>,
    /// The place given last; never given again, also after pruning.
    last: u64,
}

impl History {
    pub(super) fn append(&mut self, recorded: Recorded) {
        self.last += 1;
        self.places.insert(recorded.place(), self.last);
        self.events.insert(self.last, recorded);
    }

    pub(super) fn extend(&mut self, transitions: impl IntoIterator<Item = Transition>) {
        let recorded = transitions.into_iter().map(Recorded::Transition);
        recorded.for_each(|recorded| self.append(recorded));
    }

    /// Newest first.
    pub(super) fn of_satellite(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> Vec<Transition> {
        let id = ContextId::from(id);
        let end =
            before.map_or(Bound::Included((id, Seq(u64::MAX))), |seq| Bound::Excluded((id, seq)));
        let places = self.places.range((Bound::Included((id, Seq(0))), end)).rev();
        let found = places.filter_map(|(_, place)| self.events.get(place)?.transition());
        found.take(limit).cloned().collect()
    }

    /// What a context's number `seq` is.
    pub(super) fn at(&self, context: ContextId, seq: Seq) -> Option<&Recorded> {
        self.events.get(self.places.get(&(context, seq))?)
    }

    pub(super) fn after(&self, after: Option<EventCursor>, limit: usize) -> Vec<RecordedEvent> {
        let start = after.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.position));
        let events = self.events.range((start, Bound::Unbounded)).take(limit);
        events
            .map(|(place, recorded)| RecordedEvent {
                cursor: cursor(*place),
                recorded: recorded.clone(),
            })
            .collect()
    }

    pub(super) fn newest(&self) -> Option<EventCursor> {
        self.events.last_key_value().map(|(place, _)| cursor(*place))
    }

    /// Whether the event at `place` is still kept.
    pub(super) fn has(&self, place: EventCursor) -> bool {
        self.events.contains_key(&place.position)
    }

    pub(super) fn prune(&mut self, before: Timestamp, limit: usize) -> u64 {
        let old = self.events.iter().filter(|(_, it)| it.occurred_at() < before).take(limit);
        let places: Vec<u64> = old.map(|(place, _)| *place).collect();
        for place in &places {
            if let Some(gone) = self.events.remove(place) {
                self.places.remove(&gone.place());
            }
        }
        places.len() as u64
    }
}

/// The store commits one call at a time, so the place alone orders.
fn cursor(place: u64) -> EventCursor {
    EventCursor { commit: 0, position: place }
}

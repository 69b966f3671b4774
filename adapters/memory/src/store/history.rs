//! Transitions: each satellite's history, and the one order of all events.

use std::collections::BTreeMap;
use std::ops::Bound;

use groundcontrol_core::connection::Transition;
use groundcontrol_core::ports::{EventCursor, RecordedEvent};
use groundcontrol_core::satellite::{SatelliteId, Seq};
use groundcontrol_core::time::Timestamp;

/// Every transition once, found by its place and by its satellite.
#[derive(Default)]
pub(super) struct History {
    events: BTreeMap<u64, Transition>,
    places: BTreeMap<(SatelliteId, Seq), u64>,
    /// The place given last; never given again, also after pruning.
    last: u64,
}

impl History {
    pub(super) fn append(&mut self, transition: Transition) {
        self.last += 1;
        self.places.insert((transition.satellite, transition.seq), self.last);
        self.events.insert(self.last, transition);
    }

    pub(super) fn extend(&mut self, transitions: impl IntoIterator<Item = Transition>) {
        transitions.into_iter().for_each(|transition| self.append(transition));
    }

    /// Newest first.
    pub(super) fn of_satellite(
        &self,
        id: SatelliteId,
        before: Option<Seq>,
        limit: usize,
    ) -> Vec<Transition> {
        let end =
            before.map_or(Bound::Included((id, Seq(u64::MAX))), |seq| Bound::Excluded((id, seq)));
        let places = self.places.range((Bound::Included((id, Seq(0))), end)).rev();
        places.filter_map(|(_, place)| self.events.get(place)).take(limit).cloned().collect()
    }

    pub(super) fn after(&self, after: Option<EventCursor>, limit: usize) -> Vec<RecordedEvent> {
        let start = after.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.position));
        let events = self.events.range((start, Bound::Unbounded)).take(limit);
        events
            .map(|(place, transition)| RecordedEvent {
                cursor: cursor(*place),
                transition: transition.clone(),
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
        let old = self.events.iter().filter(|(_, t)| t.occurred_at < before).take(limit);
        let places: Vec<u64> = old.map(|(place, _)| *place).collect();
        for place in &places {
            if let Some(gone) = self.events.remove(place) {
                self.places.remove(&(gone.satellite, gone.seq));
            }
        }
        places.len() as u64
    }
}

/// The store commits one call at a time, so the place alone orders.
fn cursor(place: u64) -> EventCursor {
    EventCursor { commit: 0, position: place }
}

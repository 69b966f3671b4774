//! Events, as subscribers are told: each recorded one, once, in order (E1–E4).

use futures_util::FutureExt as _;
use groundcontrol_core::connection::Event;
use groundcontrol_core::ports::{EventCursor, RecordedEvent, SatelliteStore as _};

use super::Judge;
use crate::simulation::violation::Property;

/// How far one subscriber was told.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    /// What it is called.
    pub name: String,
    /// The last event that it was told of, or after which it asked.
    pub reached: Option<EventCursor>,
    /// Whether it asked for what comes "from now on", without a place, and was told nothing yet.
    pub open: bool,
}

impl Judge {
    /// The newest event that is recorded.
    pub(crate) fn newest_event(&self) -> Option<EventCursor> {
        self.memory.newest_event().now_or_never().and_then(Result::ok).flatten()
    }

    fn next_event(&self, after: Option<EventCursor>) -> Option<RecordedEvent> {
        let page = self.memory.events_after(after, 1).now_or_never();
        page.and_then(Result::ok).and_then(|page| page.into_iter().next())
    }

    /// `follower` is told of `event`.
    pub(crate) fn delivered(&self, follower: &mut Follower, cursor: EventCursor, event: &Event) {
        let (name, id) = (&follower.name, event.id());
        let late = follower.open && follower.reached >= Some(cursor);
        let before = EventCursor { position: cursor.position.saturating_sub(1), ..cursor };
        let after = if late { Some(before) } else { follower.reached };
        let recorded = self.next_event(after);
        let words = if !late && follower.reached >= Some(cursor) {
            Some(format!("{name} was told of {id} at {cursor} a second time"))
        } else {
            match recorded {
                None => Some(format!("{name} was told of {id}, which is not recorded")),
                Some(next) if next.cursor != cursor => Some(format!(
                    "{name} was told of {id} at {cursor}, but the next one that is recorded is at \
                     {} (seq {})",
                    next.cursor,
                    next.recorded.place().1
                )),
                Some(next) => {
                    let derived = Event::derive(&next.recorded);
                    let same = derived.as_ref() == Some(event);
                    (!same).then(|| format!("{name} was told {event:?}, recorded is {derived:?}"))
                }
            }
        };
        (follower.reached, follower.open) = (Some(cursor), false);
        if let Some(words) = words {
            self.object_to(Property::Delivered, event.satellite(), words);
        }
    }
}

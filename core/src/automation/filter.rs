//! Which events a subscriber wants.

use std::collections::BTreeSet;

use crate::assignment::TagExpression;
use crate::connection::{Cause, Event, EventKind};
use crate::satellite::{Region, SatelliteId, Tags};

/// Events by what they are and whom they concern; all parts must fit, and an empty part fits
/// everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only these events.
    pub events: BTreeSet<EventKind>,
    /// Only of these satellites.
    pub satellites: BTreeSet<SatelliteId>,
    /// Only of satellites that were in this region when it happened.
    pub region: Option<Region>,
    /// Only of satellites whose tags fit when the event is on its way. One that was removed has
    /// none, and neither has a region.
    pub tags: TagExpression,
    /// Only with these causes; an event without a cause has none of them.
    pub causes: BTreeSet<Cause>,
}

impl EventFilter {
    /// Whether the tags of satellites play a part, so that they must be read.
    pub fn needs_tags(&self) -> bool {
        !self.tags.terms().is_empty()
    }

    /// Whether `event` of a satellite with these tags is wanted.
    pub fn wants(&self, event: &Event, tags: &Tags) -> bool {
        let of = |id: SatelliteId| self.satellites.contains(&id);
        (self.events.is_empty() || self.events.contains(&event.kind()))
            && (self.satellites.is_empty() || event.satellite().is_some_and(of))
            && self.region.as_ref().is_none_or(|region| event.region() == Some(region))
            && self.tags.matches(tags)
            && (self.causes.is_empty()
                || event.cause().is_some_and(|cause| self.causes.contains(&cause)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;
    use crate::connection::{ConnectionState, LifecycleEvent, SatelliteEvent, Status};
    use crate::satellite::{Epoch, Seq};
    use crate::time::Timestamp;

    fn event() -> SatelliteEvent {
        let state = ConnectionState {
            status: Status::Offline,
            name: "one".parse().unwrap(),
            region: "eu".parse().unwrap(),
            last_seen_at: None,
            last_event: Some(LifecycleEvent::Disconnected),
            last_event_at: None,
            cause: Some(Cause::ClientClosed),
            seq: Seq(2),
            epoch: Epoch(1),
        };
        SatelliteEvent {
            id: "x:2".to_owned(),
            kind: EventKind::Disconnected,
            satellite: SatelliteId(Uuid::from_u128(1)),
            seq: Seq(2),
            epoch: Epoch(1),
            occurred_at: Timestamp::from_millis(0),
            cause: Some(Cause::ClientClosed),
            actor: None,
            previous: None,
            next: Some(state),
        }
    }

    fn tagged() -> Tags {
        Tags::new(BTreeMap::from([("tier".to_owned(), "edge".to_owned())])).unwrap()
    }

    #[test]
    fn a_filter_that_asks_nothing_wants_everything() {
        assert!(EventFilter::default().wants(&Event::Satellite(event()), &Tags::default()));
        assert!(!EventFilter::default().needs_tags());
    }

    #[test]
    fn each_part_alone_can_turn_an_event_away() {
        let all = EventFilter {
            events: [EventKind::Disconnected].into(),
            satellites: [SatelliteId(Uuid::from_u128(1))].into(),
            region: "eu".parse().ok(),
            tags: "tier=edge".parse().unwrap(),
            causes: [Cause::ClientClosed].into(),
        };
        assert!(all.wants(&Event::Satellite(event()), &tagged()) && all.needs_tags());
        let others = [
            EventFilter { events: [EventKind::Connected].into(), ..all.clone() },
            EventFilter { satellites: [SatelliteId(Uuid::nil())].into(), ..all.clone() },
            EventFilter { region: "us".parse().ok(), ..all.clone() },
            EventFilter { tags: "tier=core".parse().unwrap(), ..all.clone() },
            EventFilter { causes: [Cause::Revoked].into(), ..all.clone() },
        ];
        for other in others {
            assert!(!other.wants(&Event::Satellite(event()), &tagged()), "{other:?}");
        }
        assert!(!all.wants(&Event::Satellite(event()), &Tags::default()));
    }

    #[test]
    fn a_removal_is_in_the_region_that_the_satellite_was_in_and_has_no_cause() {
        let removal = Event::Satellite(SatelliteEvent {
            kind: EventKind::Removed,
            cause: None,
            previous: event().next,
            next: None,
            ..event()
        });
        let wants = |filter: EventFilter| filter.wants(&removal, &Tags::default());
        assert!(wants(EventFilter { region: "eu".parse().ok(), ..EventFilter::default() }));
        let causes = [Cause::ClientClosed].into();
        assert!(!wants(EventFilter { causes, ..EventFilter::default() }));
    }
}

//! The catalogue of triggers: every event that an automation can start from.
//!
//! [`TRIGGERS`] is the one registry: what it lists is in the API, in the command line and what
//! subscriptions may ask for.

use crate::connection::EventKind;

/// The category that every trigger so far is shown under.
const SATELLITES: &str = "Satellites";
/// The name of the icon that every trigger so far is shown with, in the lucide set.
const SATELLITE_DISH: &str = "SatelliteDish";

/// Every trigger, in the order in which it is shown. The order does not change; new ones follow.
pub const TRIGGERS: &[Trigger] = &[
    Trigger {
        event: EventKind::Connected,
        display_name: "Satellite Connected",
        description: "A satellite authenticated, or was heard again after it had been lost.",
        category: SATELLITES,
        icon: SATELLITE_DISH,
        payload: PayloadKind::Edge,
        context_key: ContextKey::SatelliteId,
    },
    Trigger {
        event: EventKind::Disconnected,
        display_name: "Satellite Disconnected",
        description: "A satellite's connection ended: it left, its network broke, or its \
            credential was revoked.",
        category: SATELLITES,
        icon: SATELLITE_DISH,
        payload: PayloadKind::Edge,
        context_key: ContextKey::SatelliteId,
    },
    Trigger {
        event: EventKind::HeartbeatLost,
        display_name: "Satellite Heartbeat Lost",
        description: "A connected satellite fell silent for longer than its offline threshold.",
        category: SATELLITES,
        icon: SATELLITE_DISH,
        payload: PayloadKind::Edge,
        context_key: ContextKey::SatelliteId,
    },
    Trigger {
        event: EventKind::Removed,
        display_name: "Satellite Removed",
        description: "A satellite was removed for good; nothing follows for it.",
        category: SATELLITES,
        icon: SATELLITE_DISH,
        payload: PayloadKind::Removal,
        context_key: ContextKey::SatelliteId,
    },
    Trigger {
        event: EventKind::RegionLossSuspected,
        display_name: "Region Loss Suspected",
        description: "Within a short time more of a region's satellites fell silent than is usual: \
            probably the region was lost, or the way to it.",
        category: SATELLITES,
        icon: SATELLITE_DISH,
        payload: PayloadKind::RegionLoss,
        context_key: ContextKey::Region,
    },
];

/// An event that an automation can start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The event; its name is the trigger's id.
    pub event: EventKind,
    /// What people call it.
    pub display_name: &'static str,
    /// When it happens.
    pub description: &'static str,
    /// What it is listed under.
    pub category: &'static str,
    /// The name of its icon in the lucide set.
    pub icon: &'static str,
    /// What it carries.
    pub payload: PayloadKind,
    /// What tells apart the things that it happens to.
    pub context_key: ContextKey,
}

/// The shape of a trigger's payload. Whoever writes payloads down has the schema of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadKind {
    /// An edge of a satellite's connection.
    Edge,
    /// The end of a satellite.
    Removal,
    /// The loss of a region.
    RegionLoss,
}

/// The field of the payload that tells apart the things a trigger happens to: events with the same
/// value of it belong together and are in order (rule E2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContextKey {
    /// The satellite's id.
    SatelliteId,
    /// The region's name.
    Region,
}

impl Trigger {
    /// Its id: the name of its event.
    pub const fn id(&self) -> &'static str {
        self.event.name()
    }

    /// The trigger of `event`.
    ///
    /// ```
    /// use groundcontrol_core::automation::Trigger;
    /// use groundcontrol_core::connection::EventKind;
    /// let lost = Trigger::of(EventKind::HeartbeatLost);
    /// assert_eq!(lost.map(|trigger| trigger.display_name), Some("Satellite Heartbeat Lost"));
    /// ```
    pub fn of(event: EventKind) -> Option<&'static Self> {
        TRIGGERS.iter().find(|trigger| trigger.event == event)
    }
}

impl ContextKey {
    /// The field's name in payloads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SatelliteId => "satelliteId",
            Self::Region => "region",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_a_trigger_once_and_in_the_order_that_people_know() {
        let ids: Vec<_> = TRIGGERS.iter().map(Trigger::id).collect();
        let known = [
            "satellite.connected",
            "satellite.disconnected",
            "satellite.heartbeat_lost",
            "satellite.removed",
            "fleet.region_loss_suspected",
        ];
        assert_eq!(ids, known);
        assert!(EventKind::ALL.iter().all(|event| Trigger::of(*event).is_some()));
    }

    #[test]
    fn a_trigger_is_told_to_people_by_a_name_a_sentence_and_a_category() {
        for trigger in TRIGGERS {
            let titled = |word: &str| word.starts_with(char::is_uppercase);
            assert!(trigger.display_name.split(' ').all(titled), "{trigger:?}");
            assert!(trigger.description.ends_with('.'), "{trigger:?}");
            assert_eq!((trigger.category, trigger.icon), ("Satellites", "SatelliteDish"));
        }
    }
}

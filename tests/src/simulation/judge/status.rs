//! What readers are told, on any pod (P3, S1, S3).

use std::collections::BTreeMap;

use groundcontrol_core::connection::{LifecycleEvent, Status, TransitionKind};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::{Millis, Timestamp};

use super::Judge;
use crate::simulation::violation::Property;

/// What a reader could know of the fleet at one moment.
pub(crate) struct Knowledge {
    at: Timestamp,
    satellites: BTreeMap<SatelliteId, Known>,
}

struct Known {
    edges: usize,
    connected: bool,
    stored: Option<Timestamp>,
    heard: Option<Timestamp>,
    threshold: Millis,
}

impl Judge {
    /// What a reader could know now.
    pub(crate) fn knowledge(&self) -> Knowledge {
        let books = self.books.lock();
        let mut satellites = BTreeMap::new();
        for (id, account) in books.accounts.iter().filter(|(_, account)| !account.removed) {
            let last = account.history.last().and_then(|last| last.kind);
            let connected = last == Some(TransitionKind::Edge(LifecycleEvent::Connected));
            let stored = self.stored(*id).and_then(|stored| stored.record.last_heartbeat_at);
            let known = Known {
                edges: account.history.len(),
                connected,
                stored,
                heard: account.heard,
                threshold: account.threshold(books.default_threshold),
            };
            satellites.insert(*id, known);
        }
        Knowledge { at: self.time.now(), satellites }
    }

    /// Judges a status that `reader` was told between `before` and now.
    pub(crate) fn told(&self, reader: &str, before: &Knowledge, id: SatelliteId, told: Status) {
        let after = self.knowledge_of(id);
        let (Some(first), Some(second)) = (before.satellites.get(&id), after) else { return };
        let now = self.time.now();
        let unchanged = first.edges == second.edges;
        let longest = first.threshold.max(second.threshold);
        let shortest = first.threshold.min(second.threshold);
        let error = self.clock_error.times(2) + Millis::new(1);
        let silent = first.heard.is_none_or(|heard| heard + longest + error < before.at)
            && second.heard == first.heard;
        let must = if silent {
            Some((Status::Offline, "nobody has heard it for longer than its threshold"))
        } else if unchanged && !first.connected {
            Some((Status::Offline, "its last edge is not connected"))
        } else if unchanged && first.stored.is_some_and(|heard| heard + shortest > now + error) {
            Some((Status::Online, "it is connected and was heard within its threshold"))
        } else {
            None
        };
        if let Some((must, why)) = must
            && must != told
        {
            let heard = first.heard.map_or("never".to_owned(), |heard| heard.to_string());
            let words = format!(
                "{reader} says {told} at {now}, but {why} (threshold {longest}, last received \
                 {heard})"
            );
            self.object_to(Property::Status, Some(id), words);
        }
    }

    fn knowledge_of(&self, id: SatelliteId) -> Option<Known> {
        let books = self.books.lock();
        let account = books.accounts.get(&id).filter(|account| !account.removed)?;
        Some(Known {
            edges: account.history.len(),
            connected: false,
            stored: None,
            heard: account.heard,
            threshold: account.threshold(books.default_threshold),
        })
    }
}

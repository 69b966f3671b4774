//! Lists of satellites, and those whose time has come.

use std::ops::Bound;

use groundcontrol_core::connection::{LifecycleEvent, Status, status};
use groundcontrol_core::ports::{ConnectionSnapshot, ListQuery, StoredSatellite};
use groundcontrol_core::satellite::{OwnThreshold, Satellite, SatelliteId};
use groundcontrol_core::time::{Millis, Timestamp};

use super::state::{Row, State};

impl State {
    pub(super) fn list(&self, query: &ListQuery) -> Vec<StoredSatellite> {
        let start = query.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        self.names
            .range((start, Bound::Unbounded))
            .filter_map(|(_, id)| self.satellites.get(id))
            .filter(|row| matches(&row.satellite, query))
            .filter(|row| query.status.is_none_or(|wanted| self.status(row, query.now) == wanted))
            .take(query.limit)
            .map(|row| self.stored(row))
            .collect()
    }

    pub(super) fn online_ids(&self, now: Timestamp) -> Vec<SatelliteId> {
        let online = self.satellites.iter().filter(|(_, row)| self.is_online(row, now));
        online.map(|(id, _)| *id).collect()
    }

    pub(super) fn overdue(
        &self,
        is_overdue: impl Fn(Timestamp, Millis) -> bool,
        limit: usize,
    ) -> Vec<ConnectionSnapshot> {
        let mut overdue: Vec<_> =
            self.heard().filter(|(heard, row)| is_overdue(*heard, self.threshold(row))).collect();
        overdue.sort_by_key(|(heard, row)| (*heard + self.threshold(row), row.satellite.id));
        overdue.into_iter().take(limit).map(|(_, row)| self.snapshot_of(row)).collect()
    }

    pub(super) fn next_threshold(&self) -> Option<Timestamp> {
        self.heard().map(|(heard, row)| heard + self.threshold(row)).min()
    }

    pub(super) fn smallest_threshold(&self) -> Millis {
        let own = self.satellites.values().filter_map(|row| row.satellite.own_threshold);
        own.map(OwnThreshold::get).fold(self.default_threshold(), Millis::min)
    }

    /// The connected satellites, each with its heartbeat time.
    fn heard(&self) -> impl Iterator<Item = (Timestamp, &Row)> {
        self.satellites.values().filter_map(|row| {
            let connected = row.record.last_event == Some(LifecycleEvent::Connected);
            row.record.last_heartbeat_at.filter(|_| connected).map(|heard| (heard, row))
        })
    }

    fn status(&self, row: &Row, now: Timestamp) -> Status {
        status(&row.record, self.threshold(row), now)
    }

    fn is_online(&self, row: &Row, now: Timestamp) -> bool {
        self.status(row, now) == Status::Online
    }
}

/// Everything that a query asks for but the status.
fn matches(satellite: &Satellite, query: &ListQuery) -> bool {
    let tags = satellite.tags.as_map();
    query.region.as_deref().is_none_or(|region| region == satellite.region.as_str())
        && query.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
        && query.text.as_deref().is_none_or(|text| contains(satellite, text))
}

fn contains(satellite: &Satellite, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    satellite.name.as_str().to_ascii_lowercase().contains(&text)
        || satellite.region.as_str().to_ascii_lowercase().contains(&text)
        || satellite.id.to_string().starts_with(&text)
}

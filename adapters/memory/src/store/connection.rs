//! Edges and heartbeats: the conditional writes (rules T1–T5, T7).

use groundcontrol_core::connection::LifecycleEvent;
use groundcontrol_core::ports::{
    ConnectionSnapshot, EdgeWrite, Guard, HeartbeatWrite, Removal, SilenceGuard, WriteOutcome,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;

use super::state::State;

impl State {
    pub(super) fn snapshot(&self, id: SatelliteId) -> Option<ConnectionSnapshot> {
        self.satellites.get(&id).map(|row| self.snapshot_of(row))
    }

    pub(super) fn record_edge(&mut self, write: EdgeWrite) -> WriteOutcome {
        let Some(stored) = self.snapshot(write.read.satellite) else { return WriteOutcome::Gone };
        if !(same_edge(&stored, &write.read) && self.guard_holds(&stored, &write)) {
            return WriteOutcome::Conflict;
        }
        self.history.extend([write.transition()]);
        if let Some(row) = self.satellites.get_mut(&stored.satellite) {
            row.record = write.change.next;
        }
        WriteOutcome::Applied
    }

    fn guard_holds(&self, stored: &ConnectionSnapshot, write: &EdgeWrite) -> bool {
        match write.guard {
            Guard::Session => true,
            Guard::Credential => stored.credential_version == write.read.credential_version,
            Guard::Silence => {
                SilenceGuard::from(stored) == SilenceGuard::from(&write.read)
                    && self.watch.is_leased(&write.origin.pod, write.now)
            }
        }
    }

    /// Whether the heartbeat was applied (rule T2).
    pub(super) fn record_heartbeat(&mut self, beat: &HeartbeatWrite, now: Timestamp) -> bool {
        let Some(row) = self.satellites.get_mut(&beat.satellite) else { return false };
        let record = &mut row.record;
        let is_current = record.epoch == beat.epoch;
        if !is_current || record.last_event != Some(LifecycleEvent::Connected) {
            return false;
        }
        record.last_heartbeat_at = record.last_heartbeat_at.max(Some(beat.at.min(now)));
        true
    }

    pub(super) fn remove(&mut self, removal: Removal) -> WriteOutcome {
        let id = removal.read.satellite;
        let Some(stored) = self.snapshot(id) else { return WriteOutcome::Gone };
        if !same_edge(&stored, &removal.read) {
            return WriteOutcome::Conflict;
        }
        self.history.extend([removal.transition()]);
        self.names.remove(&stored.name);
        self.satellites.remove(&id);
        self.work.forget(id);
        self.runs.forget(id);
        self.packages.forget(id);
        WriteOutcome::Applied
    }
}

/// Whether no edge was written since `read`.
pub(super) fn same_edge(stored: &ConnectionSnapshot, read: &ConnectionSnapshot) -> bool {
    stored.record.seq == read.record.seq && stored.record.epoch == read.record.epoch
}

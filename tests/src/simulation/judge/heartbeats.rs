//! Heartbeats: what was received is stored, and nothing else (T2, P2, P12).

use groundcontrol_core::connection::LifecycleEvent;
use groundcontrol_core::ports::{HeartbeatWrite, SessionRef, StoredSatellite};
use groundcontrol_core::satellite::{SatelliteId, SessionId};
use groundcontrol_core::session::Ending;
use groundcontrol_core::time::{Millis, Timestamp};

use super::account::Account;
use super::{Judge, Verdict};
use crate::simulation::violation::Property;

/// A heartbeat that a pod took and that is not stored yet.
pub(crate) struct Owed {
    /// Whose.
    pub satellite: SatelliteId,
    /// The pod that took it.
    pub host: usize,
    /// True store time of its receipt.
    pub received: Timestamp,
}

impl Judge {
    /// A pod received a heartbeat and stamped it.
    pub(crate) fn received(&self, host: usize, session: SessionRef, stamp: Timestamp) {
        let now = self.time.now();
        let mut books = self.books.lock();
        if let Some(account) = books.accounts.get_mut(&session.satellite) {
            account.heard_at(now);
            let socket = account.sockets.entry(session.session).or_default();
            socket.host = host;
            if socket.received.back().is_none_or(|(last, _)| *last < stamp) {
                socket.received.push_back((stamp, now));
            }
        }
    }

    /// A socket that carried a session ended.
    pub(crate) fn socket_ended(&self, satellite: SatelliteId, session: SessionId, ending: Ending) {
        let mut books = self.books.lock();
        if let Some(account) = books.accounts.get_mut(&satellite) {
            let socket = account.sockets.entry(session).or_default();
            socket.ending.get_or_insert(ending);
            // A heartbeat of a socket that is gone may be stored still, but is owed to nobody.
            socket.received.iter_mut().for_each(|(_, at)| *at = Timestamp::from_millis(i64::MAX));
        }
    }

    /// A pod died: nothing is owed by it any more.
    pub(crate) fn host_died(&self, host: usize) {
        let mut books = self.books.lock();
        let sockets = books.accounts.values_mut().flat_map(|account| account.sockets.values_mut());
        for socket in sockets.filter(|socket| socket.host == host) {
            socket.received.iter_mut().for_each(|(_, at)| *at = Timestamp::from_millis(i64::MAX));
        }
    }

    /// A batch of heartbeats was answered: those that `refused` does not name are stored.
    pub(crate) fn heartbeats_answered(&self, batch: &[HeartbeatWrite], refused: &[usize]) {
        for (index, beat) in batch.iter().enumerate() {
            if refused.binary_search(&index).is_err() {
                let verdict = self.judge_heartbeat(beat);
                self.check(beat.satellite, verdict);
            }
        }
    }

    fn judge_heartbeat(&self, beat: &HeartbeatWrite) -> Verdict {
        let Some(stored) = self.stored(beat.satellite) else {
            return Err((
                Property::Removed,
                "a heartbeat of a removed satellite was applied".to_owned(),
            ));
        };
        let record = stored.record;
        let mut books = self.books.lock();
        let Some(account) = books.accounts.get_mut(&beat.satellite) else { return Ok(()) };
        if record.epoch != beat.epoch || record.last_event != Some(LifecycleEvent::Connected) {
            return Err((
                Property::Fenced,
                format!("a heartbeat of epoch {} was applied to {record:?}", beat.epoch),
            ));
        }
        if !account.honours(record.token) {
            return Err((
                Property::Revoked,
                "a heartbeat counted after its credential's end".to_owned(),
            ));
        }
        if record.last_heartbeat_at < Some(beat.at) {
            let words = format!("a heartbeat of {} was acknowledged and not stored", beat.at);
            return Err((Property::Stored, words));
        }
        let session = record.session.filter(|_| record.last_heartbeat_at == Some(beat.at));
        if session.is_some_and(|session| !account.stamp_stored(session, beat.at)) {
            let words = format!("a heartbeat of {} was stored that nobody received", beat.at);
            return Err((Property::Stored, words));
        }
        Ok(())
    }

    /// The heartbeats that were taken at least `ago` ago, count, and are not stored: the oldest
    /// of each satellite.
    pub(in crate::simulation) fn owed(&self, ago: Millis) -> Vec<Owed> {
        let now = self.time.now();
        let before = now.minus(ago);
        let books = self.books.lock();
        let of_account = |(satellite, account): (&SatelliteId, &Account)| {
            let session = account.history.last()?.session?;
            let socket = account.sockets.get(&session)?;
            let (stamp, received) = socket.received.front().copied()?;
            if received > before {
                return None;
            }
            let StoredSatellite { record, threshold, .. } = self.stored(*satellite)?;
            let counts = match record.last_event {
                Some(LifecycleEvent::Connected) => true,
                // T3 takes it only if it is fresh; half of the threshold leaves time to.
                Some(LifecycleEvent::HeartbeatLost) => {
                    record.last_event_at.is_some_and(|lost| stamp > lost)
                        && now.since(stamp).get() < threshold.get() / 2
                }
                Some(LifecycleEvent::Disconnected) | None => false,
            };
            let owed =
                counts && record.session == Some(session) && record.last_heartbeat_at < Some(stamp);
            owed.then_some(Owed { satellite: *satellite, host: socket.host, received })
        };
        books.accounts.iter().filter_map(of_account).collect()
    }
}

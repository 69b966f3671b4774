//! Online or offline, computed whenever it is read (rules S1–S5).

use super::command::WatchSpan;
use super::record::{Cause, ConnectionRecord, LifecycleEvent, named};
use crate::satellite::{Epoch, Name, Region, Seq};
use crate::time::{Millis, Timestamp};

/// Whether a satellite is heard. Computed on read, stored nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Connected, and heard within the threshold.
    Online,
    /// Anything else.
    Offline,
}

named!(Status { Online => "online", Offline => "offline" });

/// Rule S1: `online` ⇔ the last event is `connected` and `now − last_heartbeat_at ≤ threshold`.
///
/// ```
/// use groundcontrol_core::connection::{ConnectionRecord, LifecycleEvent, Status, status};
/// use groundcontrol_core::time::{Millis, Timestamp};
/// let at = Timestamp::from_millis;
/// let heard = ConnectionRecord {
///     last_event: Some(LifecycleEvent::Connected),
///     last_heartbeat_at: Some(at(1_000)),
///     ..ConnectionRecord::default()
/// };
/// assert_eq!(status(&heard, Millis::from_secs(45), at(46_000)), Status::Online);
/// assert_eq!(status(&heard, Millis::from_secs(45), at(46_001)), Status::Offline);
/// ```
pub fn status(record: &ConnectionRecord, threshold: Millis, now: Timestamp) -> Status {
    match (record.last_event, record.last_heartbeat_at) {
        (Some(LifecycleEvent::Connected), Some(heard))
            if heard >= online_cutoff(threshold, now) =>
        {
            Status::Online
        }
        _ => Status::Offline,
    }
}

/// Rule S1 as a bound for queries (rule S3): a connected satellite is online exactly when its
/// heartbeat is at or after this.
pub fn online_cutoff(threshold: Millis, now: Timestamp) -> Timestamp {
    now.minus(threshold)
}

/// The silence of rule T5 as a point in time: the satellite is overdue *after* it.
pub fn overdue_at(
    heard: Timestamp,
    watching_since: Timestamp,
    threshold: Millis,
    settle: Millis,
) -> Timestamp {
    heard.max(watching_since) + threshold + settle
}

/// Rule T5's condition: connected, watched without a lapse, and silent for longer than threshold
/// and settle.
pub fn is_overdue(
    record: &ConnectionRecord,
    watch: Option<WatchSpan>,
    threshold: Millis,
    settle: Millis,
    now: Timestamp,
) -> bool {
    match (record.last_event, record.last_heartbeat_at, watch) {
        (Some(LifecycleEvent::Connected), Some(heard), Some(watch)) => {
            watch.is_alive(now) && now > overdue_at(heard, watch.since, threshold, settle)
        }
        _ => false,
    }
}

/// A connection as readers see it, at the moment of reading or of an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionState {
    /// Online or offline at that moment.
    pub status: Status,
    /// The satellite's name at that moment.
    pub name: Name,
    /// The satellite's region at that moment.
    pub region: Region,
    /// The heartbeat time: none after a clean disconnect (rule S5).
    pub last_seen_at: Option<Timestamp>,
    /// The last edge; none where a newer version stored one that this one does not know.
    pub last_event: Option<LifecycleEvent>,
    /// When it was recorded.
    pub last_event_at: Option<Timestamp>,
    /// Why.
    pub cause: Option<Cause>,
    /// Its number.
    pub seq: Seq,
    /// The session's number.
    pub epoch: Epoch,
}

impl ConnectionState {
    /// The state of `record` as read at `now`; none for a satellite that never connected
    /// (rule S4).
    pub fn read(
        record: &ConnectionRecord,
        name: &Name,
        region: &Region,
        threshold: Millis,
        now: Timestamp,
    ) -> Option<Self> {
        (record.seq > Seq(0)).then(|| Self {
            status: status(record, threshold, now),
            name: name.clone(),
            region: region.clone(),
            last_seen_at: record.last_heartbeat_at,
            last_event: record.last_event,
            last_event_at: record.last_event_at,
            cause: record.last_cause,
            seq: record.seq,
            epoch: record.epoch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(event: Option<LifecycleEvent>, heard: Option<i64>) -> ConnectionRecord {
        ConnectionRecord {
            last_event: event,
            last_heartbeat_at: heard.map(Timestamp::from_millis),
            seq: Seq(u64::from(event.is_some())),
            ..ConnectionRecord::default()
        }
    }

    #[test]
    fn s1_exactly_at_the_threshold_is_online_and_one_past_it_is_not() {
        let heard = record(Some(LifecycleEvent::Connected), Some(100));
        let at = |now| status(&heard, Millis::new(50), Timestamp::from_millis(now));
        assert_eq!([at(100), at(150), at(151)], [Status::Online, Status::Online, Status::Offline]);
    }

    #[test]
    fn s1_a_fresh_heartbeat_alone_is_not_online() {
        for event in [None, Some(LifecycleEvent::Disconnected), Some(LifecycleEvent::HeartbeatLost)]
        {
            let heard = record(event, Some(100));
            let now = Timestamp::from_millis(100);
            assert_eq!(status(&heard, Millis::new(50), now), Status::Offline, "{event:?}");
        }
    }

    #[test]
    fn t5_overdue_begins_one_past_threshold_and_settle_of_the_later_of_heard_and_watched() {
        let heard = record(Some(LifecycleEvent::Connected), Some(100));
        let overdue = |since, now| {
            let at = Timestamp::from_millis;
            let watch = Some(WatchSpan { since: at(since), until: at(i64::MAX) });
            is_overdue(&heard, watch, Millis::new(50), Millis::new(10), at(now))
        };
        assert!(!overdue(0, 160));
        assert!(overdue(0, 161));
        assert!(!overdue(500, 560));
        assert!(overdue(500, 561));
    }

    #[test]
    fn t5_nobody_is_overdue_while_nobody_watches() {
        let heard = record(Some(LifecycleEvent::Connected), Some(0));
        let now = Timestamp::from_millis(1_000);
        assert!(!is_overdue(&heard, None, Millis::new(1), Millis::ZERO, now));
        let lapsed =
            WatchSpan { since: Timestamp::from_millis(0), until: Timestamp::from_millis(999) };
        assert!(!is_overdue(&heard, Some(lapsed), Millis::new(1), Millis::ZERO, now));
    }

    #[test]
    fn s4_a_never_connected_satellite_has_no_state() {
        let (name, region) = ("n".parse().unwrap(), "r".parse().unwrap());
        let never = ConnectionRecord::default();
        let now = Timestamp::from_millis(0);
        assert_eq!(ConnectionState::read(&never, &name, &region, Millis::new(1), now), None);
    }
}

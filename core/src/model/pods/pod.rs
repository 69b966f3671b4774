//! A pod's own memory, which a crash empties, and the sockets that it holds.

use std::collections::BTreeMap;

use crate::connection::{CloseReason, Origin, Status, WatchSpan};
use crate::model::{ERROR, LEASE};
use crate::satellite::{Epoch, PodName, SessionId};
use crate::time::{Millis, Timestamp};

const HOUR: i64 = 3_600_000;

pub(super) struct Pod {
    pub(super) name: PodName,
    number: usize,
    restarts: u32,
    error: i64,
    wall_clock: i64,
    last_stamp: Option<Timestamp>,
    /// Heartbeats that wait to be stored: per session, the latest.
    pub(super) waiting: BTreeMap<Epoch, Timestamp>,
    /// The span of watching as of the last renewal, and the end of this pod's own lease.
    pub(super) watch: Option<(WatchSpan, Timestamp)>,
    /// What a pod with a bug saw last.
    pub(super) remembered: Option<Status>,
}

/// One WebSocket between the satellite and a pod.
pub(super) struct Socket {
    pub(super) pod: usize,
    pub(super) session: SessionId,
    /// Once it was answered `authenticated`.
    pub(super) epoch: Option<Epoch>,
    /// How it ended, when it did before that.
    pub(super) ended: Option<CloseReason>,
}

impl Pod {
    /// The errors of the pods are spread over what is allowed.
    pub(super) fn new(number: usize, of: usize) -> Self {
        let most = ERROR.as_i64();
        let spread = i64::try_from(of.saturating_sub(1)).unwrap_or(1).max(1);
        let place = i64::try_from(number).unwrap_or(0);
        Self {
            name: name(number, 0),
            number,
            restarts: 0,
            error: most - 2 * most * place / spread,
            wall_clock: 0,
            last_stamp: None,
            waiting: BTreeMap::new(),
            watch: None,
            remembered: None,
        }
    }

    /// Another process in its place, which measures the store time anew.
    pub(super) fn restart(&mut self) {
        self.restarts += 1;
        self.name = name(self.number, self.restarts);
        self.error = -self.error;
        self.last_stamp = None;
        self.waiting.clear();
        self.watch = None;
        self.remembered = None;
    }

    pub(super) fn set_wall_clock(&mut self, hours: i8) {
        self.wall_clock += i64::from(hours) * HOUR;
    }

    pub(super) fn stamp(&mut self, now: Timestamp, by_wall_clock: bool) -> Timestamp {
        if by_wall_clock {
            return Timestamp::from_millis(now.as_millis() + self.wall_clock);
        }
        let measured = Timestamp::from_millis(now.as_millis() + self.error);
        let stamp = self.last_stamp.map_or(measured, |last| last.max(measured));
        self.last_stamp = Some(stamp);
        stamp
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { pod: self.name.clone(), actor: None, remote_address: None }
    }

    /// The start of the present span, while this pod's own lease is alive.
    pub(super) fn watching_since(&self, stamp: Timestamp) -> Option<Timestamp> {
        self.watch.filter(|(_, until)| stamp <= *until).map(|(span, _)| span.since)
    }

    pub(super) fn renewed(&mut self, span: WatchSpan, stamp: Timestamp) {
        self.watch = Some((span, stamp + LEASE));
    }
}

fn name(number: usize, restarts: u32) -> PodName {
    PodName::new(&format!("pod-{number}.{restarts}"))
}

/// How much a pod's renewals and another's may be apart and still be one span: a lease, and what
/// both may be wrong about.
pub(super) const fn longest_gap() -> Millis {
    Millis::new(LEASE.get() + 2 * ERROR.get())
}

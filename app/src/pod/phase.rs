//! Whether this pod serves, and whether it slept.

use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use groundcontrol_core::time::{Millis, Timestamp};

/// What a pod is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It accepts sockets and sweeps.
    Serving,
    /// It closes its sockets and accepts none; it neither watches nor sweeps (rule T5).
    Draining,
}

/// The phase, readable from anywhere without waiting. It only ever moves forward.
#[derive(Default)]
pub struct PhaseCell(AtomicU8);

impl PhaseCell {
    /// The phase now.
    pub fn get(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            0 => Phase::Serving,
            _ => Phase::Draining,
        }
    }

    /// Whether the pod is draining.
    pub fn is_draining(&self) -> bool {
        self.get() == Phase::Draining
    }

    /// Begins draining; false when that had begun before.
    pub fn drain(&self) -> bool {
        self.0.swap(1, Ordering::AcqRel) == 0
    }
}

/// Notices that this process slept (rule T5): everything that lets a satellite's words in beats
/// the pulse first, and so does a steady timer; a gap longer than the watch lease means that
/// nobody was listening, and that words which come now may be last words.
pub struct Pulse {
    last: AtomicI64,
    lease: Millis,
}

impl Pulse {
    /// A pulse that may pause for `lease`.
    pub fn new(now: Timestamp, lease: Millis) -> Self {
        Self { last: AtomicI64::new(now.as_millis()), lease }
    }

    /// Beats; true when the pause before it was longer than the lease. Of several beats after
    /// one pause exactly one is told.
    pub fn beat(&self, now: Timestamp) -> bool {
        let last = self.last.fetch_max(now.as_millis(), Ordering::AcqRel);
        now.since(Timestamp::from_millis(last)) > self.lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pause_longer_than_the_lease_is_noticed_and_only_once() {
        let at = Timestamp::from_millis;
        let pulse = Pulse::new(at(0), Millis::new(100));
        assert!(!pulse.beat(at(100)));
        assert!(pulse.beat(at(201)));
        assert!(!pulse.beat(at(201)));
        assert!(!pulse.beat(at(150)));
    }

    #[test]
    fn draining_begins_once() {
        let phase = PhaseCell::default();
        assert_eq!(phase.get(), Phase::Serving);
        assert!(phase.drain());
        assert!(!phase.drain());
        assert_eq!(phase.get(), Phase::Draining);
    }
}

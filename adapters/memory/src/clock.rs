//! Store time where the store is this process: one clock for tests, one for real.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime};

use groundcontrol_core::ports::Clock;
use groundcontrol_core::time::{Millis, Timestamp};

/// A clock that stands still until it is told otherwise, and never runs backwards. Clones are
/// the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    millis: Arc<AtomicI64>,
    error: Millis,
}

impl ManualClock {
    /// A clock that shows `start` and is exact.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { millis: Arc::new(AtomicI64::new(start.as_millis())), error: Millis::ZERO }
    }

    /// The same clock, seen through an error of `error`.
    #[must_use]
    pub fn with_error(mut self, error: Millis) -> Self {
        self.error = error;
        self
    }

    /// Moves the clock to `now`; to an earlier point it does not move.
    pub fn set(&self, now: Timestamp) {
        self.millis.fetch_max(now.as_millis(), Ordering::SeqCst);
    }

    /// Moves the clock on by `span` and answers what it shows then.
    pub fn advance(&self, span: Millis) -> Timestamp {
        let moved = |now| Some((Timestamp::from_millis(now) + span).as_millis());
        // The closure never refuses, so both arms carry the time before the move.
        let before = match self.millis.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved) {
            Ok(before) | Err(before) => before,
        };
        Timestamp::from_millis(before) + span
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    fn error(&self) -> Millis {
        self.error
    }
}

/// This machine's time: its wall clock when the clock was made, and its monotonic clock from
/// then on, so that a stepped wall clock moves nothing. Clones agree exactly.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Timestamp,
    since: Instant,
}

impl SystemClock {
    /// A clock that starts from this machine's wall clock.
    pub fn new() -> Self {
        let since = Instant::now();
        let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { start: Timestamp::from_millis(0) + Millis::from(elapsed), since }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.start + Millis::from(self.since.elapsed())
    }

    fn error(&self) -> Millis {
        Millis::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_does_not_move_to_an_earlier_point() {
        let clock = ManualClock::starting_at(Timestamp::from_millis(10));
        clock.set(Timestamp::from_millis(9));
        assert_eq!(clock.now(), Timestamp::from_millis(10));
    }

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = ManualClock::starting_at(Timestamp::from_millis(10));
        assert_eq!(clock.clone().advance(Millis::new(5)), Timestamp::from_millis(15));
        assert_eq!(clock.now(), Timestamp::from_millis(15));
    }
}

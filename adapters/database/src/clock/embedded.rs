//! Store time where the database is a file: this machine's, but never backwards.

use groundcontrol_core::ports::Clock;
use groundcontrol_core::time::{Millis, Timestamp};

use super::MachineTime;

/// Store time of an embedded database.
///
/// SQLite has no clock of its own. So store time begins, when the database is opened, at the later
/// of the machine's wall clock and the latest time that is stored, and advances with the monotonic
/// clock: neither a step of the wall clock while running, nor a wall clock that went back across a
/// restart, moves it backwards. Only one process has the file open, so its error is zero.
#[derive(Clone, Debug)]
pub struct DatabaseClock {
    machine: MachineTime,
    start: Timestamp,
}

impl DatabaseClock {
    /// A clock that starts now, not before `latest`, the latest time that is stored.
    pub fn starting(machine: MachineTime, latest: Option<Timestamp>) -> Self {
        let wall = machine.wall();
        let start = latest.map_or(wall, |latest| latest.max(wall));
        if start.since(wall) > AHEAD_WORTH_A_WORD {
            tracing::warn!(
                wall = %wall, stored = %start,
                "this machine's clock is behind what the database holds; store time goes on from there"
            );
        }
        let start = start.minus(Millis::from(machine.running()));
        Self { machine, start }
    }
}

/// A wall clock that is behind by less needs no warning.
const AHEAD_WORTH_A_WORD: Millis = Millis::from_secs(5);

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        self.start + Millis::from(self.machine.running())
    }

    fn error(&self) -> Millis {
        Millis::ZERO
    }

    fn wall_ahead(&self) -> Option<i64> {
        Some(self.machine.wall().as_millis() - self.now().as_millis())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    /// Wall clock and monotonic clock in milliseconds, set by hand.
    fn machine(wall: &Arc<AtomicI64>, running: &Arc<AtomicU64>) -> MachineTime {
        let (wall, running) = (Arc::clone(wall), Arc::clone(running));
        MachineTime::new(
            move || Timestamp::from_millis(wall.load(Ordering::SeqCst)),
            move || Duration::from_millis(running.load(Ordering::SeqCst)),
        )
    }

    #[test]
    fn p11_a_wall_clock_that_steps_while_running_moves_nothing() {
        let (wall, running) = (Arc::new(AtomicI64::new(1_000)), Arc::new(AtomicU64::new(77)));
        let clock = DatabaseClock::starting(machine(&wall, &running), None);
        assert_eq!(clock.now(), Timestamp::from_millis(1_000));
        for step in [-3_600_000, 3_600_000] {
            wall.store(1_000 + step, Ordering::SeqCst);
            assert_eq!(clock.now(), Timestamp::from_millis(1_000));
            assert_eq!(clock.wall_ahead(), Some(step));
        }
        running.fetch_add(5, Ordering::SeqCst);
        assert_eq!(clock.now(), Timestamp::from_millis(1_005));
    }

    #[test]
    fn p11_time_goes_on_from_what_is_stored_when_the_wall_clock_went_back() {
        let (wall, running) = (Arc::new(AtomicI64::new(1_000)), Arc::new(AtomicU64::new(0)));
        let stored = Timestamp::from_millis(50_000);
        let clock = DatabaseClock::starting(machine(&wall, &running), Some(stored));
        assert_eq!(clock.now(), stored);
        running.fetch_add(5, Ordering::SeqCst);
        assert_eq!(clock.now(), Timestamp::from_millis(50_005));
    }

    #[test]
    fn the_wall_clock_holds_when_it_is_ahead_of_what_is_stored() {
        let (wall, running) = (Arc::new(AtomicI64::new(1_000)), Arc::new(AtomicU64::new(0)));
        let stored = Some(Timestamp::from_millis(10));
        let clock = DatabaseClock::starting(machine(&wall, &running), stored);
        assert_eq!(clock.now(), Timestamp::from_millis(1_000));
    }
}

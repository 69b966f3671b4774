//! Simulated time: one true store time, and what each pod takes it for.

use std::sync::atomic::{AtomicI64, Ordering};

use groundcontrol_core::ports::Clock;
use groundcontrol_core::time::{Millis, Timestamp};
use tokio::time::Instant;

/// Where a run's store time begins.
const BEGIN: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The true store time: that of the runtime, which is paused and jumps from timer to timer.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoreTime {
    start: Instant,
}

impl StoreTime {
    /// A clock that starts now.
    pub(super) fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Store time now.
    pub(super) fn now(&self) -> Timestamp {
        BEGIN + self.elapsed()
    }

    /// Since the start of the run.
    pub(super) fn elapsed(&self) -> Millis {
        self.start.elapsed().into()
    }
}

/// Store time as one pod knows it: wrong by up to its error, never running backwards. The wall
/// clock of the pod's machine has no part in it (property P11).
pub(super) struct PodClock {
    time: StoreTime,
    error: Millis,
    offset: AtomicI64,
    last: AtomicI64,
}

impl PodClock {
    /// A clock that is wrong by up to `error`, at first by `offset` milliseconds.
    pub(super) fn new(time: StoreTime, error: Millis, offset: i64) -> Self {
        Self { time, error, offset: AtomicI64::new(offset), last: AtomicI64::new(i64::MIN) }
    }

    /// The offset was measured again: the clock is now wrong by `offset` milliseconds.
    pub(super) fn measured(&self, offset: i64) {
        self.offset.store(offset, Ordering::Relaxed);
    }
}

impl Clock for PodClock {
    fn now(&self) -> Timestamp {
        let millis = self.time.now().as_millis() + self.offset.load(Ordering::Relaxed);
        Timestamp::from_millis(self.last.fetch_max(millis, Ordering::Relaxed).max(millis))
    }

    fn error(&self) -> Millis {
        self.error
    }
}

//! How long a heartbeat may wait to be stored, as it is now.

use std::sync::atomic::{AtomicU64, Ordering};

use groundcontrol_core::satellite::Liveness;
use groundcontrol_core::time::Millis;

/// The flush bound in force: a tenth of the smallest threshold in use, at most 250 ms.
pub struct FlushBound(AtomicU64);

impl FlushBound {
    /// The bound for `smallest` as the smallest threshold.
    pub fn new(smallest: Millis) -> Self {
        Self(AtomicU64::new(Liveness::flush_bound(smallest).get()))
    }

    /// The bound now.
    pub fn get(&self) -> Millis {
        Millis::new(self.0.load(Ordering::Relaxed))
    }

    /// The smallest threshold is now `smallest`.
    pub fn set_smallest(&self, smallest: Millis) {
        self.0.store(Liveness::flush_bound(smallest).get(), Ordering::Relaxed);
    }
}

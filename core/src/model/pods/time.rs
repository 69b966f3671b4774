//! The store time of a run, as it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::model::START;
use crate::ports::Clock;
use crate::time::{Millis, Timestamp};

/// The store time of a run: a clock for stores that have one of their own. Clones are the same.
#[derive(Clone, Debug)]
pub struct StoreTime(Arc<AtomicI64>);

impl Default for StoreTime {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(START.as_millis())))
    }
}

impl StoreTime {
    pub(super) fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for StoreTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn error(&self) -> Millis {
        Millis::ZERO
    }
}

//! The clocks of this machine.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use groundcontrol_core::time::{Millis, Timestamp};

/// The two clocks of this machine; another pair in tests.
#[derive(Clone)]
pub struct MachineTime {
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    running: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl MachineTime {
    /// A wall clock, and a clock that tells for how long this machine has been running, or for how
    /// long since any other fixed point; the latter must never go back.
    pub fn new(
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
        running: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { wall: Arc::new(wall), running: Arc::new(running) }
    }

    /// What the wall clock says, right or wrong.
    pub(super) fn wall(&self) -> Timestamp {
        (self.wall)()
    }

    /// For how long this machine has been running.
    pub(super) fn running(&self) -> Duration {
        (self.running)()
    }

    /// The clocks of the operating system.
    pub fn system() -> Self {
        let since = Instant::now();
        let wall = || {
            let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            Timestamp::from_millis(0) + Millis::from(elapsed.unwrap_or_default())
        };
        Self::new(wall, move || since.elapsed())
    }
}

impl Default for MachineTime {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for MachineTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MachineTime")
    }
}

//! The clocks of this machine.

use std::fmt;
use std::path::PathBuf;
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

    /// For tests: these clocks, with a wall clock that is off by as many milliseconds as `file`
    /// says whenever it is looked at. Without the file it is right.
    #[must_use]
    pub fn misled_by(self, file: PathBuf) -> Self {
        let Self { wall, running } = self;
        let off = move || std::fs::read_to_string(&file).ok()?.trim().parse().ok();
        let misled = move || {
            let off: i64 = off().unwrap_or_default();
            Timestamp::from_millis(wall().as_millis().saturating_add(off))
        };
        Self { wall: Arc::new(misled), running }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_misleads_the_wall_clock_and_no_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let right = MachineTime::new(|| Timestamp::from_millis(1_000), || Duration::from_secs(7));
        let misled = right.misled_by(file.path().to_owned());
        assert_eq!(misled.wall(), Timestamp::from_millis(1_000));
        for (off, expected) in [("-250\n", 750), ("3600000", 3_601_000)] {
            std::fs::write(file.path(), off).unwrap();
            assert_eq!(misled.wall(), Timestamp::from_millis(expected));
            assert_eq!(misled.running(), Duration::from_secs(7));
        }
    }
}

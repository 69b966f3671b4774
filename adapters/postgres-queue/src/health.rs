//! Whether the queue is there, for operators: one gauge, and a line in the log where it changes.

use std::fmt;

use metrics::{describe_gauge, gauge};
use parking_lot::Mutex;
use tracing::{info, warn};

/// 1 while this pod can send and hear nudges, 0 while it cannot.
const CONNECTED: &str = "groundcontrol_queue_connected";

/// A half of the connection.
#[derive(Clone, Copy)]
pub(crate) enum Half {
    Hearing,
    Sending,
}

/// Which halves work. None did at first; that is told where it lasts.
pub(crate) struct Health(Mutex<[Option<bool>; 2]>);

impl Health {
    pub(crate) fn new() -> Self {
        describe_gauge!(CONNECTED, "Whether this pod reaches the other pods through the queue");
        gauge!(CONNECTED).set(0.0);
        Self(Mutex::new([None, Some(true)]))
    }

    pub(crate) fn works(&self, half: Half) {
        if self.turned(half, true) == Some(false) {
            info!(half = half.name(), "the queue is back");
        }
    }

    pub(crate) fn failed(&self, half: Half, error: &dyn fmt::Display) {
        if self.turned(half, false) != Some(false) {
            warn!(
                half = half.name(), %error,
                "the queue is away: until it is back, pods notice each other's changes when they \
                 look by themselves"
            );
        }
    }

    /// Notes how a half is; answers how it was.
    fn turned(&self, half: Half, works: bool) -> Option<bool> {
        let mut halves = self.0.lock();
        let before = halves[half as usize].replace(works);
        let all = halves.iter().all(|half| *half == Some(true));
        gauge!(CONNECTED).set(f64::from(u8::from(all)));
        before
    }
}

impl Half {
    const fn name(self) -> &'static str {
        match self {
            Self::Hearing => "hearing",
            Self::Sending => "sending",
        }
    }
}

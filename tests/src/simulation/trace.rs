//! What happened, step by step.

use std::fmt;

use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Millis;
use parking_lot::Mutex;

/// What becomes of the steps of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracing {
    /// They are counted.
    #[default]
    Count,
    /// They are kept as text.
    Keep,
    /// They are printed as they happen, and kept.
    Print,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 1.
    pub number: u64,
    /// Simulated time since the start of the run.
    pub at: Millis,
    /// The satellite that it is about, if it is about one.
    pub satellite: Option<SatelliteId>,
    /// What happened, in words.
    pub text: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.at.get() / 1_000, self.at.get() % 1_000);
        write!(f, "{:>7} {seconds:>6}.{millis:03} s  {}", self.number, self.text)
    }
}

/// The steps of one run.
pub(super) struct Trace {
    tracing: Tracing,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    count: u64,
    kept: Vec<Step>,
}

impl Trace {
    /// A trace without steps.
    pub(super) fn new(tracing: Tracing) -> Self {
        Self { tracing, inner: Mutex::default() }
    }

    /// Takes a step. The text is only made where somebody reads it.
    #[allow(clippy::print_stdout, reason = "printing is what was asked for")]
    pub(super) fn step(
        &self,
        at: impl FnOnce() -> Millis,
        satellite: Option<SatelliteId>,
        text: impl FnOnce() -> String,
    ) {
        let mut inner = self.inner.lock();
        inner.count += 1;
        let number = inner.count;
        if self.tracing == Tracing::Count {
            return;
        }
        let step = Step { number, at: at(), satellite, text: text() };
        if self.tracing == Tracing::Print {
            println!("{step}");
        }
        inner.kept.push(step);
    }

    /// How many steps were taken.
    pub(super) fn count(&self) -> u64 {
        self.inner.lock().count
    }

    /// Takes the steps that were kept.
    pub(super) fn take(&self) -> Vec<Step> {
        std::mem::take(&mut self.inner.lock().kept)
    }
}

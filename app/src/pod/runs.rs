//! Runs that wait to be kept: a bounded number, of bounded size.

use std::collections::VecDeque;
use std::sync::Arc;

use groundcontrol_core::assignment::Assigned;
use groundcontrol_core::ports::{RunSink, RunStore, SessionRef};
use groundcontrol_core::run::{ReportedRun, StrategyError};
use groundcontrol_core::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Runs that wait at most …
const MOST: usize = 20_000;
/// … and the bytes of their details.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Runs that are kept together at most …
const TOGETHER: usize = 1_000;
/// … and the bytes of their details, the last one apart.
const TOGETHER_BYTES: usize = 4 * 1024 * 1024;
/// Words about strategies that wait at most; more are dropped: agents say them again.
const MOST_ERRORS: usize = 1_000;

/// Where runs go, and where they are read again.
#[derive(Clone)]
pub struct RunPorts {
    /// Where they go.
    pub sink: Arc<dyn RunSink>,
    /// Where they are read.
    pub store: Arc<dyn RunStore>,
}

/// The ports, with what waits.
pub struct Runs {
    pub(crate) ports: RunPorts,
    /// Told when something waits.
    pub(crate) waiting: Notify,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    runs: VecDeque<WaitingRun>,
    bytes: usize,
    errors: Vec<StrategyError>,
}

/// A run that waits.
#[derive(Clone)]
pub struct WaitingRun {
    pub(crate) session: SessionRef,
    pub(crate) run: ReportedRun,
    /// What it was assigned as when it came, by which it is judged.
    pub(crate) assigned: Assigned,
    pub(crate) received_at: Timestamp,
}

impl WaitingRun {
    fn bytes(&self) -> usize {
        self.run.result.as_ref().map_or(0, |result| result.as_str().len())
    }
}

impl Runs {
    /// Nothing waits yet.
    pub fn new(ports: RunPorts) -> Self {
        Self { ports, waiting: Notify::new(), inner: Mutex::default() }
    }

    /// Lets a run wait; false where there is no room for it.
    pub fn push(&self, run: WaitingRun) -> bool {
        let mut inner = self.inner.lock();
        let bytes = run.bytes();
        if inner.runs.len() >= MOST || inner.bytes + bytes > MOST_BYTES {
            return false;
        }
        inner.bytes += bytes;
        inner.runs.push_back(run);
        drop(inner);
        self.waiting.notify_one();
        true
    }

    /// Lets a word about a strategy wait.
    pub fn push_error(&self, error: StrategyError) {
        let mut inner = self.inner.lock();
        if inner.errors.len() < MOST_ERRORS {
            inner.errors.push(error);
            self.waiting.notify_one();
        }
    }

    /// Copies of the runs that are to be kept next; they wait until they are [kept](Self::kept).
    pub fn next(&self) -> Vec<WaitingRun> {
        let inner = self.inner.lock();
        let mut bytes = 0;
        let fits = |run: &&WaitingRun| {
            let fits = bytes < TOGETHER_BYTES;
            bytes += run.bytes();
            fits
        };
        inner.runs.iter().take(TOGETHER).take_while(fits).cloned().collect()
    }

    /// The first `count` runs are kept.
    pub fn kept(&self, count: usize) {
        let mut inner = self.inner.lock();
        let freed: usize = inner.runs.drain(..count).map(|run| run.bytes()).sum();
        inner.bytes = inner.bytes.saturating_sub(freed);
        if inner.runs.capacity() > 4 * TOGETHER && inner.runs.len() < TOGETHER {
            inner.runs.shrink_to(TOGETHER);
        }
    }

    /// Takes the words about strategies.
    pub fn take_errors(&self) -> Vec<StrategyError> {
        std::mem::take(&mut self.inner.lock().errors)
    }

    /// Puts back those that could not be kept.
    pub fn put_back_errors(&self, mut errors: Vec<StrategyError>) {
        let mut inner = self.inner.lock();
        errors.append(&mut inner.errors);
        errors.truncate(MOST_ERRORS);
        inner.errors = errors;
    }

    /// How many runs wait.
    pub fn len(&self) -> usize {
        self.inner.lock().runs.len()
    }

    /// Whether no run waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

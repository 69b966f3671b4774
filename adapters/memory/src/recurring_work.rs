//! Recurring work shared by the pods of one process.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::ports::{Clock, Job, JobName, QueueResult, RecurringWork, Run, Turn};
use groundcontrol_core::time::{Millis, Timestamp};
use parking_lot::Mutex;

/// Recurring work within this process. Clones are members of the same group.
#[derive(Clone)]
pub struct MemoryWork {
    clock: Arc<dyn Clock>,
    jobs: Arc<Mutex<BTreeMap<JobName, Entry>>>,
}

/// The last claim of a job.
#[derive(Clone, Copy)]
struct Entry {
    token: u64,
    claimed_at: Timestamp,
    held: bool,
    /// When the lease lapses, or the next run is due.
    free_at: Timestamp,
}

impl MemoryWork {
    /// A queue without jobs, on the time of `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, jobs: Arc::default() }
    }

    /// Changes the entry of `run` where nobody else has claimed the job, and it is not finished.
    fn change(&self, run: &Run, change: impl FnOnce(&mut Entry)) -> bool {
        match self.jobs.lock().get_mut(&run.job.name) {
            Some(entry) if entry.held && entry.token == run.token => {
                change(entry);
                true
            }
            Some(_) | None => false,
        }
    }
}

#[async_trait]
impl RecurringWork for MemoryWork {
    async fn claim(&self, job: Job, lease: Millis) -> QueueResult<Turn> {
        let mut jobs = self.jobs.lock();
        let now = self.clock.now();
        let last = jobs.get(&job.name).copied();
        if let Some(wait) = last.map(|last| last.free_at.since(now)).filter(|w| *w > Millis::ZERO) {
            return Ok(Turn::NotBefore(wait));
        }
        let token = last.map_or(0, |last| last.token + 1);
        let entry = Entry { token, claimed_at: now, held: true, free_at: now + lease };
        jobs.insert(job.name, entry);
        Ok(Turn::Yours(Run { job, token }))
    }

    async fn renew(&self, run: &Run, lease: Millis) -> QueueResult<bool> {
        let free_at = self.clock.now() + lease;
        Ok(self.change(run, |entry| entry.free_at = free_at))
    }

    async fn finish(&self, run: Run) -> QueueResult<bool> {
        Ok(self.change(&run, |entry| {
            (entry.held, entry.free_at) = (false, entry.claimed_at + run.job.every);
        }))
    }
}

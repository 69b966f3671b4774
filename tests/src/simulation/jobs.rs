//! Recurring work of simulated pods: what is asked of the queue, and what it answers, may be lost.

use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::ports::{Job, QueueError, QueueResult, RecurringWork, Run, Turn};
use groundcontrol_core::time::Millis;
use groundcontrol_memory::MemoryWork;

use super::clock::{PodClock, StoreTime};
use super::dice::Dice;
use super::parameters::Parameters;

/// The jobs of a run, with the queue's own time.
pub(super) struct Jobs {
    queue: MemoryWork,
    dice: Dice,
    lost: u64,
}

impl Jobs {
    /// The jobs of a run with these parameters: all are due.
    pub(super) fn new(seed: u64, time: StoreTime, parameters: &Parameters) -> Self {
        Self {
            queue: MemoryWork::new(Arc::new(PodClock::new(time, Millis::ZERO, 0))),
            dice: Dice::new(seed, "jobs", 0),
            lost: parameters.jobs_lost,
        }
    }

    async fn ask<T>(&self, asked: impl Future<Output = QueueResult<T>> + Send) -> QueueResult<T> {
        let lost = || {
            let detail = "planned".to_owned();
            Err(QueueError::Unavailable { doing: "ask about a job", detail })
        };
        if self.dice.percent(self.lost) {
            return lost();
        }
        let answer = asked.await;
        if self.dice.percent(self.lost) { lost() } else { answer }
    }
}

#[async_trait]
impl RecurringWork for Jobs {
    async fn claim(&self, job: Job, lease: Millis) -> QueueResult<Turn> {
        self.ask(self.queue.claim(job, lease)).await
    }

    async fn renew(&self, run: &Run, lease: Millis) -> QueueResult<bool> {
        self.ask(self.queue.renew(run, lease)).await
    }

    async fn finish(&self, run: Run) -> QueueResult<bool> {
        self.ask(self.queue.finish(run)).await
    }
}

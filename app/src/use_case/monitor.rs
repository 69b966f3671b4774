//! The monitor: sleeps until the next possible loss, then records it (rule T5).

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::connection::{Command, Decision, decide};
use groundcontrol_core::ports::{ConnectionSnapshot, EdgeWrite, Guard, StoreResult, WriteOutcome};
use groundcontrol_core::time::{Millis, Timestamp};
use metrics::{counter, histogram};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::pod::Pod;

/// Overdue satellites that are read and written at a time.
const PAGE: usize = 1_000;
/// The least time between two looks that found nobody.
const REST: Millis = Millis::new(100);
/// Between attempts while the store is away.
const RETRY: Duration = Duration::from_secs(1);

impl Pod {
    /// The task that looks for lost satellites.
    pub(crate) async fn monitor(self: Arc<Self>) {
        loop {
            let nap = if self.phase.is_draining() {
                return;
            } else {
                match self.look().await {
                    Ok(next) => next,
                    Err(error) => {
                        warn!(%error, "could not look for lost satellites");
                        RETRY
                    }
                }
            };
            let _ = timeout(nap, self.sweep_soon.notified()).await;
        }
    }

    /// Records all losses that are due, and answers how long to sleep.
    pub(crate) async fn look(self: &Arc<Self>) -> StoreResult<Duration> {
        let begun = Instant::now();
        let interval = self.liveness.heartbeat_interval;
        let smallest = self.store.smallest_threshold().await?;
        self.flush_bound.set_smallest(smallest);
        let Some(next) = self.next_loss(smallest).await? else { return Ok(interval.into()) };
        let wait = next.since(self.now());
        if wait > Millis::ZERO {
            return Ok(wait.min(interval).into());
        }
        self.flush().await?;
        let lost = self.sweep().await?;
        histogram!("groundcontrol_sweep_seconds").record(begun.elapsed().as_secs_f64());
        if lost > 0 {
            info!(lost, "satellites fell silent");
            return Ok(Duration::ZERO);
        }
        let next = self.next_loss(smallest).await?;
        let wait = next.map_or(interval, |next| next.since(self.now()).max(REST));
        Ok(wait.min(interval).into())
    }

    /// Records all losses that are due, whatever the next moment is said to be: the backstop of
    /// all monitors.
    pub(crate) async fn sweep_anyway(self: &Arc<Self>) -> StoreResult<()> {
        if self.watch.span(self.now()).is_none() {
            return Ok(());
        }
        self.flush().await?;
        let lost = self.sweep().await?;
        if lost > 0 {
            info!(lost, "satellites fell silent, and no monitor had noticed");
        }
        Ok(())
    }

    /// The first moment at which somebody could be overdue.
    async fn next_loss(&self, smallest: Millis) -> StoreResult<Option<Timestamp>> {
        let Some(watch) = self.watch.span(self.now()) else { return Ok(None) };
        let threshold = self.store.next_threshold().await?;
        let beyond = self.settle() + Millis::new(1);
        Ok(threshold.map(|passed| passed.max(watch.since + smallest) + beyond))
    }

    /// Sweeps pages of overdue satellites until none is left; answers how many were lost.
    pub(crate) async fn sweep(self: &Arc<Self>) -> StoreResult<usize> {
        let mut lost = 0;
        loop {
            let (now, settle) = (self.now(), self.settle());
            let Some(watch) = self.watch.span(now) else { break };
            let page = self.store.overdue(now, settle, watch.since, PAGE).await?;
            let full = page.len() == PAGE;
            let recorded = self.sweep_page(page, settle).await?;
            lost += recorded;
            if !full || recorded == 0 {
                break;
            }
            sleep(Duration::ZERO).await;
        }
        Ok(lost)
    }

    /// Decides and writes at one time, which is taken after the page was read: the watch lease
    /// must be alive when the losses are written (T5).
    async fn sweep_page(
        &self,
        page: Vec<ConnectionSnapshot>,
        settle: Millis,
    ) -> StoreResult<usize> {
        let now = self.now();
        let origin = self.origin();
        let decided = page.into_iter().filter_map(|read| {
            match decide(&read.record, &Command::Sweep, &read.context(now, settle)) {
                Decision::Record(change) => {
                    let (guard, origin) = (Guard::Silence, origin.clone());
                    Some(EdgeWrite { read, change, guard, origin, now })
                }
                Decision::Beat { .. }
                | Decision::Unchanged(_)
                | Decision::Fenced(_)
                | Decision::Rejected(_) => None,
            }
        });
        let writes: Vec<_> = decided.collect();
        if writes.is_empty() {
            return Ok(0);
        }
        let outcomes = self.store.record_edges(writes).await?;
        let recorded = outcomes.iter().filter(|o| **o == WriteOutcome::Applied).count();
        if recorded > 0 {
            counter!("groundcontrol_edges_total", "event" => "heartbeat_lost")
                .increment(recorded as u64);
            self.nudge_events();
        }
        Ok(recorded)
    }
}

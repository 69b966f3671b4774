//! Stopping without anybody noticing (rule T4): sockets are closed, nothing is recorded.

use std::sync::Arc;

use groundcontrol_core::ports::Order;
use groundcontrol_core::time::Millis;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::pod::{GroundControl, Pod};

/// Sockets are closed in steps of this length.
const STEP: Millis = Millis::new(20);

/// Who is still there after this time is told again.
const AGAIN: Millis = Millis::from_secs(1);

impl GroundControl {
    /// Drains the pod: it watches and sweeps no more, refuses sockets, closes those that it has,
    /// spread over a few seconds, stores what it heard, and ends its tasks.
    pub async fn drain(&self) {
        let pod = &self.pod;
        if pod.phase.drain() {
            info!(sessions = pod.sessions.len(), "draining");
            if timeout(pod.timing.drain_timeout.into(), pod.clone().empty()).await.is_err() {
                warn!(sessions = pod.sessions.len(), "drain time-out; the rest is cut off");
            }
        }
        pod.stopped.cancel();
        pod.tasks.close();
        pod.tasks.wait().await;
    }

    /// Whether draining has begun.
    pub fn is_draining(&self) -> bool {
        self.pod.phase.is_draining()
    }
}

impl Pod {
    async fn empty(self: Arc<Self>) {
        if let Err(error) = self.store.end_watch(&self.name, self.now()).await {
            warn!(%error, "the watch lease could not be ended; it runs out by itself");
        }
        self.watch.end();
        let outboxes = self.sessions.outboxes();
        let steps = (self.timing.drain_spread.get() / STEP.get()).max(1);
        let share = outboxes.len().div_ceil(usize::try_from(steps).unwrap_or(usize::MAX)).max(1);
        for some in outboxes.chunks(share) {
            if let Err(error) = self.flush().await {
                warn!(%error, "the last heartbeats of some sessions are not stored");
            }
            for outbox in some {
                outbox.deliver(Order::Drain);
            }
            sleep(STEP.into()).await;
        }
        if let Some(runs) = &self.runs
            && let Err(error) = self.keep_waiting(runs).await
        {
            warn!(%error, "the last runs are not kept; agents that want to be sure send them again");
        }
        self.emptied().await;
        if let Some(webhooks) = &self.webhooks {
            webhooks.look();
            while !webhooks.is_idle() {
                sleep(STEP.into()).await;
            }
        }
    }

    /// Waits until no session is left, and tells those again that are still there.
    async fn emptied(&self) {
        loop {
            let emptied = self.sessions.empty.notified();
            if self.sessions.is_empty() {
                break;
            }
            // Also those who were accepted while the others were told.
            for outbox in self.sessions.outboxes() {
                outbox.deliver(Order::Drain);
            }
            let _ = timeout(AGAIN.into(), emptied).await;
        }
    }
}

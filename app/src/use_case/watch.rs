//! This pod's watch lease, and what it does after it slept (rule T5).

use std::sync::Arc;

use groundcontrol_core::ports::{Order, StoreResult};
use metrics::counter;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::pod::Pod;

/// The lease is renewed this many times while it is valid.
const RENEWALS_PER_LEASE: u32 = 3;

impl Pod {
    /// Renews the lease: the proof that this pod can store what it hears.
    pub(crate) async fn renew_watch(&self) -> StoreResult<()> {
        let (now, lease) = (self.now(), self.liveness.lease());
        let span = self.store.renew_watch(&self.name, now, lease).await?;
        if self.watch.renewed(span, now + lease) {
            info!(since = %span.since, "watching");
            self.sweep_soon.notify_one();
        }
        Ok(())
    }

    /// The task that keeps the lease alive while the pod serves, and the pulse as long as it runs.
    pub(crate) async fn keep_watch(self: Arc<Self>) {
        let lease = std::time::Duration::from(self.liveness.lease());
        let mut ticks = interval(lease / RENEWALS_PER_LEASE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if self.pulse.beat(self.now()) {
                self.slept();
            }
            // A draining pod does not watch; still, only one that slept must seem to have slept.
            if self.phase.is_draining() {
                continue;
            }
            if let Err(error) = self.renew_watch().await {
                warn!(%error, "this pod cannot store; it does not watch");
            }
        }
    }

    /// After a pause longer than the lease the sockets are closed before anything else: this pod
    /// cannot tell fresh words from last words.
    pub(crate) fn slept(&self) {
        let outboxes = self.sessions.end_all();
        counter!("groundcontrol_pauses_total").increment(1);
        warn!(sessions = outboxes.len(), "this pod slept for longer than its lease; closing all");
        for outbox in outboxes {
            outbox.deliver(Order::Drain);
        }
    }
}

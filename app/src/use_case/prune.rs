//! History ages out, in small steps.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use crate::pod::Pod;

const EVERY: Duration = Duration::from_secs(3_600);
/// Transitions deleted in one write, and the rest between two.
const STEP: usize = 1_000;
const REST: Duration = Duration::from_millis(100);

impl Pod {
    /// The task that deletes transitions beyond their retention.
    pub(crate) async fn prune(self: Arc<Self>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let before = self.now().minus(self.timing.transition_retention);
            let mut pruned = 0;
            loop {
                match self.store.prune_transitions(before, STEP).await {
                    Ok(0) => break,
                    Ok(count) => pruned += count,
                    Err(error) => {
                        warn!(%error, "old transitions wait to be deleted");
                        break;
                    }
                }
                sleep(REST).await;
            }
            if pruned > 0 {
                info!(pruned, "old transitions deleted");
            }
        }
    }
}

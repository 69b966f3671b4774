//! History ages out, in small steps. Transitions are the events too, so both go together.

use std::time::Duration;

use groundcontrol_core::ports::StoreResult;
use tokio::time::sleep;
use tracing::info;

use crate::pod::Pod;

/// Transitions deleted in one write, and the rest between two.
const STEP: usize = 1_000;
const REST: Duration = Duration::from_millis(100);

impl Pod {
    /// Deletes all transitions beyond their retention, with the deliveries of secrets, and then all
    /// runs and deliveries to webhooks beyond theirs.
    pub(crate) async fn prune(&self) -> StoreResult<()> {
        let before = self.now().minus(self.timing.transition_retention);
        let mut pruned = 0;
        loop {
            match self.store.prune_transitions(before, STEP).await? {
                0 => break,
                count => pruned += count,
            }
            sleep(REST).await;
        }
        if pruned > 0 {
            info!(pruned, "old transitions deleted");
        }
        self.prune_secret_deliveries().await?;
        self.prune_runs().await?;
        self.prune_deliveries().await
    }
}

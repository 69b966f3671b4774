//! History ages out, in small steps. Transitions are the events too, so both go together.

use std::time::Duration;

use groundcontrol_core::ports::StoreResult;
use tokio::time::sleep;
use tracing::info;

use crate::pod::Pod;

/// Rows deleted in one write, …
pub(crate) const PRUNE_STEP: usize = 1_000;
/// … and the rest between two.
const REST: Duration = Duration::from_millis(100);

impl Pod {
    /// Deletes all transitions beyond their retention, with the deliveries of secrets, and then all
    /// runs and deliveries to webhooks beyond theirs.
    pub(crate) async fn prune(&self) -> StoreResult<()> {
        let before = self.now().minus(self.timing.transition_retention);
        let pruned = in_steps(|| self.store.prune_transitions(before, PRUNE_STEP)).await?;
        if pruned > 0 {
            info!(pruned, "old transitions deleted");
        }
        self.prune_secret_deliveries().await?;
        self.prune_runs().await?;
        self.prune_deliveries().await
    }
}

/// Takes steps, each of which deletes some, until nothing is left; answers how many were deleted.
pub(crate) async fn in_steps<F>(mut step: impl FnMut() -> F) -> StoreResult<u64>
where
    F: Future<Output = StoreResult<u64>>,
{
    let mut pruned = 0;
    loop {
        match step().await? {
            0 => return Ok(pruned),
            count => pruned += count,
        }
        sleep(REST).await;
    }
}

//! Read → `decide` → conditional write; on a conflict, again. The one loop for every edge.

use groundcontrol_core::connection::{
    Command, Decision, Fence, LifecycleEvent, Origin, Rejection, Unchanged, decide,
};
use groundcontrol_core::limits::WRITE_ATTEMPTS;
use groundcontrol_core::ports::{
    ConnectionSnapshot, EdgeWrite, Guard, HeartbeatWrite, StoreError, StoreResult, WriteOutcome,
};
use groundcontrol_core::satellite::{Epoch, SatelliteId};
use metrics::counter;

use super::Pod;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// An edge was recorded, for the session of this epoch.
    Recorded(LifecycleEvent, Epoch),
    /// The heartbeat time moved.
    Beat,
    /// There was nothing to do, for the session of this epoch.
    Unchanged(Unchanged, Epoch),
    /// The session is fenced (rule T6).
    Fenced(Fence),
    /// What the caller had read was overtaken.
    Rejected(Rejection),
}

impl Pod {
    /// Carries out `command`. `read` is what the caller has read already, if anything. Repeating
    /// after an unknown outcome is safe: every command is idempotent (property P1).
    pub(crate) async fn apply(
        &self,
        satellite: SatelliteId,
        mut read: Option<ConnectionSnapshot>,
        command: &Command,
        guard: Guard,
        origin: &Origin,
    ) -> StoreResult<Applied> {
        for _ in 0..WRITE_ATTEMPTS {
            let snapshot = match read.take() {
                Some(snapshot) => snapshot,
                None => match self.store.snapshot(satellite).await? {
                    Some(snapshot) => snapshot,
                    None => return Ok(Applied::Fenced(Fence::Gone)),
                },
            };
            let now = self.now();
            let epoch = snapshot.record.epoch;
            match decide(&snapshot.record, command, &snapshot.context(now, self.settle())) {
                Decision::Unchanged(why) => return Ok(Applied::Unchanged(why, epoch)),
                Decision::Fenced(fence) => return Ok(Applied::Fenced(fence)),
                Decision::Rejected(why) => return Ok(Applied::Rejected(why)),
                Decision::Beat { heard } => {
                    let beat = [HeartbeatWrite { satellite, epoch, at: heard }];
                    if self.store.record_heartbeats(&beat, now).await?.is_empty() {
                        return Ok(Applied::Beat);
                    }
                }
                Decision::Record(change) => {
                    let (event, epoch) = (change.edge.event, change.next.epoch);
                    let origin = origin.clone();
                    let write = EdgeWrite { read: snapshot, change, guard, origin, now };
                    match self.store.record_edges(vec![write]).await {
                        Ok(outcomes) => match outcomes.first() {
                            Some(WriteOutcome::Applied) => {
                                counter!("groundcontrol_edges_total", "event" => event.name())
                                    .increment(1);
                                self.nudge_events();
                                return Ok(Applied::Recorded(event, epoch));
                            }
                            Some(WriteOutcome::Gone) => return Ok(Applied::Fenced(Fence::Gone)),
                            Some(WriteOutcome::Conflict) | None => {}
                        },
                        Err(StoreError::OutcomeUnknown { .. }) => self.nudge_events(),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Err(StoreError::Unavailable {
            doing: "record an edge",
            detail: format!("satellite {satellite} kept changing, {WRITE_ATTEMPTS} attempts"),
        })
    }
}

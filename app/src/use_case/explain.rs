//! Why a satellite is what it is: reads what the reasoning needs.

use groundcontrol_core::connection::{ClockReading, Explanation, Facts, explain};
use groundcontrol_core::ports::FleetError;
use groundcontrol_core::satellite::{Liveness, SatelliteId};

use crate::pod::Pod;

/// Transitions that are read; who lost and found its heartbeat more often than half of this has a
/// session whose beginning is not told.
const HISTORY: usize = 20;

const NO_SATELLITE: FleetError = FleetError::NotFound { what: "satellite" };

impl Pod {
    pub(crate) async fn explain_satellite(
        &self,
        id: SatelliteId,
    ) -> Result<Explanation, FleetError> {
        let stored = self.store.get(id).await?.ok_or(NO_SATELLITE)?;
        let read = self.store.snapshot(id).await?.ok_or(NO_SATELLITE)?;
        let transitions = self.store.transitions(id, None, HISTORY).await?;
        let clock = ClockReading { error: self.clock.error(), wall_ahead: self.clock.wall_ahead() };
        let default_threshold = read.default_threshold;
        Ok(explain(&Facts {
            satellite: id,
            name: &read.name,
            enabled: stored.satellite.enabled,
            agent_version: stored.satellite.agent.version.as_deref(),
            record: &read.record,
            own_threshold: read.own_threshold,
            liveness: Liveness { default_threshold, ..self.liveness },
            settle: self.settle(),
            watch: read.watch,
            transitions: &transitions,
            clock,
            now: self.now(),
        }))
    }
}

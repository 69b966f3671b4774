//! What satellites report: runs of checks.

mod judge;
mod record;
mod quiet;

use std::fmt;

pub use judge::{FailedAssertion, Tools, judge};
pub use quiet::{GROUND_CONTROL, QuietPair, Watchers};
pub use record::{Run, RunKey, StoredRun, StrategyError};

use crate::assignment::{CheckId, Json, SystemId};
use crate::time::Timestamp;

/// One run of a check, as a satellite reported it, of a pair that it is assigned to.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedRun {
    /// The check.
    pub check: CheckId,
    /// The system.
    pub system: SystemId,
    /// The system's environment, where the agent named one.
    pub environment: Option<String>,
    /// How it went.
    pub status: RunStatus,
    /// Milliseconds that it took.
    pub latency_ms: Option<f64>,
    /// Details, kept as they came.
    pub result: Option<Json>,
    /// When it began, by the agent's clock.
    pub executed_at: Timestamp,
    /// Unique per satellite, where the agent wants to be sure.
    pub result_id: Option<String>,
}

/// How a run of a check went, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunStatus {
    /// As it should.
    Healthy,
    /// Something between the two.
    Degraded,
    /// It failed.
    Unhealthy,
}

impl RunStatus {
    /// Every status.
    pub const ALL: &'static [Self] = &[Self::Healthy, Self::Degraded, Self::Unhealthy];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }

    /// The status called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.name() == name)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_found_by_its_name_and_no_other_is() {
        let names: Vec<_> = RunStatus::ALL.iter().map(|status| status.name()).collect();
        assert_eq!(names, ["healthy", "degraded", "unhealthy"]);
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::from_name(status.name()), Some(*status));
            assert_eq!(status.to_string(), status.name());
        }
        assert_eq!(RunStatus::from_name("Healthy"), None);
    }
}

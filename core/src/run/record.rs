//! Runs as they are kept.

use super::{ReportedRun, RunStatus};
use crate::assignment::Json;
use crate::satellite::{Name, Region, SatelliteId};
use crate::time::Timestamp;

/// A run to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Who ran it.
    pub satellite: SatelliteId,
    /// What it is called, and where it is: `name (region)`.
    pub source: String,
    /// The run. Its status is the worse of what the agent said and what the assertions make of it.
    pub run: ReportedRun,
    /// The first assertion that failed, as JSON.
    pub failed: Option<Json>,
    /// When it was received, store time.
    pub received_at: Timestamp,
}

/// A run that is kept, with its place in the order of lists.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRun {
    /// Its number, unique among all runs.
    pub number: u64,
    /// Who ran it.
    pub satellite: SatelliteId,
    /// What the satellite was called, and where it was.
    pub source: String,
    /// The run.
    pub run: ReportedRun,
    /// The assertion that failed, as JSON.
    pub failed: Option<Json>,
    /// When it was received, store time.
    pub received_at: Timestamp,
}

/// What an agent said of a strategy that it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyError {
    /// Whose agent.
    pub satellite: SatelliteId,
    /// The strategy.
    pub strategy: String,
    /// What is wrong with it.
    pub message: String,
    /// When it said so, store time.
    pub at: Timestamp,
}

impl Run {
    /// A run as it is kept, judged.
    pub fn new(
        satellite: (SatelliteId, &Name, &Region),
        run: ReportedRun,
        failed: Option<Json>,
        received_at: Timestamp,
    ) -> Self {
        let (satellite, name, region) = satellite;
        let status = if failed.is_some() { RunStatus::Unhealthy } else { run.status };
        let source = format!("{name} ({region})");
        Self { satellite, source, run: ReportedRun { status, ..run }, failed, received_at }
    }

    /// What tells a repetition: its own id where it has one, else what was run where and when.
    /// Two runs of one satellite with the same are one run.
    pub fn repetition(&self) -> String {
        let run = &self.run;
        match &run.result_id {
            Some(id) => format!("id {id}"),
            None => {
                let at = run.executed_at.as_millis();
                let environment = run.environment.as_deref().unwrap_or_default();
                format!("at {at} {} {} {environment}", run.check, run.system)
            }
        }
    }
}

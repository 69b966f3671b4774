//! Runs as they are kept.

use super::{ReportedRun, RunStatus};
use crate::assignment::{CheckId, Json, SystemId};
use crate::satellite::{Name, Region, SatelliteId};
use crate::time::Timestamp;

/// A run to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Who ran it; none where Ground Control says itself that [nobody did](super::QuietPair).
    pub satellite: Option<SatelliteId>,
    /// What it is called, and where it is: `name (region)`; of Ground Control itself
    /// [`GROUND_CONTROL`](super::GROUND_CONTROL).
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
    /// Who ran it; none where Ground Control said itself that nobody did.
    pub satellite: Option<SatelliteId>,
    /// What the satellite was called, and where it was.
    pub source: String,
    /// The run.
    pub run: ReportedRun,
    /// The assertion that failed, as JSON.
    pub failed: Option<Json>,
    /// When it was received, store time.
    pub received_at: Timestamp,
}

/// What there is one latest run of. An environment that is empty is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    /// The check.
    pub check: CheckId,
    /// The system.
    pub system: SystemId,
    /// Who ran it; none, which comes first, where Ground Control says that nobody did.
    pub satellite: Option<SatelliteId>,
    /// The system's environment; empty where the agent named none.
    pub environment: String,
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

impl StoredRun {
    /// What it may be the latest run of.
    pub fn key(&self) -> RunKey {
        RunKey {
            check: self.run.check,
            system: self.run.system,
            satellite: self.satellite,
            environment: self.run.environment.clone().unwrap_or_default(),
        }
    }
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
        let satellite = Some(satellite);
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::assignment::{CheckId, SystemId};

    fn run(result_id: Option<&str>) -> Run {
        kept(result_id, None)
    }

    fn kept(result_id: Option<&str>, failed: Option<Json>) -> Run {
        let run = ReportedRun {
            check: CheckId(Uuid::from_u128(1)),
            system: SystemId(Uuid::from_u128(2)),
            environment: None,
            status: RunStatus::Degraded,
            latency_ms: None,
            result: None,
            executed_at: Timestamp::from_millis(3),
            result_id: result_id.map(str::to_owned),
        };
        let (name, region) = ("berlin-1".parse().unwrap(), "eu".parse().unwrap());
        let satellite = SatelliteId(Uuid::from_u128(4));
        Run::new((satellite, &name, &region), run, failed, Timestamp::from_millis(5))
    }

    #[test]
    fn a_failed_assertion_makes_a_run_unhealthy_and_nothing_makes_it_better() {
        assert_eq!(kept(None, None).run.status, RunStatus::Degraded);
        let failed = kept(None, Some(Json::empty_object()));
        assert_eq!(failed.run.status, RunStatus::Unhealthy);
        assert_eq!(failed.source, "berlin-1 (eu)");
    }

    #[test]
    fn a_run_that_has_an_id_is_repeated_by_whatever_has_it() {
        let mut later = run(Some("r"));
        later.run.executed_at = Timestamp::from_millis(9);
        assert_eq!(later.repetition(), run(Some("r")).repetition());
        assert_ne!(run(Some("s")).repetition(), run(Some("r")).repetition());
        assert_ne!(run(None).repetition(), run(Some("r")).repetition());
    }

    #[test]
    fn a_run_without_an_id_is_repeated_by_the_same_pair_and_environment_at_the_same_time() {
        let run = || run(None);
        assert_eq!(run().repetition(), run().repetition());
        let mut others = [run(), run(), run(), run()];
        others[0].run.executed_at = Timestamp::from_millis(9);
        others[1].run.check = CheckId(Uuid::from_u128(9));
        others[2].run.system = SystemId(Uuid::from_u128(9));
        others[3].run.environment = Some("e".into());
        for other in others {
            assert_ne!(other.repetition(), run().repetition(), "{:?}", other.run);
        }
    }
}

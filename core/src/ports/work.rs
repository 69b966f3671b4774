//! What operators ask about what satellites run.

use async_trait::async_trait;

use super::fleet::FleetError;
use super::run_store::{LatestQuery, RunQuery};
use super::work_store::{AssignmentQuery, AssignmentUpdate, CheckUpdate, SystemUpdate};
use crate::assignment::{
    Assignment, AssignmentId, Check, CheckId, Collectors, Interval, Json, StrategyId, System,
    SystemId, Target,
};
use crate::desired::Manager;
use crate::run::{StoredRun, StrategyError};
use crate::satellite::{Name, SatelliteId};

/// Implemented by the app, called by the adapters that operators and programs talk to.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait WorkService: Send + Sync {
    /// Makes a system.
    async fn create_system(&self, request: SystemRequest) -> Result<System, FleetError>;

    /// One system.
    async fn system(&self, id: SystemId) -> Result<System, FleetError>;

    /// At most `limit` systems whose name comes after `after`, ordered by name.
    async fn systems(&self, after: Option<Name>, limit: usize) -> Result<Vec<System>, FleetError>;

    /// Changes a system.
    async fn update_system(&self, id: SystemId, update: SystemUpdate)
    -> Result<System, FleetError>;

    /// Removes a system with its assignments.
    async fn remove_system(&self, id: SystemId) -> Result<(), FleetError>;

    /// Makes a check.
    async fn create_check(&self, request: CheckRequest) -> Result<Check, FleetError>;

    /// One check.
    async fn check(&self, id: CheckId) -> Result<Check, FleetError>;

    /// At most `limit` checks whose name comes after `after`, ordered by name.
    async fn checks(&self, after: Option<Name>, limit: usize) -> Result<Vec<Check>, FleetError>;

    /// Changes a check.
    async fn update_check(&self, id: CheckId, update: CheckUpdate) -> Result<Check, FleetError>;

    /// Removes a check with its assignments.
    async fn remove_check(&self, id: CheckId) -> Result<(), FleetError>;

    /// Makes an assignment.
    async fn create_assignment(&self, request: AssignmentRequest)
    -> Result<Assignment, FleetError>;

    /// One assignment.
    async fn assignment(&self, id: AssignmentId) -> Result<Assignment, FleetError>;

    /// The assignments that match, in the order of their ids.
    async fn assignments(&self, query: AssignmentQuery) -> Result<Vec<Assignment>, FleetError>;

    /// Changes an assignment.
    async fn update_assignment(
        &self,
        id: AssignmentId,
        update: AssignmentUpdate,
    ) -> Result<Assignment, FleetError>;

    /// Removes an assignment.
    async fn remove_assignment(&self, id: AssignmentId) -> Result<(), FleetError>;

    /// The runs that match, newest first by when they were executed.
    async fn runs(&self, query: RunQuery) -> Result<Vec<StoredRun>, FleetError>;

    /// Of each check, system, satellite and environment the run that was executed last: those that
    /// match, in the order of these.
    async fn latest_runs(&self, query: LatestQuery) -> Result<Vec<StoredRun>, FleetError>;

    /// What a satellite's agent said of strategies that it lacks.
    async fn strategy_errors(
        &self,
        satellite: SatelliteId,
    ) -> Result<Vec<StrategyError>, FleetError>;

    /// What scripts may do, one JSON object; none where nothing is set.
    async fn sandbox_policy(&self) -> Result<Option<Json>, FleetError>;

    /// Sets what scripts may do, and tells all satellites.
    async fn set_sandbox_policy(&self, policy: Json) -> Result<(), FleetError>;
}

/// A system to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRequest {
    /// Its name.
    pub name: Name,
    /// What an operator wrote about it: one JSON object.
    pub metadata: Json,
    /// What makes it and keeps it; none: a person, or a program that did not say.
    pub managed_by: Option<Manager>,
}

/// A check to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRequest {
    /// Its name.
    pub name: Name,
    /// How an agent connects.
    pub strategy: StrategyId,
    /// The strategy's settings: one JSON object.
    pub config: Json,
    /// What to look at.
    pub collectors: Collectors,
    /// From run to run.
    pub interval: Interval,
    /// What makes it and keeps it; none: a person, or a program that did not say.
    pub managed_by: Option<Manager>,
}

/// An assignment to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRequest {
    /// The check.
    pub check: CheckId,
    /// The system.
    pub system: SystemId,
    /// The satellites.
    pub target: Target,
    /// What makes it and keeps it; none: a person, or a program that did not say.
    pub managed_by: Option<Manager>,
}

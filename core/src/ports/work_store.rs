//! What operators want done: systems, checks, assignments.

use async_trait::async_trait;

use super::StoreResult;
use crate::assignment::{
    Assignment, AssignmentId, Check, CheckId, Collectors, Interval, Json, StrategyId, System,
    SystemId, Target,
};
use crate::satellite::{Name, SatelliteId};

/// Systems, checks, assignments, and the sandbox policy.
///
/// Every promise below has a case in `conformance::work_store`.
///
/// * **Durable**: what was answered is stored, also after a crash.
/// * **Whole**: a call changes all that it is asked for, or nothing.
/// * **Tidy**: with a system or a check its assignments go too; a satellite that is removed is
///   taken out of those that name it.
///
/// May be wrong about: nothing. May fail: any call. Every call may be repeated.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait WorkStore: Send + Sync {
    /// Makes a system. Where one with this id exists, nothing is changed.
    async fn create_system(&self, new: System) -> StoreResult<Saved>;

    /// One system.
    async fn system(&self, id: SystemId) -> StoreResult<Option<System>>;

    /// At most `limit` systems whose name comes after `after`, ordered by the bytes of their name.
    async fn systems(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<System>>;

    /// Changes a system: all fields that are `Some`, or nothing.
    async fn update_system(&self, id: SystemId, update: SystemUpdate) -> StoreResult<Saved>;

    /// Removes a system with its assignments; false when there was none.
    async fn remove_system(&self, id: SystemId) -> StoreResult<bool>;

    /// Makes a check. Where one with this id exists, nothing is changed.
    async fn create_check(&self, new: Check) -> StoreResult<Saved>;

    /// One check.
    async fn check(&self, id: CheckId) -> StoreResult<Option<Check>>;

    /// At most `limit` checks whose name comes after `after`, ordered by the bytes of their name.
    async fn checks(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Check>>;

    /// Changes a check: all fields that are `Some`, or nothing.
    async fn update_check(&self, id: CheckId, update: CheckUpdate) -> StoreResult<Saved>;

    /// Removes a check with its assignments; false when there was none.
    async fn remove_check(&self, id: CheckId) -> StoreResult<bool>;

    /// Makes an assignment. Where one with this id exists, nothing is changed.
    async fn create_assignment(&self, new: Assignment) -> StoreResult<Saved>;

    /// One assignment.
    async fn assignment(&self, id: AssignmentId) -> StoreResult<Option<Assignment>>;

    /// The assignments that match, at most `limit`, in the order of their ids.
    async fn assignments(&self, query: &AssignmentQuery) -> StoreResult<Vec<Assignment>>;

    /// Changes an assignment: all fields that are `Some`, or nothing.
    async fn update_assignment(
        &self,
        id: AssignmentId,
        update: AssignmentUpdate,
    ) -> StoreResult<Saved>;

    /// Removes an assignment; false when there was none.
    async fn remove_assignment(&self, id: AssignmentId) -> StoreResult<bool>;

    /// The sandbox policy, one JSON object; none where none is set.
    async fn sandbox_policy(&self) -> StoreResult<Option<Json>>;

    /// Sets the sandbox policy, or unsets it.
    async fn set_sandbox_policy(&self, policy: Option<Json>) -> StoreResult<()>;
}

/// What became of a creation or a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// Done; also when the same creation came twice.
    Done,
    /// Another of its kind has the name.
    NameTaken,
    /// What is to be changed does not exist.
    Gone,
    /// What it refers to does not exist.
    Dangling(Dangling),
}

/// What an assignment refers to in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dangling {
    /// The check.
    Check,
    /// The system.
    System,
    /// The first of the satellites that do not exist, in the order of their ids.
    Satellite(SatelliteId),
}

/// A change to a system; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemUpdate {
    /// The new name.
    pub name: Option<Name>,
    /// The new metadata.
    pub metadata: Option<Json>,
}

/// A change to a check; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckUpdate {
    /// The new name.
    pub name: Option<Name>,
    /// The new strategy.
    pub strategy: Option<StrategyId>,
    /// The new settings.
    pub config: Option<Json>,
    /// The new collectors, in place of all old ones.
    pub collectors: Option<Collectors>,
    /// The new interval.
    pub interval: Option<Interval>,
}

/// A change to an assignment; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignmentUpdate {
    /// The new check.
    pub check: Option<CheckId>,
    /// The new system.
    pub system: Option<SystemId>,
    /// The new satellites, in place of all old ones.
    pub target: Option<Target>,
}

/// Which assignments to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignmentQuery {
    /// Only those of this check.
    pub check: Option<CheckId>,
    /// Only those of this system.
    pub system: Option<SystemId>,
    /// Only those whose id comes after this one.
    pub after: Option<AssignmentId>,
    /// At most this many.
    pub limit: usize,
}

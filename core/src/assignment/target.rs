//! Who runs which check against which system.

use std::collections::BTreeSet;

use super::{AssignmentId, CheckId, Selector, SystemId};
use crate::desired::Manager;
use crate::satellite::SatelliteId;
use crate::time::Timestamp;

/// Which satellites run a check against a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The check.
    pub check: CheckId,
    /// The system.
    pub system: SystemId,
    /// The satellites.
    pub target: Target,
    /// What made it and keeps it; none: a person, or a program that did not say.
    pub managed_by: Option<Manager>,
    /// When it was made, store time.
    pub created_at: Timestamp,
}

/// Satellites by name or by selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// These. One that is removed is taken out.
    Satellites(BTreeSet<SatelliteId>),
    /// Whoever is selected.
    Selected(Selector),
}

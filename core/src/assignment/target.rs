//! Who runs which check against which system.

use std::collections::BTreeSet;

use super::{AssignmentId, CheckId, Selector, SystemId};
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

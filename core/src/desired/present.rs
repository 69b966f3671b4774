//! What is there.

use std::collections::BTreeMap;

use super::wanted::{AssignmentSpec, WantedTarget};
use crate::assignment::{Assignment, Check, CheckId, System, SystemId, Target};
use crate::desired::Manager;
use crate::ports::AssignmentRequest;
use crate::satellite::{Name, Satellite, SatelliteId};

/// Everything that a plan compares documents with, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// All satellites.
    pub satellites: Vec<Satellite>,
    /// All systems.
    pub systems: Vec<System>,
    /// All checks.
    pub checks: Vec<Check>,
    /// All assignments.
    pub assignments: Vec<Assignment>,
}

/// Which id has which name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Of satellites.
    pub satellites: BTreeMap<Name, SatelliteId>,
    /// Of systems.
    pub systems: BTreeMap<Name, SystemId>,
    /// Of checks.
    pub checks: BTreeMap<Name, CheckId>,
}

impl Present {
    /// The ids by name.
    pub fn names(&self) -> Names {
        Names {
            satellites: self.satellites.iter().map(|one| (one.name.clone(), one.id)).collect(),
            systems: self.systems.iter().map(|one| (one.name.clone(), one.id)).collect(),
            checks: self.checks.iter().map(|one| (one.name.clone(), one.id)).collect(),
        }
    }
}

impl Names {
    /// What makes the assignment that `spec` describes; none where a name has no id.
    pub fn request(&self, spec: &AssignmentSpec) -> Option<AssignmentRequest> {
        Some(AssignmentRequest {
            check: *self.checks.get(&spec.check)?,
            system: *self.systems.get(&spec.system)?,
            target: self.target(&spec.target)?,
            managed_by: Some(Manager::GitOps),
        })
    }

    /// The satellites that are meant; none where a name has no id.
    pub fn target(&self, target: &WantedTarget) -> Option<Target> {
        match target {
            WantedTarget::Selected(selector) => Some(Target::Selected(selector.clone())),
            WantedTarget::Satellites(names) => {
                let ids = names.iter().map(|name| self.satellites.get(name).copied());
                ids.collect::<Option<_>>().map(Target::Satellites)
            }
        }
    }
}

//! From everything that operators assigned to what each satellite runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Assigned, Assignment, Check, CheckId, Configuration, System, SystemId, Target};
use crate::satellite::{Region, SatelliteId, Tags};

/// Systems, checks and assignments, as they were read together.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    systems: BTreeMap<SystemId, Arc<System>>,
    checks: BTreeMap<CheckId, Arc<Check>>,
    assignments: Vec<Assignment>,
    /// By satellite, which assignments name it.
    naming: BTreeMap<SatelliteId, Vec<usize>>,
    /// Which assignments select.
    selecting: Vec<usize>,
}

/// What selectors look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub satellite: SatelliteId,
    /// Where it runs.
    pub region: Region,
    /// Its tags.
    pub tags: Tags,
}

impl Catalogue {
    /// A catalogue of these.
    pub fn new(systems: Vec<System>, checks: Vec<Check>, assignments: Vec<Assignment>) -> Self {
        let mut naming: BTreeMap<SatelliteId, Vec<usize>> = BTreeMap::new();
        let mut selecting = Vec::new();
        for (at, assignment) in assignments.iter().enumerate() {
            match &assignment.target {
                Target::Satellites(ids) => {
                    ids.iter().for_each(|id| naming.entry(*id).or_default().push(at));
                }
                Target::Selected(_) => selecting.push(at),
            }
        }
        Self {
            systems: systems.into_iter().map(|system| (system.id, Arc::new(system))).collect(),
            checks: checks.into_iter().map(|check| (check.id, Arc::new(check))).collect(),
            assignments,
            naming,
            selecting,
        }
    }

    /// What each of `places` runs, in their order; those that run the same share one. An
    /// assignment whose check or system is gone assigns nothing.
    pub fn configurations(&self, places: &[Place]) -> Vec<Arc<Configuration>> {
        let mut shared: BTreeMap<Vec<usize>, Arc<Configuration>> = BTreeMap::new();
        let configuration = |place: &Place| {
            let chosen = self.chosen(place);
            shared.entry(chosen).or_insert_with_key(|chosen| Arc::new(self.make(chosen))).clone()
        };
        places.iter().map(configuration).collect()
    }

    /// The assignments that include a satellite, by their index in ascending order.
    fn chosen(&self, place: &Place) -> Vec<usize> {
        let selects = |at: &usize| match self.assignments.get(*at).map(|one| &one.target) {
            Some(Target::Selected(selector)) => selector.selects(&place.region, &place.tags),
            Some(Target::Satellites(_)) | None => false,
        };
        let named = self.naming.get(&place.satellite).into_iter().flatten();
        let mut chosen: Vec<_> =
            named.chain(self.selecting.iter().filter(|at| selects(at))).copied().collect();
        chosen.sort_unstable();
        chosen
    }

    fn make(&self, chosen: &[usize]) -> Configuration {
        let assigned = |at: &usize| {
            let assignment = self.assignments.get(*at)?;
            let check = self.checks.get(&assignment.check)?.clone();
            let system = self.systems.get(&assignment.system)?.clone();
            Some(Assigned { check, system })
        };
        Configuration::new(chosen.iter().filter_map(assigned).collect())
    }
}

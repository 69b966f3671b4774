//! What documents say.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Kind;
use super::present::Present;
use crate::assignment::{Collectors, Interval, Json, Selector, StrategyId};
use crate::satellite::{Name, Region, Tags};
use crate::time::Millis;

/// Everything that documents describe, each kind in the order of the documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Satellites.
    pub satellites: Vec<Described<SatelliteSpec>>,
    /// Systems.
    pub systems: Vec<Described<SystemSpec>>,
    /// Checks.
    pub checks: Vec<Described<CheckSpec>>,
    /// Assignments.
    pub assignments: Vec<Described<AssignmentSpec>>,
}

/// One thing, as a document describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described<T> {
    /// The number of the document, for whoever has to find it.
    pub document: usize,
    /// What it is called; unique in its kind.
    pub name: Name,
    /// What it shall be.
    pub spec: T,
}

/// What a satellite shall be. Its token, its agent and whether it is enabled are not described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SatelliteSpec {
    /// Where it runs.
    pub region: Region,
    /// All of its tags.
    pub tags: Tags,
    /// Its own offline threshold, not yet checked against the heartbeat interval; none for the
    /// default.
    pub offline_threshold: Option<Millis>,
}

/// What a system shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemSpec {
    /// One JSON object.
    pub metadata: Json,
}

/// What a check shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckSpec {
    /// How an agent connects.
    pub strategy: StrategyId,
    /// The strategy's settings: one JSON object.
    pub config: Json,
    /// What to look at.
    pub collectors: Collectors,
    /// From run to run.
    pub interval: Interval,
}

/// What an assignment shall be. It refers to others by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentSpec {
    /// The check.
    pub check: Name,
    /// The system.
    pub system: Name,
    /// The satellites.
    pub target: WantedTarget,
}

/// Satellites by name or by selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedTarget {
    /// These.
    Satellites(BTreeSet<Name>),
    /// Whoever is selected.
    Selected(Selector),
}

/// What is wrong with a document, seen beside the others and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The document's number.
    pub document: usize,
    /// The field, as `spec.check`.
    pub field: &'static str,
    /// What is wrong with it.
    pub detail: String,
    /// The number of the other document that it collides with.
    pub other: Option<usize>,
}

impl Wanted {
    /// Whether nothing is described.
    pub fn is_empty(&self) -> bool {
        self.satellites.is_empty()
            && self.systems.is_empty()
            && self.checks.is_empty()
            && self.assignments.is_empty()
    }

    /// Every name that is taken twice, and every reference to what is neither described nor there.
    pub(super) fn faults(&self, present: &Present) -> Vec<Fault> {
        let mut faults = Vec::new();
        doubles(Kind::Satellite, &self.satellites, &mut faults);
        doubles(Kind::System, &self.systems, &mut faults);
        doubles(Kind::Check, &self.checks, &mut faults);
        doubles(Kind::Assignment, &self.assignments, &mut faults);
        same_twice(&self.assignments, &mut faults);
        self.dangling(present, &mut faults);
        faults
    }

    fn dangling(&self, present: &Present, faults: &mut Vec<Fault>) {
        let there = present.names();
        let satellites = names(&self.satellites);
        let (systems, checks) = (names(&self.systems), names(&self.checks));
        for Described { document, spec, .. } in &self.assignments {
            let mut lacks = |field, kind: Kind, name: &Name| {
                let detail = format!(
                    "there is no {kind} {name:?}, neither in the documents nor on the server",
                    name = name.as_str()
                );
                faults.push(Fault { document: *document, field, detail, other: None });
            };
            if !checks.contains(&spec.check) && !there.checks.contains_key(&spec.check) {
                lacks("spec.check", Kind::Check, &spec.check);
            }
            if !systems.contains(&spec.system) && !there.systems.contains_key(&spec.system) {
                lacks("spec.system", Kind::System, &spec.system);
            }
            let WantedTarget::Satellites(named) = &spec.target else { continue };
            for name in named {
                if !satellites.contains(name) && !there.satellites.contains_key(name) {
                    lacks("spec.satellites", Kind::Satellite, name);
                }
            }
        }
    }
}

fn names<T>(described: &[Described<T>]) -> BTreeSet<&Name> {
    described.iter().map(|one| &one.name).collect()
}

fn doubles<T>(kind: Kind, described: &[Described<T>], faults: &mut Vec<Fault>) {
    let mut seen = BTreeMap::new();
    for one in described {
        if let Some(first) = seen.insert(&one.name, one.document) {
            let detail = format!("another {kind} is called {:?}, too", one.name.as_str());
            let (document, other) = (one.document, Some(first));
            faults.push(Fault { document, field: "metadata.name", detail, other });
        }
    }
}

fn same_twice(assignments: &[Described<AssignmentSpec>], faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<_, Vec<&Described<AssignmentSpec>>> = BTreeMap::new();
    for one in assignments {
        let pair = seen.entry((&one.spec.check, &one.spec.system)).or_default();
        if let Some(first) = pair.iter().find(|first| first.spec.target == one.spec.target) {
            let detail = "another assignment says the same".to_owned();
            let (document, other) = (one.document, Some(first.document));
            faults.push(Fault { document, field: "spec", detail, other });
        }
        pair.push(one);
    }
}

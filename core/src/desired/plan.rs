//! From what shall be there and what is there to what has to be done.

use std::collections::BTreeMap;
use std::fmt;

use super::fields::{self, FieldChange, Leaves};
use super::manager::Manager;
use super::matching::{self, called, in_words};
use super::present::Present;
use super::prune;
use super::wanted::{
    AssignmentSpec, CheckSpec, Described, Fault, SatelliteSpec, SystemSpec, Wanted, WantedTarget,
};
use crate::assignment::{AssignmentId, CheckId, SystemId};
use crate::ports::{
    CheckRequest, CheckUpdate, SatellitePatch, SatelliteRequest, SatelliteUpdate, SystemRequest,
    SystemUpdate,
};
use crate::satellite::{OwnThreshold, SatelliteId};
use crate::time::Millis;

/// What has to be done, in an order in which each change can be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The changes.
    pub changes: Vec<Change>,
    /// What a manager made, nothing describes, and is not removed all the same.
    pub kept: Vec<Kept>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of what kind of thing.
    pub kind: Kind,
    /// What it is called; an assignment that no document describes is called by check and system.
    pub name: String,
    /// The number of the document that it follows from; none for a removal.
    pub document: Option<usize>,
    /// What is different. Of a thing that is made or removed: nothing.
    pub fields: Vec<FieldChange>,
    /// What is to be done.
    pub step: Step,
}

/// A kind of thing that documents describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A satellite.
    Satellite,
    /// A system.
    System,
    /// A check.
    Check,
    /// An assignment.
    Assignment,
}

/// What is to be done. What is made is marked as [`Manager::GitOps`]'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a satellite. Nobody gets to see its first token.
    CreateSatellite(SatelliteRequest),
    /// Change a satellite.
    UpdateSatellite(SatelliteId, SatellitePatch),
    /// Remove a satellite.
    RemoveSatellite(SatelliteId),
    /// Make a system.
    CreateSystem(SystemRequest),
    /// Change a system.
    UpdateSystem(SystemId, SystemUpdate),
    /// Remove a system.
    RemoveSystem(SystemId),
    /// Make a check.
    CreateCheck(CheckRequest),
    /// Change a check.
    UpdateCheck(CheckId, CheckUpdate),
    /// Remove a check.
    RemoveCheck(CheckId),
    /// Make an assignment; what it refers to may have been made just before.
    CreateAssignment(AssignmentSpec),
    /// Give an assignment to others.
    UpdateAssignment(AssignmentId, WantedTarget),
    /// Remove an assignment.
    RemoveAssignment(AssignmentId),
}

/// Whether something is made, changed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is removed.
    Remove,
}

/// What is not removed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its kind.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
    /// Why.
    pub why: &'static str,
}

impl Step {
    /// Whether it makes, changes or removes something.
    pub const fn action(&self) -> Action {
        match self {
            Self::CreateSatellite(_)
            | Self::CreateSystem(_)
            | Self::CreateCheck(_)
            | Self::CreateAssignment(_) => Action::Create,
            Self::UpdateSatellite(..)
            | Self::UpdateSystem(..)
            | Self::UpdateCheck(..)
            | Self::UpdateAssignment(..) => Action::Update,
            Self::RemoveSatellite(_)
            | Self::RemoveSystem(_)
            | Self::RemoveCheck(_)
            | Self::RemoveAssignment(_) => Action::Remove,
        }
    }
}

impl Action {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Remove => "remove",
        }
    }

    /// The sign that it has in a list of changes.
    pub const fn sign(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Remove => '-',
        }
    }
}

impl Kind {
    /// The word for one of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Satellite => "satellite",
            Self::System => "system",
            Self::Check => "check",
            Self::Assignment => "assignment",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What has to be done so that what is `present` is as it is `wanted`; or everything that is wrong
/// with the documents, and then nothing is to be done.
///
/// With `prune`, what a manager made and no document describes is removed; never anything else, and
/// never anything where nothing at all is described: an empty folder is a mistake.
pub fn plan(
    wanted: &Wanted,
    present: &Present,
    prune: bool,
    leaves: &dyn Leaves,
) -> Result<Plan, Vec<Fault>> {
    let faults = wanted.faults(present);
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut changes = satellites(&wanted.satellites, present);
    changes.extend(systems(&wanted.systems, present, leaves));
    changes.extend(checks(&wanted.checks, present, leaves));
    let matched = matching::matched(&wanted.assignments, present);
    let called = called(present);
    for (described, there) in wanted.assignments.iter().zip(&matched) {
        let spec = &described.spec;
        let (step, fields) = match there {
            None => (Step::CreateAssignment(spec.clone()), Vec::new()),
            Some(there) => {
                let before = fields::target(&in_words(there, &called));
                let fields = fields::difference(&before, &fields::target(&spec.target));
                (Step::UpdateAssignment(there.id, spec.target.clone()), fields)
            }
        };
        changes.extend(change(Kind::Assignment, described, there.is_some(), fields, step));
    }
    let mut plan = Plan { changes, kept: Vec::new() };
    if prune && !wanted.is_empty() {
        prune::add(&mut plan, wanted, present, &matching::ids(&matched));
    }
    Ok(plan)
}

/// Those that set a threshold come first, the shortest before all: a server refuses what is too
/// short for its heartbeat interval, and shall do so before anything was changed.
fn satellites(wanted: &[Described<SatelliteSpec>], present: &Present) -> Vec<Change> {
    let there: BTreeMap<_, _> = present.satellites.iter().map(|one| (&one.name, one)).collect();
    let mut changes = Vec::new();
    for described in wanted {
        let spec = &described.spec;
        let found = there.get(&described.name);
        let own = found.and_then(|one| one.own_threshold).map(OwnThreshold::get);
        let sets = spec.offline_threshold != own;
        let (step, fields) = match found {
            None => (Step::CreateSatellite(request(described)), Vec::new()),
            Some(there) => {
                let after = fields::described(spec);
                let fields = fields::difference(&fields::satellite(there), &after);
                let threshold = sets.then_some(spec.offline_threshold);
                (Step::UpdateSatellite(there.id, patch(spec, threshold)), fields)
            }
        };
        let change = change(Kind::Satellite, described, found.is_some(), fields, step);
        let threshold = spec.offline_threshold.filter(|_| sets);
        changes.extend(change.map(|change| (threshold.is_none(), threshold, change)));
    }
    changes.sort_by_key(|(none, threshold, _)| (*none, *threshold));
    changes.into_iter().map(|(_, _, change)| change).collect()
}

fn request(described: &Described<SatelliteSpec>) -> SatelliteRequest {
    let SatelliteSpec { region, tags, offline_threshold } = described.spec.clone();
    let (name, managed_by) = (described.name.clone(), Some(Manager::GitOps));
    SatelliteRequest { name, region, tags, offline_threshold, managed_by }
}

fn patch(spec: &SatelliteSpec, offline_threshold: Option<Option<Millis>>) -> SatellitePatch {
    let (region, tags) = (Some(spec.region.clone()), Some(spec.tags.clone()));
    let update = SatelliteUpdate { region, tags, ..SatelliteUpdate::default() };
    SatellitePatch { update, offline_threshold, enabled: None }
}

fn systems(
    wanted: &[Described<SystemSpec>],
    present: &Present,
    leaves: &dyn Leaves,
) -> Vec<Change> {
    let there: BTreeMap<_, _> = present.systems.iter().map(|one| (&one.name, one)).collect();
    let one = |described: &Described<SystemSpec>| {
        let metadata = described.spec.metadata.clone();
        let found = there.get(&described.name);
        let (step, fields) = match found {
            None => {
                let (name, managed_by) = (described.name.clone(), Some(Manager::GitOps));
                let request = SystemRequest { name, metadata, managed_by };
                (Step::CreateSystem(request), Vec::new())
            }
            Some(there) => {
                let after = fields::system_spec(&described.spec, leaves);
                let fields = fields::difference(&fields::system(there, leaves), &after);
                let update = SystemUpdate { metadata: Some(metadata), name: None };
                (Step::UpdateSystem(there.id, update), fields)
            }
        };
        change(Kind::System, described, found.is_some(), fields, step)
    };
    wanted.iter().filter_map(one).collect()
}

fn checks(wanted: &[Described<CheckSpec>], present: &Present, leaves: &dyn Leaves) -> Vec<Change> {
    let there: BTreeMap<_, _> = present.checks.iter().map(|one| (&one.name, one)).collect();
    let one = |described: &Described<CheckSpec>| {
        let CheckSpec { strategy, config, collectors, interval } = described.spec.clone();
        let found = there.get(&described.name);
        let (step, fields) = match found {
            None => {
                let (name, managed_by) = (described.name.clone(), Some(Manager::GitOps));
                let request =
                    CheckRequest { name, strategy, config, collectors, interval, managed_by };
                (Step::CreateCheck(request), Vec::new())
            }
            Some(there) => {
                let after = fields::check_spec(&described.spec, leaves);
                let fields = fields::difference(&fields::check(there, leaves), &after);
                let update = CheckUpdate {
                    name: None,
                    strategy: Some(strategy),
                    config: Some(config),
                    collectors: Some(collectors),
                    interval: Some(interval),
                };
                (Step::UpdateCheck(there.id, update), fields)
            }
        };
        change(Kind::Check, described, found.is_some(), fields, step)
    };
    wanted.iter().filter_map(one).collect()
}

/// The change, unless it would change nothing of what is there.
fn change<T>(
    kind: Kind,
    described: &Described<T>,
    is_there: bool,
    fields: Vec<FieldChange>,
    step: Step,
) -> Option<Change> {
    let (name, document) = (described.name.to_string(), Some(described.document));
    let nothing = is_there && fields.is_empty();
    (!nothing).then_some(Change { kind, name, document, fields, step })
}

//! What a manager made and no document describes.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Change, Kept, Kind, Plan, Step};
use super::present::Present;
use super::wanted::{Described, Wanted, WantedTarget};
use crate::assignment::{Assignment, AssignmentId, CheckId, SystemId};
use crate::desired::Manager;
use crate::satellite::Name;

/// A document refers to it, without describing it.
const REFERRED_TO: &str = "a document refers to it";
/// It would take an assignment along that is not a manager's.
const NEEDED: &str = "an assignment needs it that was not made from documents";

/// Adds what may be removed, assignments before what they refer to, and what is in the way.
/// `described` are the assignments that documents describe.
pub(super) fn add(
    plan: &mut Plan,
    wanted: &Wanted,
    present: &Present,
    described: &BTreeSet<AssignmentId>,
) {
    let goes = |one: &&Assignment| is_ours(one.managed_by) && !described.contains(&one.id);
    let titles = Titles::of(present);
    for assignment in present.assignments.iter().filter(goes) {
        let step = Step::RemoveAssignment(assignment.id);
        plan.changes.push(removal(Kind::Assignment, titles.of_assignment(assignment), step));
    }
    let staying = || present.assignments.iter().filter(|one| !goes(one));
    let mut keep = Keep::of(&wanted.checks);
    keep.referred.extend(wanted.assignments.iter().map(|one| &one.spec.check));
    let needed: BTreeSet<CheckId> = staying().map(|one| one.check).collect();
    for check in &present.checks {
        let (is_needed, step) = (needed.contains(&check.id), Step::RemoveCheck(check.id));
        keep.judge(plan, (Kind::Check, &check.name, check.managed_by), is_needed, step);
    }
    let mut keep = Keep::of(&wanted.systems);
    keep.referred.extend(wanted.assignments.iter().map(|one| &one.spec.system));
    let needed: BTreeSet<SystemId> = staying().map(|one| one.system).collect();
    for system in &present.systems {
        let (is_needed, step) = (needed.contains(&system.id), Step::RemoveSystem(system.id));
        keep.judge(plan, (Kind::System, &system.name, system.managed_by), is_needed, step);
    }
    let mut keep = Keep::of(&wanted.satellites);
    for assignment in &wanted.assignments {
        if let WantedTarget::Satellites(names) = &assignment.spec.target {
            keep.referred.extend(names);
        }
    }
    for satellite in &present.satellites {
        let step = Step::RemoveSatellite(satellite.id);
        let one = (Kind::Satellite, &satellite.name, satellite.managed_by);
        keep.judge(plan, one, false, step);
    }
}

fn is_ours(manager: Option<Manager>) -> bool {
    manager == Some(Manager::GitOps)
}

/// Which names of one kind stay.
struct Keep<'a> {
    described: BTreeSet<&'a Name>,
    referred: BTreeSet<&'a Name>,
}

impl<'a> Keep<'a> {
    fn of<T>(described: &'a [Described<T>]) -> Self {
        let described = described.iter().map(|one| &one.name).collect();
        Self { described, referred: BTreeSet::new() }
    }

    fn judge(
        &self,
        plan: &mut Plan,
        (kind, name, manager): (Kind, &Name, Option<Manager>),
        is_needed: bool,
        step: Step,
    ) {
        if !is_ours(manager) || self.described.contains(name) {
            return;
        }
        let why = match (self.referred.contains(name), is_needed) {
            (true, _) => REFERRED_TO,
            (false, true) => NEEDED,
            (false, false) => return plan.changes.push(removal(kind, name.to_string(), step)),
        };
        plan.kept.push(Kept { kind, name: name.to_string(), why });
    }
}

/// An assignment has no name of its own.
struct Titles<'a> {
    checks: BTreeMap<CheckId, &'a Name>,
    systems: BTreeMap<SystemId, &'a Name>,
}

impl<'a> Titles<'a> {
    fn of(present: &'a Present) -> Self {
        Self {
            checks: present.checks.iter().map(|one| (one.id, &one.name)).collect(),
            systems: present.systems.iter().map(|one| (one.id, &one.name)).collect(),
        }
    }

    fn of_assignment(&self, one: &Assignment) -> String {
        match self.checks.get(&one.check).zip(self.systems.get(&one.system)) {
            Some((check, system)) => format!("{check} of {system}"),
            None => one.id.to_string(),
        }
    }
}

fn removal(kind: Kind, name: String, step: Step) -> Change {
    Change { kind, name, document: None, fields: Vec::new(), step }
}

//! Which assignment that is there is the one that a document describes.

use std::collections::{BTreeMap, BTreeSet};

use super::present::Present;
use super::wanted::{AssignmentSpec, Described, WantedTarget};
use crate::assignment::{Assignment, AssignmentId, Target};
use crate::satellite::{Name, SatelliteId};

/// For each of `wanted`, in its order, the assignment that is there, if any; none twice.
///
/// Of those with the same check and system, first whoever says the same; then, in the order of
/// their ids, those that a manager made, and last the others.
pub(super) fn matched<'a>(
    wanted: &[Described<AssignmentSpec>],
    present: &'a Present,
) -> Vec<Option<&'a Assignment>> {
    let (names, called) = (present.names(), called(present));
    let mut free: BTreeMap<_, Vec<&Assignment>> = BTreeMap::new();
    for assignment in &present.assignments {
        free.entry((assignment.check, assignment.system)).or_default().push(assignment);
    }
    for pair in free.values_mut() {
        pair.sort_by_key(|one| (one.managed_by.is_none(), one.id));
    }
    let mut found: BTreeMap<usize, &Assignment> = BTreeMap::new();
    for exactly in [true, false] {
        for (at, Described { spec, .. }) in wanted.iter().enumerate() {
            let ids = names.checks.get(&spec.check).zip(names.systems.get(&spec.system));
            let Some((check, system)) = ids else { continue };
            let Some(pair) = free.get_mut(&(*check, *system)) else { continue };
            let fits = |one: &&Assignment| !exactly || in_words(one, &called) == spec.target;
            if !found.contains_key(&at)
                && let Some(place) = pair.iter().position(fits)
            {
                found.insert(at, pair.remove(place));
            }
        }
    }
    (0..wanted.len()).map(|at| found.remove(&at)).collect()
}

/// The satellites of an assignment by their names. One that is not known any more has none.
pub(super) fn in_words(
    assignment: &Assignment,
    called: &BTreeMap<SatelliteId, &Name>,
) -> WantedTarget {
    match &assignment.target {
        Target::Selected(selector) => WantedTarget::Selected(selector.clone()),
        Target::Satellites(ids) => {
            let names = ids.iter().filter_map(|id| called.get(id).map(|name| (*name).clone()));
            WantedTarget::Satellites(names.collect())
        }
    }
}

/// The names of the satellites that are there.
pub(super) fn called(present: &Present) -> BTreeMap<SatelliteId, &Name> {
    present.satellites.iter().map(|one| (one.id, &one.name)).collect()
}

/// The ids of those that were matched.
pub(super) fn ids(matched: &[Option<&Assignment>]) -> BTreeSet<AssignmentId> {
    matched.iter().flatten().map(|one| one.id).collect()
}

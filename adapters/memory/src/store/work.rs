//! Systems, checks, assignments, revisions: the ports of the work.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::assignment::{
    Assignment, AssignmentId, Catalogue, Check, CheckId, Configuration, Json, Place, Revision,
    StoredRevision, System, SystemId, Target,
};
use groundcontrol_core::connection::status;
use groundcontrol_core::ports::{
    AssignmentQuery, AssignmentSource, AssignmentUpdate, CheckUpdate, Dangling, QuietQuery,
    RevisionStore, RevisionWrite, Saved, StoreResult, SystemUpdate, WorkStore,
};
use groundcontrol_core::run::{QuietPair, Watchers};
use groundcontrol_core::satellite::{Name, SatelliteId};
use groundcontrol_core::time::Timestamp;

use super::MemoryStore;
use super::state::{Row, State};

/// What is stored of the work.
#[derive(Default)]
pub(super) struct Work {
    systems: BTreeMap<SystemId, System>,
    checks: BTreeMap<CheckId, Check>,
    assignments: BTreeMap<AssignmentId, Assignment>,
    revisions: BTreeMap<SatelliteId, StoredRevision>,
    policy: Option<Json>,
}

impl Work {
    /// Takes a satellite out of everything (rule T7).
    pub(super) fn forget(&mut self, satellite: SatelliteId) {
        self.revisions.remove(&satellite);
        for assignment in self.assignments.values_mut() {
            if let Target::Satellites(ids) = &mut assignment.target {
                ids.remove(&satellite);
            }
        }
    }

    fn drop_assignments(&mut self, gone: impl Fn(&Assignment) -> bool) {
        self.assignments.retain(|_, assignment| !gone(assignment));
    }
}

impl State {
    /// What an assignment would refer to in vain.
    fn dangling(&self, assignment: &Assignment) -> Option<Dangling> {
        if !self.work.checks.contains_key(&assignment.check) {
            return Some(Dangling::Check);
        }
        if !self.work.systems.contains_key(&assignment.system) {
            return Some(Dangling::System);
        }
        match &assignment.target {
            Target::Satellites(ids) => {
                let missing = ids.iter().find(|id| !self.satellites.contains_key(id));
                missing.map(|id| Dangling::Satellite(*id))
            }
            Target::Selected(_) => None,
        }
    }

    /// What is assigned, and was not run for its interval.
    pub(super) fn quiet_pairs(&self, query: &QuietQuery) -> Vec<QuietPair> {
        let mut pairs: BTreeMap<(CheckId, SystemId), Vec<&Assignment>> = BTreeMap::new();
        for assignment in self.work.assignments.values() {
            pairs.entry((assignment.check, assignment.system)).or_default().push(assignment);
        }
        let after =
            pairs.into_iter().filter(|(pair, _)| query.after.is_none_or(|after| *pair > after));
        let quiet =
            after.filter_map(|(pair, assignments)| self.quiet_pair(pair, &assignments, query.now));
        quiet.take(query.limit).collect()
    }

    fn quiet_pair(
        &self,
        (check, system): (CheckId, SystemId),
        assignments: &[&Assignment],
        now: Timestamp,
    ) -> Option<QuietPair> {
        let interval = self.work.checks.get(&check)?.interval;
        let made =
            [self.work.checks.get(&check)?.created_at, self.work.systems.get(&system)?.created_at];
        let assigned = assignments.iter().map(|assignment| assignment.created_at);
        let last = self.runs.last_received(check, system);
        let since = assigned.chain(made).chain(last).max()?;
        let watchers = assignments.iter().map(|one| self.watchers(&one.target, now)).max()?;
        let pair = QuietPair { check, system, interval, since, watchers };
        (since + interval.millis() <= now).then_some(pair)
    }

    fn watchers(&self, target: &Target, now: Timestamp) -> Watchers {
        let status = |row: &Row| status(&row.record, self.threshold(row), now);
        match target {
            Target::Satellites(ids) => {
                Watchers::of(ids.iter().filter_map(|id| self.satellites.get(id)).map(status))
            }
            Target::Selected(selector) => {
                let place = |row: &Row| {
                    let (region, tags) = (row.satellite.region.clone(), row.satellite.tags.clone());
                    (region, tags, status(row))
                };
                Watchers::selected(
                    selector,
                    &self.satellites.values().map(place).collect::<Vec<_>>(),
                )
            }
        }
    }

    fn save_assignment(&mut self, assignment: Assignment) -> Saved {
        match self.dangling(&assignment) {
            Some(dangling) => Saved::Dangling(dangling),
            None => {
                self.work.assignments.insert(assignment.id, assignment);
                Saved::Done
            }
        }
    }

    fn configurations(&self, ids: &[SatelliteId]) -> Vec<Arc<Configuration>> {
        let work = &self.work;
        let catalogue = Catalogue::new(
            work.systems.values().cloned().collect(),
            work.checks.values().cloned().collect(),
            work.assignments.values().cloned().collect(),
        );
        let place = |id: &SatelliteId| {
            let row = self.satellites.get(id)?;
            let (region, tags) = (row.satellite.region.clone(), row.satellite.tags.clone());
            Some(Place { satellite: *id, region, tags })
        };
        let places: Vec<_> = ids.iter().map(place).collect();
        let known: Vec<_> = places.iter().flatten().cloned().collect();
        let mut found = catalogue.configurations(&known).into_iter();
        let nothing = Arc::new(Configuration::default());
        let answer = |place: Option<Place>| place.and_then(|_| found.next());
        places.into_iter().map(answer).map(|one| one.unwrap_or_else(|| nothing.clone())).collect()
    }

    fn record_revision(&mut self, write: &RevisionWrite) -> bool {
        if !self.satellites.contains_key(&write.satellite) {
            return false;
        }
        let stored = self.work.revisions.entry(write.satellite).or_default();
        if stored.revision.next() == write.revision {
            (stored.revision, stored.fingerprint) = (write.revision, write.fingerprint);
            return true;
        }
        (stored.revision, stored.fingerprint) == (write.revision, write.fingerprint)
    }
}

/// The first `limit` of `all` by name, after the one named `after`.
fn by_name<T: Clone>(
    all: impl Iterator<Item = T>,
    name: impl Fn(&T) -> &Name,
    after: Option<&Name>,
    limit: usize,
) -> Vec<T> {
    let mut found: Vec<_> = all.filter(|one| after.is_none_or(|after| name(one) > after)).collect();
    found.sort_by(|one, two| name(one).cmp(name(two)));
    found.truncate(limit);
    found
}

#[async_trait]
impl WorkStore for MemoryStore {
    async fn create_system(&self, new: System) -> StoreResult<Saved> {
        let systems = &mut self.state.lock().work.systems;
        if systems.contains_key(&new.id) {
            return Ok(Saved::Done);
        }
        if systems.values().any(|system| system.name == new.name) {
            return Ok(Saved::NameTaken);
        }
        systems.insert(new.id, new);
        Ok(Saved::Done)
    }

    async fn system(&self, id: SystemId) -> StoreResult<Option<System>> {
        Ok(self.state.lock().work.systems.get(&id).cloned())
    }

    async fn systems(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<System>> {
        let state = self.state.lock();
        let all = state.work.systems.values().cloned();
        Ok(by_name(all, |system| &system.name, after.as_ref(), limit))
    }

    async fn update_system(&self, id: SystemId, update: SystemUpdate) -> StoreResult<Saved> {
        let systems = &mut self.state.lock().work.systems;
        let taken = |other: &System| other.id != id && Some(&other.name) == update.name.as_ref();
        let is_taken = systems.values().any(taken);
        let Some(system) = systems.get_mut(&id) else { return Ok(Saved::Gone) };
        if is_taken {
            return Ok(Saved::NameTaken);
        }
        set(&mut system.name, update.name);
        set(&mut system.metadata, update.metadata);
        Ok(Saved::Done)
    }

    async fn remove_system(&self, id: SystemId) -> StoreResult<bool> {
        let work = &mut self.state.lock().work;
        work.drop_assignments(|assignment| assignment.system == id);
        Ok(work.systems.remove(&id).is_some())
    }

    async fn create_check(&self, new: Check) -> StoreResult<Saved> {
        let checks = &mut self.state.lock().work.checks;
        if checks.contains_key(&new.id) {
            return Ok(Saved::Done);
        }
        if checks.values().any(|check| check.name == new.name) {
            return Ok(Saved::NameTaken);
        }
        checks.insert(new.id, new);
        Ok(Saved::Done)
    }

    async fn check(&self, id: CheckId) -> StoreResult<Option<Check>> {
        Ok(self.state.lock().work.checks.get(&id).cloned())
    }

    async fn checks(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Check>> {
        let state = self.state.lock();
        Ok(by_name(state.work.checks.values().cloned(), |check| &check.name, after.as_ref(), limit))
    }

    async fn update_check(&self, id: CheckId, update: CheckUpdate) -> StoreResult<Saved> {
        let checks = &mut self.state.lock().work.checks;
        let taken = |other: &Check| other.id != id && Some(&other.name) == update.name.as_ref();
        let is_taken = checks.values().any(taken);
        let Some(check) = checks.get_mut(&id) else { return Ok(Saved::Gone) };
        if is_taken {
            return Ok(Saved::NameTaken);
        }
        set(&mut check.name, update.name);
        set(&mut check.strategy, update.strategy);
        set(&mut check.config, update.config);
        set(&mut check.collectors, update.collectors);
        set(&mut check.interval, update.interval);
        Ok(Saved::Done)
    }

    async fn remove_check(&self, id: CheckId) -> StoreResult<bool> {
        let work = &mut self.state.lock().work;
        work.drop_assignments(|assignment| assignment.check == id);
        Ok(work.checks.remove(&id).is_some())
    }

    async fn create_assignment(&self, new: Assignment) -> StoreResult<Saved> {
        let mut state = self.state.lock();
        if state.work.assignments.contains_key(&new.id) {
            return Ok(Saved::Done);
        }
        Ok(state.save_assignment(new))
    }

    async fn assignment(&self, id: AssignmentId) -> StoreResult<Option<Assignment>> {
        Ok(self.state.lock().work.assignments.get(&id).cloned())
    }

    async fn assignments(&self, query: &AssignmentQuery) -> StoreResult<Vec<Assignment>> {
        let fits = |assignment: &&Assignment| {
            query.check.is_none_or(|check| assignment.check == check)
                && query.system.is_none_or(|system| assignment.system == system)
                && query.after.is_none_or(|after| assignment.id > after)
        };
        let state = self.state.lock();
        Ok(state.work.assignments.values().filter(fits).take(query.limit).cloned().collect())
    }

    async fn update_assignment(
        &self,
        id: AssignmentId,
        update: AssignmentUpdate,
    ) -> StoreResult<Saved> {
        let mut state = self.state.lock();
        let Some(mut changed) = state.work.assignments.get(&id).cloned() else {
            return Ok(Saved::Gone);
        };
        set(&mut changed.check, update.check);
        set(&mut changed.system, update.system);
        set(&mut changed.target, update.target);
        Ok(state.save_assignment(changed))
    }

    async fn remove_assignment(&self, id: AssignmentId) -> StoreResult<bool> {
        Ok(self.state.lock().work.assignments.remove(&id).is_some())
    }

    async fn sandbox_policy(&self) -> StoreResult<Option<Json>> {
        Ok(self.state.lock().work.policy.clone())
    }

    async fn set_sandbox_policy(&self, policy: Option<Json>) -> StoreResult<()> {
        self.state.lock().work.policy = policy;
        Ok(())
    }
}

fn set<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}

#[async_trait]
impl AssignmentSource for MemoryStore {
    async fn configurations(
        &self,
        satellites: &[SatelliteId],
    ) -> StoreResult<Vec<Arc<Configuration>>> {
        Ok(self.state.lock().configurations(satellites))
    }
}

#[async_trait]
impl RevisionStore for MemoryStore {
    async fn revisions(&self, satellites: &[SatelliteId]) -> StoreResult<Vec<StoredRevision>> {
        let state = self.state.lock();
        let of = |id| state.work.revisions.get(id).copied().unwrap_or_default();
        Ok(satellites.iter().map(of).collect())
    }

    async fn record_revisions(&self, writes: &[RevisionWrite]) -> StoreResult<Vec<bool>> {
        let mut state = self.state.lock();
        Ok(writes.iter().map(|write| state.record_revision(write)).collect())
    }

    async fn record_applied(&self, applied: &[(SatelliteId, Revision)]) -> StoreResult<()> {
        let revisions = &mut self.state.lock().work.revisions;
        for (satellite, revision) in applied {
            if let Some(stored) = revisions.get_mut(satellite)
                && *revision <= stored.revision
            {
                stored.applied = stored.applied.max(Some(*revision));
            }
        }
        Ok(())
    }
}

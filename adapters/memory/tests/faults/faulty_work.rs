//! The ports of the work, right but for one fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::assignment::{
    Assignment, AssignmentId, Check, CheckId, Collectors, Configuration, Json, Revision,
    StoredRevision, System, SystemId, Target,
};
use groundcontrol_core::connection::LifecycleEvent;
use groundcontrol_core::ports::{
    AssignmentQuery, AssignmentSource, AssignmentUpdate, CheckUpdate, LatestQuery, QuietQuery,
    RevisionStore, RevisionWrite, RunQuery, RunSink, RunStore, SatelliteStore as _, Saved,
    StoreResult, SystemUpdate, WorkStore,
};
use groundcontrol_core::run::{QuietPair, Run, RunKey, StoredRun, StrategyError, Watchers};
use groundcontrol_core::satellite::{Name, SatelliteId};
use groundcontrol_core::time::{Millis, Timestamp};

use crate::faulty::Faulty;
use crate::work_fault::WorkFault as Fault;

impl Faulty {
    fn is(&self, fault: Fault) -> bool {
        self.work_fault == fault
    }

    async fn all_systems(&self) -> StoreResult<Vec<System>> {
        self.inner.systems(None, usize::MAX).await
    }

    async fn all_runs(&self) -> StoreResult<Vec<StoredRun>> {
        self.inner.runs(&RunQuery { limit: usize::MAX, ..RunQuery::default() }).await
    }

    async fn all_assignments(&self) -> StoreResult<Vec<Assignment>> {
        let all = AssignmentQuery { limit: usize::MAX, ..AssignmentQuery::default() };
        self.inner.assignments(&all).await
    }

    /// The satellites of an assignment that are there.
    async fn without_strangers(&self, target: &Target) -> StoreResult<Target> {
        let Target::Satellites(ids) = target else { return Ok(target.clone()) };
        let ids: Vec<_> = ids.iter().copied().collect();
        let known = self.inner.get_many(&ids).await?;
        Ok(Target::Satellites(known.into_iter().map(|stored| stored.satellite.id).collect()))
    }
}

#[async_trait]
impl WorkStore for Faulty {
    async fn create_system(&self, mut new: System) -> StoreResult<Saved> {
        if self.is(Fault::RewritesJson) {
            let text: String = new.metadata.as_str().split_whitespace().collect();
            new.metadata = Json::trusted(text);
        }
        if self.is(Fault::CreateTwiceResets) && self.inner.system(new.id).await?.is_some() {
            let update = SystemUpdate { name: None, metadata: Some(new.metadata) };
            return self.inner.update_system(new.id, update).await;
        }
        match self.inner.create_system(new).await? {
            Saved::NameTaken if self.is(Fault::NamesMayBeShared) => Ok(Saved::Done),
            saved => Ok(saved),
        }
    }

    async fn system(&self, id: SystemId) -> StoreResult<Option<System>> {
        self.inner.system(id).await
    }

    async fn systems(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<System>> {
        if self.is(Fault::ListsSystemsById) {
            let mut all = self.all_systems().await?;
            all.sort_by_key(|system| system.id);
            return Ok(all);
        }
        self.inner.systems(after, limit).await
    }

    async fn update_system(&self, id: SystemId, update: SystemUpdate) -> StoreResult<Saved> {
        if self.is(Fault::UpdatesHalfway) {
            let metadata = update.metadata.clone();
            self.inner.update_system(id, SystemUpdate { name: None, metadata }).await?;
        }
        match self.inner.update_system(id, update).await? {
            Saved::Gone if self.is(Fault::ChangesNothingQuietly) => Ok(Saved::Done),
            saved => Ok(saved),
        }
    }

    async fn remove_system(&self, id: SystemId) -> StoreResult<bool> {
        self.inner.remove_system(id).await
    }

    async fn create_check(&self, new: Check) -> StoreResult<Saved> {
        self.inner.create_check(new).await
    }

    async fn check(&self, id: CheckId) -> StoreResult<Option<Check>> {
        self.inner.check(id).await
    }

    async fn checks(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Check>> {
        self.inner.checks(after, limit).await
    }

    async fn update_check(&self, id: CheckId, mut update: CheckUpdate) -> StoreResult<Saved> {
        if self.is(Fault::UpdateClearsCollectors) {
            update.collectors.get_or_insert_with(Collectors::default);
        }
        self.inner.update_check(id, update).await
    }

    async fn remove_check(&self, id: CheckId) -> StoreResult<bool> {
        let of = AssignmentQuery { check: Some(id), limit: usize::MAX, ..Default::default() };
        let kept = self.inner.assignments(&of).await?;
        let check = self.inner.check(id).await?;
        let removed = self.inner.remove_check(id).await?;
        if let (Fault::KeepsAssignments, Some(check)) = (self.work_fault, check) {
            self.inner.create_check(check).await?;
            for assignment in kept {
                self.inner.create_assignment(assignment).await?;
            }
        }
        Ok(removed)
    }

    async fn create_assignment(&self, mut new: Assignment) -> StoreResult<Saved> {
        if self.is(Fault::AssignsToNobody) {
            new.target = self.without_strangers(&new.target).await?;
        }
        self.inner.create_assignment(new).await
    }

    async fn assignment(&self, id: AssignmentId) -> StoreResult<Option<Assignment>> {
        self.inner.assignment(id).await
    }

    async fn assignments(&self, query: &AssignmentQuery) -> StoreResult<Vec<Assignment>> {
        let mut query = query.clone();
        if self.is(Fault::ListsByCheckAlone) && query.check.is_some() {
            query.system = None;
        }
        self.inner.assignments(&query).await
    }

    async fn update_assignment(
        &self,
        id: AssignmentId,
        mut update: AssignmentUpdate,
    ) -> StoreResult<Saved> {
        let before = self.inner.assignment(id).await?.map(|assignment| assignment.target);
        if let (Fault::TargetsGrow, Some(Target::Satellites(new)), Some(Target::Satellites(old))) =
            (self.work_fault, &mut update.target, before)
        {
            new.extend(old);
        }
        self.inner.update_assignment(id, update).await
    }

    async fn remove_assignment(&self, id: AssignmentId) -> StoreResult<bool> {
        self.inner.remove_assignment(id).await
    }

    async fn sandbox_policy(&self) -> StoreResult<Option<Json>> {
        self.inner.sandbox_policy().await
    }

    async fn set_sandbox_policy(&self, policy: Option<Json>) -> StoreResult<()> {
        if self.is(Fault::PolicyStays) && policy.is_none() {
            return Ok(());
        }
        self.inner.set_sandbox_policy(policy).await
    }
}

#[async_trait]
impl AssignmentSource for Faulty {
    async fn configurations(
        &self,
        satellites: &[SatelliteId],
    ) -> StoreResult<Vec<Arc<Configuration>>> {
        let mut asked = satellites.to_vec();
        match self.work_fault {
            Fault::EmptyByAccident => return Ok(vec![Arc::default(); satellites.len()]),
            Fault::AnswersInOrderOfIds => asked.sort(),
            _ => {}
        }
        let found = self.inner.configurations(&asked).await?;
        Ok(match self.work_fault {
            Fault::CopiesConfigurations => {
                let copy = |one: Arc<Configuration>| Configuration::new(one.assigned().to_vec());
                found.into_iter().map(|one| Arc::new(copy(one))).collect()
            }
            Fault::RemembersConfigurations => {
                let mut told = self.told.lock();
                let kept = asked
                    .iter()
                    .zip(found)
                    .map(|(id, found)| told.configurations.entry(*id).or_insert(found).clone());
                kept.collect()
            }
            _ => found,
        })
    }
}

#[async_trait]
impl RevisionStore for Faulty {
    async fn revisions(&self, satellites: &[SatelliteId]) -> StoreResult<Vec<StoredRevision>> {
        let mut found = self.inner.revisions(satellites).await?;
        let mut told = self.told.lock();
        for (id, stored) in satellites.iter().zip(&mut found) {
            if let (Fault::AppliedGoesBack | Fault::AppliedRunsAhead, Some(said)) =
                (self.work_fault, told.applied.get(id))
            {
                stored.applied = Some(*said);
            }
            if self.is(Fault::RevisionsOutlive) {
                match stored.revision {
                    Revision(0) => *stored = told.revisions.get(id).copied().unwrap_or_default(),
                    _ => drop(told.revisions.insert(*id, *stored)),
                }
            }
        }
        Ok(found)
    }

    async fn record_revisions(&self, writes: &[RevisionWrite]) -> StoreResult<Vec<bool>> {
        let stored: Vec<_> = writes.iter().map(|write| write.satellite).collect();
        let before = self.inner.revisions(&stored).await?;
        let mut answers = self.inner.record_revisions(writes).await?;
        for ((write, before), answer) in writes.iter().zip(before).zip(&mut answers) {
            let repeated = before.revision == write.revision;
            match self.work_fault {
                Fault::StoresAnyRevision => *answer = true,
                Fault::RefusesRepeatedRevision if repeated => *answer = false,
                Fault::RevisionsOutlive if *answer => {
                    let StoredRevision { applied, .. } = before;
                    let (revision, fingerprint) = (write.revision, write.fingerprint);
                    let kept = StoredRevision { revision, fingerprint, applied };
                    self.told.lock().revisions.insert(write.satellite, kept);
                }
                _ => {}
            }
        }
        if self.is(Fault::StopsAtRefusedRevision)
            && let Some(first) = answers.iter().position(|answer| !answer)
        {
            answers[first..].fill(false);
        }
        Ok(answers)
    }

    async fn record_applied(&self, applied: &[(SatelliteId, Revision)]) -> StoreResult<()> {
        self.inner.record_applied(applied).await?;
        let ids: Vec<_> = applied.iter().map(|(id, _)| *id).collect();
        let latest = self.inner.revisions(&ids).await?;
        for ((id, said), stored) in applied.iter().zip(latest) {
            let believed = match self.work_fault {
                Fault::AppliedGoesBack => *said <= stored.revision,
                Fault::AppliedRunsAhead => Some(*said) >= stored.applied,
                _ => false,
            };
            if believed {
                self.told.lock().applied.insert(*id, *said);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl RunSink for Faulty {
    async fn record_runs(&self, runs: &[Run]) -> StoreResult<()> {
        let mut runs = runs.to_vec();
        match self.work_fault {
            Fault::KeepsRepetitions => {
                for run in &mut runs {
                    let number = self.told.lock().count();
                    run.run.result_id = Some(format!("{number}"));
                }
            }
            Fault::IdsAreShared => {
                let known = self.all_runs().await?;
                let mut ids: Vec<_> = known.into_iter().filter_map(|r| r.run.result_id).collect();
                runs.retain(|run| match &run.run.result_id {
                    Some(id) if ids.contains(id) => false,
                    Some(id) => {
                        ids.push(id.clone());
                        true
                    }
                    None => true,
                });
            }
            Fault::DropsFailures => runs.iter_mut().for_each(|run| run.failed = None),
            Fault::CutsLongBatches => runs.truncate(1_000),
            _ => {}
        }
        self.inner.record_runs(&runs).await?;
        if self.is(Fault::LatestOutlives) {
            let all = LatestQuery { limit: usize::MAX, ..LatestQuery::default() };
            let latest = self.inner.latest_runs(&all).await?;
            self.told.lock().latest.extend(latest.into_iter().map(|one| (one.key(), one)));
        }
        Ok(())
    }

    async fn record_strategy_errors(&self, errors: &[StrategyError]) -> StoreResult<()> {
        let mut first = Vec::new();
        for error in errors {
            let known = self.inner.strategy_errors(error.satellite).await?;
            let told = |list: &[StrategyError]| list.iter().any(|e| e.strategy == error.strategy);
            if self.is(Fault::FirstErrorStays) && (told(&known) || told(&first)) {
                continue;
            }
            first.push(error.clone());
        }
        self.inner.record_strategy_errors(&first).await
    }
}

#[async_trait]
impl RunStore for Faulty {
    async fn runs(&self, query: &RunQuery) -> StoreResult<Vec<StoredRun>> {
        let mut query = query.clone();
        if let (Fault::PagesByTimeAlone, Some((at, _))) = (self.work_fault, query.after) {
            query.after = Some((at, 0));
        }
        let mut found = self.inner.runs(&query).await?;
        if self.is(Fault::ListsRunsAsTheyCame) {
            found.sort_by_key(|stored| stored.number);
        }
        Ok(found)
    }

    async fn latest_runs(&self, query: &LatestQuery) -> StoreResult<Vec<StoredRun>> {
        let mut query = query.clone();
        match self.work_fault {
            Fault::LatestOverlooksSatellite => query.satellite = None,
            Fault::LatestPagesOverlap if query.after.is_some() => {
                let before = LatestQuery { after: None, limit: usize::MAX, ..query.clone() };
                let all = self.inner.latest_runs(&before).await?;
                let from = all.into_iter().skip_while(|one| Some(one.key()) != query.after);
                return Ok(from.take(query.limit).collect());
            }
            _ => {}
        }
        let mut found = self.inner.latest_runs(&query).await?;
        match self.work_fault {
            Fault::LatestIsLastToCome => {
                for latest in &mut found {
                    let all = self.all_runs().await?.into_iter();
                    let of = all.filter(|one| one.key() == latest.key());
                    if let Some(last) = of.max_by_key(|one| one.number) {
                        *latest = last;
                    }
                }
            }
            Fault::LatestForgetsEnvironment => {
                let mut seen: BTreeMap<RunKey, ()> = BTreeMap::new();
                found.retain(|one| {
                    let key = RunKey { environment: String::new(), ..one.key() };
                    seen.insert(key, ()).is_none()
                });
            }
            Fault::LatestOutlives => {
                return Ok(self.told.lock().latest.values().cloned().collect());
            }
            _ => {}
        }
        Ok(found)
    }

    async fn quiet_pairs(&self, query: &QuietQuery) -> StoreResult<Vec<QuietPair>> {
        let mut query = query.clone();
        match self.work_fault {
            Fault::QuietLate => query.now = query.now.minus(Millis::new(1)),
            Fault::QuietIgnoresCursor => query.after = None,
            Fault::QuietForgetsRuns => query.now = query.now + Millis::from_secs(3_600),
            _ => {}
        }
        let mut found = self.inner.quiet_pairs(&query).await?;
        for pair in &mut found {
            self.bend_quiet(pair).await?;
        }
        Ok(found)
    }

    async fn strategy_errors(&self, satellite: SatelliteId) -> StoreResult<Vec<StrategyError>> {
        self.inner.strategy_errors(satellite).await
    }

    async fn prune_runs(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        match self.work_fault {
            Fault::PrunesWithoutLimit => self.inner.prune_runs(before, usize::MAX).await,
            Fault::PrunesNewestFirst => {
                let all = self.all_runs().await?;
                let old = all.iter().filter(|run| run.received_at < before).count();
                let gone = self.inner.prune_runs(before, usize::MAX).await?;
                let kept: Vec<_> = all.into_iter().rev().take(old.saturating_sub(limit)).collect();
                let again = |stored: StoredRun| {
                    let StoredRun { satellite, source, run, failed, received_at, .. } = stored;
                    let number = self.told.lock().count();
                    let result_id = Some(format!("kept {number}"));
                    let run = groundcontrol_core::run::ReportedRun { result_id, ..run };
                    Run { satellite, source, run, failed, received_at }
                };
                let kept: Vec<_> = kept.into_iter().map(again).collect();
                self.inner.record_runs(&kept).await?;
                Ok(gone - kept.len() as u64)
            }
            _ => self.inner.prune_runs(before, limit).await,
        }
    }
}

impl Faulty {
    async fn bend_quiet(&self, pair: &mut QuietPair) -> StoreResult<()> {
        if self.is(Fault::QuietSinceCheck)
            && let Some(check) = self.inner.check(pair.check).await?
        {
            pair.since = check.created_at;
        }
        let of_pair = |one: &Assignment| (one.check, one.system) == (pair.check, pair.system);
        let assignments = self.all_assignments().await?;
        let assignments: Vec<_> = assignments.into_iter().filter(of_pair).collect();
        match self.work_fault {
            Fault::QuietForgetsSelectors => {
                let selects = |one: &Assignment| matches!(one.target, Target::Selected(_));
                if assignments.iter().all(selects) {
                    pair.watchers = Watchers::Nobody;
                }
            }
            Fault::QuietCountsOneAssignment if assignments.len() > 1 => {
                pair.watchers = Watchers::Nobody;
            }
            Fault::QuietStatusFromEdge => {
                for one in assignments {
                    let Target::Satellites(ids) = one.target else { continue };
                    for id in ids {
                        let stored = self.inner.get(id).await?;
                        let event = stored.and_then(|stored| stored.record.last_event);
                        if event == Some(LifecycleEvent::Connected) {
                            pair.watchers = Watchers::Online;
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

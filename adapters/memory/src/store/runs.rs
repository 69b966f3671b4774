//! What satellites reported.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use groundcontrol_core::assignment::{CheckId, SystemId};
use groundcontrol_core::ports::{
    LatestQuery, QuietQuery, RunQuery, RunSink, RunStore, StoreResult,
};
use groundcontrol_core::run::{QuietPair, Run, RunKey, StoredRun, StrategyError};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;

use super::MemoryStore;

/// What is stored of runs.
#[derive(Default)]
pub(super) struct Runs {
    kept: Vec<StoredRun>,
    known: BTreeSet<(Option<SatelliteId>, String)>,
    latest: BTreeMap<RunKey, StoredRun>,
    last: u64,
    errors: BTreeMap<(SatelliteId, String), StrategyError>,
}

impl Runs {
    pub(super) fn forget(&mut self, satellite: SatelliteId) {
        self.errors.retain(|(whose, _), _| *whose != satellite);
    }

    fn record(&mut self, run: &Run) {
        if !self.known.insert((run.satellite, run.repetition())) {
            return;
        }
        self.last += 1;
        let stored = StoredRun {
            number: self.last,
            satellite: run.satellite,
            source: run.source.clone(),
            run: run.run.clone(),
            failed: run.failed.clone(),
            received_at: run.received_at,
        };
        let at = stored.run.executed_at;
        let latest = self.latest.entry(stored.key()).or_insert_with(|| stored.clone());
        if latest.run.executed_at <= at {
            latest.clone_from(&stored);
        }
        self.kept.push(stored);
    }

    /// When a run of a check and a system was received last, among the latest.
    pub(super) fn last_received(&self, check: CheckId, system: SystemId) -> Option<Timestamp> {
        let of =
            self.latest.values().filter(|one| (one.run.check, one.run.system) == (check, system));
        of.map(|one| one.received_at).max()
    }
}

fn fits(query: &RunQuery, stored: &StoredRun) -> bool {
    let (run, at) = (&stored.run, stored.run.executed_at);
    query.check.is_none_or(|check| run.check == check)
        && query.system.is_none_or(|system| run.system == system)
        && query.satellite.is_none_or(|satellite| stored.satellite == Some(satellite))
        && query.since.is_none_or(|since| at >= since)
        && query.until.is_none_or(|until| at < until)
        && query.after.is_none_or(|after| (at, stored.number) < after)
}

#[async_trait]
impl RunSink for MemoryStore {
    async fn record_runs(&self, runs: &[Run]) -> StoreResult<()> {
        let mut state = self.state.lock();
        runs.iter().for_each(|run| state.runs.record(run));
        Ok(())
    }

    async fn record_strategy_errors(&self, errors: &[StrategyError]) -> StoreResult<()> {
        let mut state = self.state.lock();
        for error in errors {
            if state.satellites.contains_key(&error.satellite) {
                let key = (error.satellite, error.strategy.clone());
                state.runs.errors.insert(key, error.clone());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl RunStore for MemoryStore {
    async fn runs(&self, query: &RunQuery) -> StoreResult<Vec<StoredRun>> {
        let state = self.state.lock();
        let mut found: Vec<_> =
            state.runs.kept.iter().filter(|run| fits(query, run)).cloned().collect();
        found.sort_by_key(|stored| std::cmp::Reverse((stored.run.executed_at, stored.number)));
        found.truncate(query.limit);
        Ok(found)
    }

    async fn latest_runs(&self, query: &LatestQuery) -> StoreResult<Vec<StoredRun>> {
        let state = self.state.lock();
        let fits = |key: &RunKey| {
            query.check.is_none_or(|check| key.check == check)
                && query.system.is_none_or(|system| key.system == system)
                && query.satellite.is_none_or(|satellite| key.satellite == Some(satellite))
                && query.after.as_ref().is_none_or(|after| key > after)
        };
        let found = state.runs.latest.iter().filter(|(key, _)| fits(key));
        Ok(found.take(query.limit).map(|(_, stored)| stored.clone()).collect())
    }

    async fn quiet_pairs(&self, query: &QuietQuery) -> StoreResult<Vec<QuietPair>> {
        Ok(self.state.lock().quiet_pairs(query))
    }

    async fn strategy_errors(&self, satellite: SatelliteId) -> StoreResult<Vec<StrategyError>> {
        let state = self.state.lock();
        let of = state.runs.errors.values().filter(|error| error.satellite == satellite);
        Ok(of.cloned().collect())
    }

    async fn prune_runs(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        let runs = &mut self.state.lock().runs;
        let mut old: Vec<_> = runs.kept.iter().filter(|run| run.received_at < before).collect();
        old.sort_by_key(|run| (run.received_at, run.number));
        let old: BTreeSet<_> = old.into_iter().take(limit).map(|run| run.number).collect();
        runs.kept.retain(|run| !old.contains(&run.number));
        runs.latest.retain(|_, run| !old.contains(&run.number));
        Ok(old.len() as u64)
    }
}

//! What satellites reported.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use groundcontrol_core::ports::{RunQuery, RunSink, RunStore, StoreResult};
use groundcontrol_core::run::{Run, StoredRun, StrategyError};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;

use super::MemoryStore;

/// What is stored of runs.
#[derive(Default)]
pub(super) struct Runs {
    kept: Vec<StoredRun>,
    known: BTreeSet<(SatelliteId, String)>,
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
        self.kept.push(StoredRun {
            number: self.last,
            satellite: run.satellite,
            source: run.source.clone(),
            run: run.run.clone(),
            failed: run.failed.clone(),
            received_at: run.received_at,
        });
    }
}

fn fits(query: &RunQuery, stored: &StoredRun) -> bool {
    let (run, at) = (&stored.run, stored.run.executed_at);
    query.check.is_none_or(|check| run.check == check)
        && query.system.is_none_or(|system| run.system == system)
        && query.satellite.is_none_or(|satellite| stored.satellite == satellite)
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
        Ok(old.len() as u64)
    }
}

//! The ports of runs: which call goes where.

use async_trait::async_trait;
use groundcontrol_core::ports::{
    LatestQuery, QuietQuery, RunQuery, RunSink, RunStore, StoreResult,
};
use groundcontrol_core::run::{QuietPair, Run, StoredRun, StrategyError};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Timestamp;

use crate::read::{quiet_pairs, runs as read};
use crate::store::{DatabaseStore, doing};
use crate::write::{PruneRuns, RecordRuns, RecordStrategyErrors};

#[async_trait]
impl RunSink for DatabaseStore {
    async fn record_runs(&self, runs: &[Run]) -> StoreResult<()> {
        if runs.is_empty() {
            return Ok(());
        }
        self.writer().write(RecordRuns(runs.to_vec())).await
    }

    async fn record_strategy_errors(&self, errors: &[StrategyError]) -> StoreResult<()> {
        if errors.is_empty() {
            return Ok(());
        }
        self.writer().write(RecordStrategyErrors(errors.to_vec())).await
    }
}

#[async_trait]
impl RunStore for DatabaseStore {
    async fn runs(&self, query: &RunQuery) -> StoreResult<Vec<StoredRun>> {
        doing("list runs", read::runs(self.reader(), query).await)
    }

    async fn latest_runs(&self, query: &LatestQuery) -> StoreResult<Vec<StoredRun>> {
        doing("list the latest runs", read::latest_runs(self.reader(), query).await)
    }

    async fn quiet_pairs(&self, query: &QuietQuery) -> StoreResult<Vec<QuietPair>> {
        doing("look for checks that nobody runs", quiet_pairs(self.reader(), query).await)
    }

    async fn strategy_errors(&self, satellite: SatelliteId) -> StoreResult<Vec<StrategyError>> {
        doing("read what an agent lacks", read::strategy_errors(self.reader(), satellite).await)
    }

    async fn prune_runs(&self, before: Timestamp, limit: usize) -> StoreResult<u64> {
        self.writer().write(PruneRuns { before, limit }).await
    }
}

//! What satellites report.

use async_trait::async_trait;

use super::StoreResult;
use crate::assignment::{CheckId, SystemId};
use crate::run::{QuietPair, Run, RunKey, StoredRun, StrategyError};
use crate::satellite::SatelliteId;
use crate::time::Timestamp;

/// Where runs go. Ours is the store that [`RunStore`] reads; an integrator brings another.
///
/// * **Durable**: what was answered is kept, also after a crash.
/// * **Once**: a run that is kept already ([`Run::repetition`]) is not kept twice; the first stays.
/// * **Together**: a call keeps all of its runs, or none.
///
/// May fail: any call. Every call may be repeated.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RunSink: Send + Sync {
    /// Keeps runs. Any number; some may be repetitions of others.
    async fn record_runs(&self, runs: &[Run]) -> StoreResult<()>;

    /// Keeps what agents said of strategies; of two about one strategy of a satellite the later
    /// holds. Unknown satellites are ignored.
    async fn record_strategy_errors(&self, errors: &[StrategyError]) -> StoreResult<()>;
}

/// Runs that are kept.
///
/// Every promise here and of [`RunSink`] has a case in `conformance::run_store`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RunStore: Send + Sync {
    /// The runs that match, newest first by when they were executed.
    async fn runs(&self, query: &RunQuery) -> StoreResult<Vec<StoredRun>>;

    /// Of each [key](RunKey) the run that was executed last, and of two at the same time the one
    /// that was kept later: those that match, in the order of their keys. Reads no others.
    async fn latest_runs(&self, query: &LatestQuery) -> StoreResult<Vec<StoredRun>>;

    /// What is assigned and was not run for its interval at `query.now`, in the order of check and
    /// system, with who could have run it; whether that means anything is for
    /// [`QuietPair::unwatched`]. What an assignment refers to is there (`WorkStore`), so no more is
    /// asked. A constant number of statements, however many assignments and satellites.
    async fn quiet_pairs(&self, query: &QuietQuery) -> StoreResult<Vec<QuietPair>>;

    /// What a satellite's agent said of strategies, in the order of their names.
    async fn strategy_errors(&self, satellite: SatelliteId) -> StoreResult<Vec<StrategyError>>;

    /// Deletes up to `limit` runs that were received before `before`, of the oldest first; answers
    /// how many.
    async fn prune_runs(&self, before: Timestamp, limit: usize) -> StoreResult<u64>;
}

/// Which runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// Only those of this check.
    pub check: Option<CheckId>,
    /// Only those of this system.
    pub system: Option<SystemId>,
    /// Only those of this satellite.
    pub satellite: Option<SatelliteId>,
    /// Only those executed at this time or later.
    pub since: Option<Timestamp>,
    /// Only those executed before this time.
    pub until: Option<Timestamp>,
    /// Only those that come after this one in the list: when it was executed, and its number.
    pub after: Option<(Timestamp, u64)>,
    /// At most this many.
    pub limit: usize,
}

/// Which latest runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatestQuery {
    /// Only those of this check.
    pub check: Option<CheckId>,
    /// Only those of this system.
    pub system: Option<SystemId>,
    /// Only those of this satellite.
    pub satellite: Option<SatelliteId>,
    /// Only those that come after this key, which is one that matches.
    pub after: Option<RunKey>,
    /// At most this many.
    pub limit: usize,
}

/// Which quiet pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietQuery {
    /// Store time.
    pub now: Timestamp,
    /// Only those that come after this check and system.
    pub after: Option<(CheckId, SystemId)>,
    /// At most this many.
    pub limit: usize,
}

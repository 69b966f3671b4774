//! Where it is known what satellites run.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreResult;
use crate::assignment::Configuration;
use crate::satellite::SatelliteId;

/// What satellites run. Ours reads what [`WorkStore`](super::WorkStore) holds; whoever keeps
/// health checks in a database of their own brings another, and tells the pods of changes with
/// [`Nudge::WorkChanged`](super::Nudge::WorkChanged).
///
/// Every promise below has a case in `conformance::assignment_source`.
///
/// * **Current**: what was committed before the call is in the answer.
/// * **Together**: one call reads a constant number of times, however many satellites it is for.
/// * **Never empty by accident**: where anything that belongs to an answer cannot be read, the
///   call fails. An empty configuration tells an agent to stop all its checks.
///
/// May be wrong about: changes during the call. May fail: any call.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AssignmentSource: Send + Sync {
    /// What each of `satellites` runs, in their order; an unknown one runs nothing. Satellites
    /// that run the same share one configuration.
    async fn configurations(
        &self,
        satellites: &[SatelliteId],
    ) -> StoreResult<Vec<Arc<Configuration>>>;

    /// What one satellite runs. Where many ask at the same time, they may be answered together.
    async fn configuration(&self, satellite: SatelliteId) -> StoreResult<Arc<Configuration>> {
        let found = self.configurations(&[satellite]).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }
}

//! How far events have come on their way to sinks.

use async_trait::async_trait;

use super::{EventCursor, SinkName, StoreResult};
use crate::satellite::PodName;
use crate::time::{Millis, Timestamp};

/// A durable cursor for each sink, and who feeds it.
///
/// One pod at a time feeds a sink, under a lease; whatever it leaves behind, the next one finds. A
/// sink that was never seen begins with what happens from then on. Every promise has a case in
/// `conformance::sink_store`.
///
/// * **Durable**: what was answered is stored, also after a crash.
/// * **Fenced**: a claim moves the cursor only while no other claim of the sink was given out
///   since.
///
/// May fail: any call.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SinkStore: Send + Sync {
    /// Where a sink's cursor is; it is made where it is not there.
    async fn sink_cursor(&self, sink: &SinkName) -> StoreResult<Option<EventCursor>>;

    /// Claims a sink until `now` + `lease`; none where it is claimed by another, or its cursor was
    /// never asked for.
    async fn claim_sink(
        &self,
        sink: &SinkName,
        pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<Option<SinkClaim>>;

    /// Moves the cursor to `reached` and lets the claim last until `now` + `lease`; false, and
    /// nothing, where the claim is lost.
    async fn sink_reached(
        &self,
        claim: &SinkClaim,
        reached: Option<EventCursor>,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<bool>;

    /// Gives a claim back. One that is lost already: nothing.
    async fn release_sink(&self, claim: &SinkClaim) -> StoreResult<()>;
}

/// The right to feed a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkClaim {
    /// Which.
    pub sink: SinkName,
    /// What tells this claim from all others of it.
    pub token: u64,
    /// Where the cursor is.
    pub cursor: Option<EventCursor>,
}

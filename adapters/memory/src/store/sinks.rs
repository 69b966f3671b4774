//! How far events have come on their way to sinks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use groundcontrol_core::ports::{EventCursor, SinkClaim, SinkName, SinkStore, StoreResult};
use groundcontrol_core::satellite::PodName;
use groundcontrol_core::time::{Millis, Timestamp};

use super::MemoryStore;

/// Every sink that was ever asked for.
#[derive(Default)]
pub(super) struct Sinks(BTreeMap<SinkName, Row>);

struct Row {
    cursor: Option<EventCursor>,
    token: u64,
    claimed_until: Option<Timestamp>,
}

impl Sinks {
    /// The row of a claim that still counts.
    fn claimed(&mut self, claim: &SinkClaim) -> Option<&mut Row> {
        self.0.get_mut(&claim.sink).filter(|row| row.token == claim.token)
    }
}

#[async_trait]
impl SinkStore for MemoryStore {
    async fn sink_cursor(&self, sink: &SinkName) -> StoreResult<Option<EventCursor>> {
        let state = &mut *self.state.lock();
        let newest = state.history.newest();
        let new = || Row { cursor: newest, token: 0, claimed_until: None };
        Ok(state.sinks.0.entry(sink.clone()).or_insert_with(new).cursor)
    }

    async fn claim_sink(
        &self,
        sink: &SinkName,
        _pod: &PodName,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<Option<SinkClaim>> {
        let mut state = self.state.lock();
        let free = |row: &&mut Row| row.claimed_until.is_none_or(|until| until <= now);
        let Some(row) = state.sinks.0.get_mut(sink).filter(free) else { return Ok(None) };
        row.token += 1;
        row.claimed_until = Some(now + lease);
        Ok(Some(SinkClaim { sink: sink.clone(), token: row.token, cursor: row.cursor }))
    }

    async fn sink_reached(
        &self,
        claim: &SinkClaim,
        reached: Option<EventCursor>,
        now: Timestamp,
        lease: Millis,
    ) -> StoreResult<bool> {
        let mut state = self.state.lock();
        let Some(row) = state.sinks.claimed(claim) else { return Ok(false) };
        row.cursor = reached;
        row.claimed_until = Some(now + lease);
        Ok(true)
    }

    async fn release_sink(&self, claim: &SinkClaim) -> StoreResult<()> {
        let mut state = self.state.lock();
        if let Some(row) = state.sinks.claimed(claim) {
            row.claimed_until = None;
        }
        Ok(())
    }
}

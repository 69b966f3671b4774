//! Events on their way to sinks: all of them, in their one order, at least once.
//!
//! Any pod feeds a sink, under a lease, from the sink's own durable cursor; so a sink that is away
//! misses nothing, and a pod that dies leaves nothing stuck. Each sink has a task of its own, so
//! that a slow one delays nobody else.

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::connection::Event;
use groundcontrol_core::ports::{
    EventSink, RecordedEvent, SinkClaim, SinkEvent, SinkStore, StoreResult,
};
use groundcontrol_core::time::Millis;
use metrics::counter;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::pod::{Pod, Sinks};

/// A sink is another pod's when nothing was heard of its own for this long.
const LEASE: Millis = Millis::from_secs(30);
/// A sink that does not answer for this long has failed; less than the lease, so that two pods do
/// not feed it at once.
const PATIENCE: Duration = Duration::from_secs(20);
/// Without being told, it is looked this often whether there are events.
const POLL: Duration = Duration::from_secs(1);
/// The wait after a failure; doubled with each further one …
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// Events that are given together.
const PAGE: usize = 100;

impl Pod {
    /// Starts a task for each sink.
    pub(crate) fn feed_sinks(self: &Arc<Self>) {
        let count = self.sinks.as_ref().map_or(0, |sinks| sinks.all.len());
        for at in 0..count {
            self.spawn(self.clone().feed_sink(at));
        }
    }

    /// The task that feeds one sink.
    async fn feed_sink(self: Arc<Self>, at: usize) {
        let Some(sinks) = &self.sinks else { return };
        let Some((sink, wake)) = sinks.all.get(at) else { return };
        let (mut failing, mut delay) = (false, FIRST_DELAY);
        while !self.phase.is_draining() {
            match self.feed_all(sinks, sink.as_ref()).await {
                Ok(()) => {
                    if std::mem::take(&mut failing) {
                        info!(sink = %sink.name(), "events reach their sink again");
                    }
                    delay = FIRST_DELAY;
                    self.idle(wake, POLL).await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        warn!(%error, sink = %sink.name(), "events wait for their sink; none is lost");
                    }
                    sleep(delay).await;
                    delay = (delay * 2).min(LONGEST_DELAY);
                }
            }
        }
    }

    async fn idle(&self, wake: &Notify, most: Duration) {
        let _ = timeout(most, wake.notified()).await;
    }

    /// Feeds a sink until no event is left, another pod is at it, or this one drains.
    async fn feed_all(&self, sinks: &Sinks, sink: &dyn EventSink) -> anyhow::Result<()> {
        let name = sink.name();
        let cursor = sinks.store.sink_cursor(&name).await?;
        if self.store.events_after(cursor, 1).await?.is_empty() {
            return Ok(());
        }
        let claimed = sinks.store.claim_sink(&name, &self.name, self.now(), LEASE).await?;
        let Some(claim) = claimed else { return Ok(()) };
        let fed = self.feed_claimed(sinks.store.as_ref(), sink, claim.clone()).await;
        // Where the store is away the claim lapses by itself.
        let released = sinks.store.release_sink(&claim).await;
        fed.and(released.map_err(Into::into))
    }

    async fn feed_claimed(
        &self,
        store: &dyn SinkStore,
        sink: &dyn EventSink,
        mut claim: SinkClaim,
    ) -> anyhow::Result<()> {
        while !self.phase.is_draining() {
            let page = self.store.events_after(claim.cursor, PAGE).await?;
            let Some(last) = page.last().map(|last| last.cursor) else { break };
            give(sink, &page).await?;
            claim.cursor = Some(last);
            if !self.reached(store, &claim).await? {
                break;
            }
        }
        Ok(())
    }

    async fn reached(&self, store: &dyn SinkStore, claim: &SinkClaim) -> StoreResult<bool> {
        store.sink_reached(claim, claim.cursor, self.now(), LEASE).await
    }
}

/// Gives a page to a sink: what this version understands of it.
async fn give(sink: &dyn EventSink, page: &[RecordedEvent]) -> anyhow::Result<()> {
    let understood = |recorded: &RecordedEvent| {
        let event = Event::derive(&recorded.recorded)?;
        Some(SinkEvent { cursor: recorded.cursor, event })
    };
    let events: Vec<SinkEvent> = page.iter().filter_map(understood).collect();
    if events.is_empty() {
        return Ok(());
    }
    let taken = timeout(PATIENCE, sink.take(&events)).await;
    let outcome = if matches!(taken, Ok(Ok(()))) { "taken" } else { "failed" };
    counter!("groundcontrol_sink_events_total", "sink" => sink.name().to_string(), "outcome" => outcome)
        .increment(events.len() as u64);
    match taken {
        Ok(taken) => Ok(taken?),
        Err(_) => anyhow::bail!("the sink {} did not answer in {PATIENCE:?}", sink.name()),
    }
}

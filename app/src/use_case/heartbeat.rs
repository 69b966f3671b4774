//! Heartbeats: taken at once, stored together, judged one by one only where the batch could not.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use groundcontrol_core::connection::Command;
use groundcontrol_core::ports::{Beat, Guard, HeartbeatWrite, Order, SessionRef, StoreError};
use groundcontrol_core::satellite::{ReportedAgent, SatelliteId};
use metrics::{counter, histogram};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, warn};

use crate::pod::{Applied, Pod};

/// Heartbeats that the batch could not apply are judged this many at a time.
const JUDGED_AT_ONCE: usize = 256;
/// After a failed flush the next one waits this long, so that a store that is down is not run
/// over by its clients.
const RETRY: Duration = Duration::from_millis(500);

impl Pod {
    /// Takes a heartbeat at the moment of its receipt.
    pub(crate) fn take_heartbeat(self: &Arc<Self>, session: SessionRef, beat: Beat) {
        let now = self.now();
        if self.pulse.beat(now) {
            self.slept();
        }
        let Some(known) = self.sessions.heartbeat(session, now) else { return };
        let Beat { version, capabilities } = beat;
        if version.is_none() && capabilities.is_none() {
            return;
        }
        let said = known.updated(version.as_deref(), capabilities.as_deref());
        if said != *known {
            let agent = self.interned(said);
            self.sessions.set_agent(session, agent.clone());
            self.spawn(self.clone().store_agent(session.satellite, agent));
        }
    }

    /// Stores what an agent says of itself. A failure costs the next socket's first heartbeat a
    /// write, nothing more.
    pub(crate) async fn store_agent(
        self: Arc<Self>,
        satellite: SatelliteId,
        agent: Arc<ReportedAgent>,
    ) {
        if let Err(error) = self.store.record_agent(satellite, (*agent).clone()).await {
            warn!(%error, %satellite, "the agent's version could not be stored");
        }
    }

    /// Fleets run a handful of agent versions: one copy of each serves all sockets.
    pub(crate) fn interned(&self, agent: ReportedAgent) -> Arc<ReportedAgent> {
        self.agents.intern(agent)
    }

    /// The task that stores waiting heartbeats, each within the flush bound of its receipt.
    pub(crate) async fn flush_heartbeats(self: Arc<Self>) {
        loop {
            self.sessions.waiting.notified().await;
            let begun = Instant::now();
            sleep_until(begun + self.flush_bound.get().into()).await;
            while let Err(error) = self.flush().await {
                warn!(%error, "heartbeats wait to be stored; they keep their times");
                sleep(RETRY).await;
            }
        }
    }

    /// Stores all waiting heartbeats now. What cannot be stored keeps waiting.
    pub(crate) async fn flush(self: &Arc<Self>) -> Result<(), StoreError> {
        let _one_at_a_time = self.flushing.lock().await;
        let batch = self.sessions.take_waiting();
        if batch.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        match self.store.record_heartbeats(&batch, self.now()).await {
            Ok(refused) => {
                counter!("groundcontrol_heartbeats_stored_total")
                    .increment((batch.len() - refused.len()) as u64);
                histogram!("groundcontrol_heartbeat_flush_seconds")
                    .record(begun.elapsed().as_secs_f64());
                let refused: Vec<_> =
                    refused.into_iter().filter_map(|at| batch.get(at).copied()).collect();
                if !refused.is_empty() {
                    self.spawn(self.clone().judge(refused));
                }
                Ok(())
            }
            Err(error) => {
                self.sessions.put_back(&batch);
                Err(error)
            }
        }
    }

    /// Rules T3 and T6 for what the batch did not apply.
    async fn judge(self: Arc<Self>, heartbeats: Vec<HeartbeatWrite>) {
        stream::iter(heartbeats)
            .for_each_concurrent(JUDGED_AT_ONCE, |heartbeat| self.judge_one(heartbeat))
            .await;
    }

    async fn judge_one(self: &Arc<Self>, heartbeat: HeartbeatWrite) {
        let HeartbeatWrite { satellite, epoch, at } = heartbeat;
        let command = Command::Heartbeat { epoch, at };
        match self.apply(satellite, None, &command, Guard::Session, &self.origin()).await {
            Ok(Applied::Fenced(fence)) => {
                debug!(%satellite, %epoch, ?fence, "a fenced session's heartbeat");
                self.sessions.end(satellite, Order::Fenced(fence), |held| held == epoch);
            }
            Ok(_) => {}
            Err(error) => {
                warn!(%error, %satellite, "a heartbeat keeps waiting");
                self.sessions.put_back(&[heartbeat]);
            }
        }
    }
}

//! Writes: all of them go through one task, which commits what waited as one group.
//!
//! A commit costs a disk flush. While one is under way, further writes queue up; the next
//! transaction takes them all. So durable at commit does not mean one flush per write, and a
//! write on an idle store waits for nobody.

mod job;
mod group;
mod heartbeats;
mod edges;
mod transitions;
mod agents;
mod satellites;
mod credentials;
mod watch;
mod upkeep;
mod api_tokens;
mod work;
mod assignments;
mod revisions;
mod runs;
mod packages;
mod blobs;
mod secrets;
mod webhooks;
mod deliveries;
mod rules;
mod sinks;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use groundcontrol_core::ports::{Clock, EdgeWrite, HeartbeatWrite, StoreResult, WriteOutcome};
use groundcontrol_core::satellite::{ReportedAgent, SatelliteId};
use tokio::sync::{mpsc, oneshot};

pub(crate) use api_tokens::{DeleteApiToken, PutApiToken};
pub(crate) use assignments::{CreateAssignment, RemoveAssignment, UpdateAssignment};
pub(crate) use blobs::{DeleteBlobs, PutPiece};
pub(crate) use credentials::ChangeCredentials;
pub(crate) use deliveries::{
    ClaimWebhook, EnqueueDeliveries, PruneDeliveries, RecordAttempts, Redeliver, ReleaseClaim,
    RenewClaim,
};
pub(crate) use packages::{ForgetPackages, RecordBlob, RecordSyncStates, SetDesired, WantBlobs};
pub(crate) use revisions::{RecordApplied, RecordRevisions};
pub(crate) use rules::{AdvanceRules, CreateRule, RemoveRule, UpdateRule};
pub(crate) use runs::{PruneRuns, RecordRuns, RecordStrategyErrors};
pub(crate) use satellites::{Create, Remove, Update};
pub(crate) use secrets::{
    DeleteSealed, PruneSecretDeliveries, PutSealed, RecordDeliveries, ReplaceSealed,
};
pub(crate) use sinks::{ClaimSink, MakeSink, ReleaseSink, SinkReached};
pub(crate) use upkeep::{Probe, Prune, SetLiveness};
pub(crate) use watch::{EndWatch, RenewWatch};
pub(crate) use webhooks::{CreateWebhook, RemoveWebhook, UpdateWebhook};
pub(crate) use work::{
    CreateCheck, CreateSystem, RemoveNamed, SetPolicy, UpdateCheck, UpdateSystem,
};

use crate::database::Database;
use crate::error::Failure;
use job::{Agent, Edges, Heartbeats, Job, Pending, Reply, Write};

/// The statements whose plans are tested.
#[cfg(test)]
pub(crate) mod plans {
    pub(crate) use super::deliveries::PRUNE as PRUNE_DELIVERIES;
    pub(crate) use super::edges::update_sql as edges;
    pub(crate) use super::heartbeats::update as heartbeats;
    pub(crate) use super::runs::{forget_sql as forget_latest, latest_sql as latest_runs};
    pub(crate) use super::secrets::PRUNE as PRUNE_SECRET_DELIVERIES;
}

/// Writes that wait; one more waits for a place in the queue.
const QUEUE: usize = 4096;
/// Writes that are committed together at most.
const GROUP: usize = 1024;

/// The way to the task that writes.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
    counters: Arc<Counters>,
}

/// What the writer did so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
}

impl Writer {
    /// Starts the task on the current runtime. It ends when it is closed, or when every `Writer`
    /// is dropped and what they queued is written.
    /// The lock, if any, keeps other processes from the database until then.
    pub(crate) fn start(database: Database, clock: Arc<dyn Clock>, lock: Option<File>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let counters = Arc::new(Counters::default());
        let group =
            group::Committer { database, clock, counters: Arc::clone(&counters), _lock: lock };
        tokio::spawn(write(group, jobs));
        Self { queue, counters }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) async fn record_edges(
        &self,
        writes: Vec<EdgeWrite>,
    ) -> StoreResult<Vec<WriteOutcome>> {
        self.submit("record edges", |reply| Job::Edges(Edges::new(writes, reply))).await
    }

    pub(crate) async fn record_heartbeats(
        &self,
        beats: Vec<HeartbeatWrite>,
    ) -> StoreResult<Vec<usize>> {
        self.submit("record heartbeats", |reply| Job::Heartbeats(Heartbeats::new(beats, reply)))
            .await
    }

    pub(crate) async fn record_agent(
        &self,
        satellite: SatelliteId,
        agent: ReportedAgent,
    ) -> StoreResult<()> {
        let doing = "record what an agent says of itself";
        self.submit(doing, |reply| Job::Agent(Agent { satellite, agent, reply })).await
    }

    /// Makes any other write.
    pub(crate) async fn write<W: Write>(&self, write: W) -> StoreResult<W::Output> {
        let pending = |reply| Job::Other(Box::new(Pending::new(write, reply)));
        self.submit(W::DOING, pending).await
    }

    /// Writes what is queued and ends the task; later writes are refused.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Job::Close(done)).await.is_ok() {
            // An error means that the task is gone, which is what was wanted.
            closed.await.ok();
        }
    }

    async fn submit<T>(
        &self,
        doing: &'static str,
        job: impl FnOnce(Reply<T>) -> Job,
    ) -> StoreResult<T> {
        let (reply, answer) = Reply::channel(doing);
        let gone = || Failure::Closed.to_store_error(doing);
        self.queue.send(job(reply)).await.map_err(|_| gone())?;
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        answer.await.map_err(|_| gone())?
    }
}

async fn write(group: group::Committer, mut jobs: mpsc::Receiver<Job>) {
    let mut waiting = Vec::new();
    let mut closing = Vec::new();
    while jobs.recv_many(&mut waiting, GROUP).await > 0 {
        let mut batch = job::Group::default();
        for job in waiting.drain(..) {
            match job {
                Job::Heartbeats(job) => batch.heartbeats.push(job),
                Job::Agent(job) => batch.agents.push(job),
                Job::Other(job) => batch.others.push(job),
                Job::Edges(job) => batch.edges.push(job),
                Job::Close(done) => {
                    jobs.close();
                    closing.push(done);
                }
            }
        }
        if !batch.is_empty() {
            group.commit(batch).await;
        }
    }
    group.close().await;
    for done in closing {
        done.send(()).ok();
    }
}

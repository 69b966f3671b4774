//! Recurring work: of all pods one does each run of a job, and another where that one dies.
//!
//! A job only makes good what nobody did in time, or clears up; it bears being done twice. So
//! where the queue cannot say whose turn it is, every pod does the job itself.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;

use groundcontrol_core::ports::{Job, JobName, RecurringWork, Run, StoreResult, Turn};
use groundcontrol_core::time::Millis;
use metrics::counter;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use crate::pod::Pod;

/// A run is given to another pod when nothing was heard of its own for this long.
const LEASE: Millis = Millis::from_secs(10);
/// While a run goes on, its lease is renewed this many times before it could lapse.
const RENEWALS_PER_LEASE: u32 = 3;
/// A run that failed is given to whoever asks after this.
const RETRY: Millis = Millis::from_secs(1);

/// Checks that nobody runs are looked for this often, or as often as heartbeats come where that is
/// more often. Of a check with a shorter interval one run a look is kept.
const UNWATCHED: Millis = Millis::from_secs(5);

/// What has to be done again and again, by any one pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recurring {
    /// Records losses that no monitor recorded.
    SatelliteHeartbeat,
    /// Ends tokens whose overlap is over, with the sessions that are still on them.
    TokenOverlaps,
    /// Keeps runs of checks that no assigned satellite can run.
    UnwatchedChecks,
    /// Deletes transitions, and with them events, beyond their retention; and runs beyond theirs.
    Pruning,
    /// Deletes script packages that nobody needs any more.
    UnneededPackages,
    /// Keeps everything as the documents in a folder say, where there is one.
    GitOps,
}

impl Recurring {
    /// All of it.
    pub(crate) const ALL: [Self; 6] = [
        Self::SatelliteHeartbeat,
        Self::TokenOverlaps,
        Self::UnwatchedChecks,
        Self::Pruning,
        Self::UnneededPackages,
        Self::GitOps,
    ];

    fn job(self, heartbeat_interval: Millis) -> Job {
        let (name, every) = match self {
            Self::SatelliteHeartbeat => ("satellite-heartbeat", heartbeat_interval),
            Self::TokenOverlaps => ("token-overlaps", Millis::from_secs(1)),
            Self::UnwatchedChecks => ("unwatched-checks", heartbeat_interval.min(UNWATCHED)),
            Self::Pruning => ("pruning", Millis::from_secs(3_600)),
            Self::UnneededPackages => ("unneeded-packages", Millis::from_secs(3_600)),
            Self::GitOps => ("gitops", Millis::from_secs(1)),
        };
        Job { name: JobName::new(name), every }
    }
}

impl Pod {
    /// The task that does the runs of one job which are this pod's.
    pub(crate) async fn recur(self: Arc<Self>, what: Recurring) {
        let job = what.job(self.liveness.heartbeat_interval);
        let mut answers = true;
        while !self.phase.is_draining() {
            let begun = Instant::now();
            let asked = match &self.recurring_work {
                Some(queue) => Some((queue, claim(queue.as_ref(), job, &mut answers).await)),
                None => None,
            };
            match asked {
                Some((queue, Some(Turn::Yours(run)))) => {
                    self.do_run(what, queue.as_ref(), run).await;
                }
                // A run that is under way may be done, and the next one due, before long.
                Some((_, Some(Turn::NotBefore(wait)))) => sleep(wait.min(job.every).into()).await,
                Some((_, None)) | None => {
                    self.perform(what, job).await;
                    sleep_until(begun + job.every.into()).await;
                }
            }
        }
    }

    /// Does a run that was claimed. What is lost on the way to the queue lapses.
    async fn do_run(self: &Arc<Self>, what: Recurring, queue: &dyn RecurringWork, run: Run) {
        // Nothing is stopped half-way, whatever becomes of the lease.
        let done = tokio::select! {
            done = self.perform(what, run.job) => done,
            never = keep_lease(queue, &run) => match never {},
        };
        let name = run.job.name;
        let told = match done {
            true => queue.finish(run).await,
            false => queue.renew(&run, RETRY).await,
        };
        match told {
            Ok(true) => {}
            Ok(false) => warn!(job = %name, "a job took so long that another pod does it as well"),
            Err(error) => warn!(%error, job = %name, "a job will be done once more"),
        }
    }

    /// Does a job; answers whether it could be done.
    async fn perform(self: &Arc<Self>, what: Recurring, job: Job) -> bool {
        let done: StoreResult<()> = match what {
            Recurring::SatelliteHeartbeat => self.sweep_anyway().await,
            Recurring::TokenOverlaps => self.end_expired().await,
            Recurring::UnwatchedChecks => self.record_unwatched().await,
            Recurring::Pruning => self.prune().await,
            Recurring::UnneededPackages => self.delete_unneeded_packages().await,
            Recurring::GitOps => self.follow_documents().await,
        };
        if let Err(error) = &done {
            warn!(%error, job = %job.name, "a job waits to be done");
        }
        let outcome = if done.is_ok() { "done" } else { "failed" };
        counter!("groundcontrol_job_runs_total", "job" => job.name.as_str(), "outcome" => outcome)
            .increment(1);
        done.is_ok()
    }
}

/// Claims a run; none where the queue does not answer. `answers` is whether it did so far.
async fn claim(queue: &dyn RecurringWork, job: Job, answers: &mut bool) -> Option<Turn> {
    let turn = queue.claim(job, LEASE).await;
    match (&turn, *answers) {
        (Err(error), true) => warn!(
            %error, job = %job.name,
            "the queue does not say which pod does this job: until it does, each pod does it"
        ),
        (Ok(_), false) => info!(job = %job.name, "the queue says again which pod does this job"),
        (Err(_), false) | (Ok(_), true) => {}
    }
    *answers = turn.is_ok();
    turn.ok()
}

/// Renews the lease of a run for as long as it is this pod's; never returns.
async fn keep_lease(queue: &dyn RecurringWork, run: &Run) -> Infallible {
    loop {
        sleep(std::time::Duration::from(LEASE) / RENEWALS_PER_LEASE).await;
        if queue.renew(run, LEASE).await == Ok(false) {
            return pending().await;
        }
    }
}

//! Runs what the server ordered, when it is due.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use groundcontrol_probes::{Probes, Report};
use groundcontrol_websocket::wire::{
    FromSatellite, Opaque, RequestConfigSecrets, RequestRunSecrets, RunResult, RunStatus,
};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::sleep_until;
use uuid::Uuid;

use super::desk::{Desk, Orders};
use super::job::{self, Job, Key};
use super::schedule::{Generation, Schedule, Start};
use super::secrets::{self, SecretError};

/// How long a run waits for its secrets.
const SECRETS_WITHIN: Duration = Duration::from_secs(10);

/// Runs what the server ordered. Dropping it ends all runs.
pub(crate) struct Runner<R> {
    desk: Arc<Desk>,
    orders: watch::Receiver<Option<Orders>>,
    probes: Arc<Probes>,
    random: R,
    schedule: Schedule<Key, Arc<Job>>,
    runs: JoinSet<()>,
    /// The runs under way, by task and by generation.
    tasks: HashMap<Id, (Key, Generation)>,
    aborts: HashMap<Generation, AbortHandle>,
    /// Orders that this agent cannot carry out, which were told.
    unsupported: BTreeMap<Key, Arc<Job>>,
}

impl<R: Fn() -> f64> Runner<R> {
    /// Runs at most `limit` checks at the same time. `random`, in 0 … 1, spreads first runs.
    pub(crate) fn new(desk: Arc<Desk>, probes: Arc<Probes>, limit: usize, random: R) -> Self {
        Self {
            orders: desk.orders(),
            desk,
            probes,
            random,
            schedule: Schedule::new(limit),
            runs: JoinSet::new(),
            tasks: HashMap::new(),
            aborts: HashMap::new(),
            unsupported: BTreeMap::new(),
        }
    }

    /// Works until it is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            self.start_due();
            let wake = self.schedule.next_wake().map(|at| self.desk.at(at));
            tokio::select! {
                told = next(&mut self.orders) => match told {
                    Some(orders) => self.apply(orders),
                    None => return,
                },
                Some(ended) = self.runs.join_next_with_id(), if !self.runs.is_empty() => {
                    self.ended(ended);
                }
                () = async { match wake {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }} => {}
            }
        }
    }

    fn apply(&mut self, orders: Orders) {
        let Orders { assignments, revision, .. } = orders;
        let wanted = self.supported(job::wanted(assignments));
        let count = wanted.len();
        for generation in self.schedule.replace(self.desk.now(), wanted, &self.random) {
            if let Some(run) = self.aborts.remove(&generation) {
                run.abort();
            }
        }
        tracing::info!(checks = count, unsupported = self.unsupported.len(), "running checks");
        if let Some(revision) = revision {
            self.desk.applied(revision);
        }
    }

    /// What this agent can run. The rest is told, once until it changes.
    fn supported(
        &mut self,
        wanted: BTreeMap<Key, (Duration, Arc<Job>)>,
    ) -> BTreeMap<Key, (Duration, Arc<Job>)> {
        let mut supported = BTreeMap::new();
        let mut unsupported = BTreeMap::new();
        let mut told = BTreeSet::new();
        for (key, (interval, job)) in wanted {
            let collectors = job.collectors.iter().map(|entry| entry.collector.as_str());
            match self.probes.supports(&job.strategy, collectors) {
                Ok(()) => drop(supported.insert(key, (interval, job))),
                Err(why) => {
                    if self.unsupported.get(&key) != Some(&job) {
                        tracing::warn!(config_id = job.config_id, "a check cannot be run: {why}");
                        self.desk.result_of(
                            &job,
                            SystemTime::now(),
                            &Report::not_run(&why.message),
                        );
                        if told.insert((why.strategy.clone(), why.message.clone())) {
                            self.desk.strategy_error(why.strategy, why.message);
                        }
                    }
                    unsupported.insert(key, job);
                }
            }
        }
        self.unsupported = unsupported;
        supported
    }

    fn start_due(&mut self) {
        for Start { key, generation, job } in self.schedule.start_due(self.desk.now()) {
            let (desk, probes) = (self.desk.clone(), self.probes.clone());
            let task = self.runs.spawn(run(job, desk, probes));
            self.tasks.insert(task.id(), (key, generation));
            self.aborts.insert(generation, task);
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let Some((key, generation)) = self.tasks.remove(&id) else { return };
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(config_id = key.0, "a check failed by a fault of this agent");
        }
        self.aborts.remove(&generation);
        self.schedule.finished(&key, generation, self.desk.now());
    }
}

/// The next orders; none once the desk is gone.
async fn next(orders: &mut watch::Receiver<Option<Orders>>) -> Option<Orders> {
    loop {
        orders.changed().await.ok()?;
        if let Some(orders) = orders.borrow_and_update().clone() {
            return Some(orders);
        }
    }
}

/// One run: secrets, check, result.
async fn run(job: Arc<Job>, desk: Arc<Desk>, probes: Arc<Probes>) {
    let executed_at = SystemTime::now();
    let report = match prepare(&job, &desk).await {
        Ok(check) => probes.run(&check).await,
        Err(why) => Report::not_run(&why.to_string()),
    };
    desk.result_of(&job, executed_at, &report);
}

/// The check with its secrets, which are wiped when it is dropped.
async fn prepare(job: &Job, desk: &Desk) -> Result<groundcontrol_probes::Check, SecretError> {
    let mut draft = secrets::draft(job)?;
    let id = || Uuid::new_v4().to_string();
    let run_id = id();
    if draft.config_secrets {
        let request = RequestConfigSecrets {
            request_id: id(),
            config_id: job.config_id.clone(),
            run_id: run_id.clone(),
        };
        draft.fill_config(&desk.ask_config_secrets(request, SECRETS_WITHIN).await?)?;
    }
    for entry in std::mem::take(&mut draft.run_secrets) {
        let request = RequestRunSecrets {
            request_id: id(),
            config_id: job.config_id.clone(),
            collector_id: entry.clone(),
            run_id: run_id.clone(),
        };
        draft.fill_run(&entry, desk.ask_run_secrets(request, SECRETS_WITHIN).await?)?;
    }
    Ok(draft.check)
}

impl Desk {
    /// Keeps what a run of `job` found, as a message.
    fn result_of(&self, job: &Job, executed_at: SystemTime, report: &Report) {
        let id = Uuid::new_v4().to_string();
        let executed_at = humantime::format_rfc3339_millis(executed_at).to_string();
        let message = RunResult {
            config_id: job.config_id.as_str().into(),
            system_id: job.system_id.as_str().into(),
            status: if report.healthy { RunStatus::Healthy } else { RunStatus::Unhealthy },
            latency_ms: Some(report.latency_ms),
            result: Opaque::of(&report.result).ok(),
            executed_at: executed_at.into(),
            environment_id: None,
            result_id: Some(id.clone()),
        };
        self.result(id, FromSatellite::Result(message).to_text());
    }
}

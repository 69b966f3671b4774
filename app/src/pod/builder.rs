//! Putting a pod together on adapters, and starting its tasks.

use std::sync::Arc;

use groundcontrol_core::limits::{HEARTBEAT_INTERVAL, OFFLINE_THRESHOLD};
use groundcontrol_core::ports::{
    ApiTokenStore, Broadcast, Clock, RecurringWork, SatelliteStore, StoreError,
};
use groundcontrol_core::satellite::{InvalidThreshold, Liveness, PodName};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::{
    Agents, Entropy, FailedAttempts, Fights, FlushBound, GroundControl, PackagePorts, Packages,
    PhaseCell, Pod, Pulse, RulePorts, Rules, Run, RunPorts, Runs, SecretDesk, SecretPorts,
    Sessions, SinkPorts, Sinks, Timing, Watch, WebhookPorts, Webhooks, Work, WorkPorts,
};
use crate::gitops::{Follow, GitOps};
use crate::use_case::authenticate::SlowHashes;
use crate::use_case::events::EventHub;
use crate::use_case::jobs::Recurring;

/// Why a pod could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store did not answer as it must.
    #[error("the pod could not start")]
    Store(#[from] StoreError),
    /// Heartbeat interval and threshold do not fit.
    #[error("the fleet's heartbeat interval and offline threshold do not fit: it {0}")]
    Liveness(#[from] InvalidThreshold),
}

/// A pod to be started.
pub struct Builder {
    store: Arc<dyn SatelliteStore>,
    api_tokens: Arc<dyn ApiTokenStore>,
    clock: Arc<dyn Clock>,
    broadcast: Arc<dyn Broadcast>,
    recurring_work: Option<Arc<dyn RecurringWork>>,
    work: Option<WorkPorts>,
    runs: Option<RunPorts>,
    packages: Option<PackagePorts>,
    secrets: Option<SecretPorts>,
    documents: Option<Follow>,
    webhooks: Option<WebhookPorts>,
    rules: Option<RulePorts>,
    sinks: Option<SinkPorts>,
    name: PodName,
    liveness: Liveness,
    timing: Timing,
    entropy: Entropy,
    run: Run,
    render_metrics: Box<dyn Fn() -> String + Send + Sync>,
}

impl Builder {
    pub(super) fn new(
        store: Arc<dyn SatelliteStore>,
        api_tokens: Arc<dyn ApiTokenStore>,
        clock: Arc<dyn Clock>,
        broadcast: Arc<dyn Broadcast>,
    ) -> Self {
        Self {
            store,
            api_tokens,
            clock,
            broadcast,
            recurring_work: None,
            work: None,
            runs: None,
            packages: None,
            secrets: None,
            documents: None,
            webhooks: None,
            rules: None,
            sinks: None,
            name: PodName::new("pod"),
            liveness: Liveness {
                heartbeat_interval: HEARTBEAT_INTERVAL,
                default_threshold: OFFLINE_THRESHOLD,
            },
            timing: Timing::default(),
            entropy: Arc::new(from_system),
            run: Arc::new(|task| drop(tokio::spawn(task))),
            render_metrics: Box::new(String::new),
        }
    }

    /// The pod's name, unique among those that run at the same time.
    #[must_use]
    pub fn name(mut self, name: PodName) -> Self {
        self.name = name;
        self
    }

    /// What satellites run, and where it is known; without it they are given nothing to do.
    #[must_use]
    pub fn work(mut self, work: WorkPorts) -> Self {
        self.work = Some(work);
        self
    }

    /// Where runs of checks go; without it they are dropped without an answer.
    #[must_use]
    pub fn runs(mut self, runs: RunPorts) -> Self {
        self.runs = Some(runs);
        self
    }

    /// Where script packages are; satellites hear of them with their work. Without it they are told
    /// that this server distributes none.
    #[must_use]
    pub fn packages(mut self, packages: PackagePorts) -> Self {
        self.packages = Some(packages);
        self
    }

    /// Where secrets are; without it satellites are told that there are none.
    #[must_use]
    pub fn secrets(mut self, secrets: SecretPorts) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// A folder of documents that everything is kept by; without it nothing is.
    #[must_use]
    pub fn documents(mut self, follow: Option<Follow>) -> Self {
        self.documents = follow;
        self
    }

    /// Who is told of events over HTTP, and the way there; without it nobody is.
    #[must_use]
    pub fn webhooks(mut self, webhooks: WebhookPorts) -> Self {
        self.webhooks = Some(webhooks);
        self
    }

    /// Rules that tell webhooks what lasts, and when the loss of a region is suspected; without it
    /// nobody is told, and no loss of a region suspected.
    #[must_use]
    pub fn rules(mut self, rules: RulePorts) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Where all events go besides; without it nowhere.
    #[must_use]
    pub fn sinks(mut self, sinks: SinkPorts) -> Self {
        self.sinks = Some(sinks);
        self
    }

    /// The fleet-wide settings that this pod sets for all (rule S2).
    #[must_use]
    pub fn liveness(mut self, liveness: Liveness) -> Self {
        self.liveness = liveness;
        self
    }

    /// How long the pod waits for what.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// What shares recurring work with the other pods; without it each pod does all of it.
    #[must_use]
    pub fn recurring_work(mut self, queue: Arc<dyn RecurringWork>) -> Self {
        self.recurring_work = Some(queue);
        self
    }

    /// Where ids and tokens come from; by default from the operating system.
    #[must_use]
    pub fn entropy(mut self, entropy: Entropy) -> Self {
        self.entropy = entropy;
        self
    }

    /// What runs the pod's tasks; by default the runtime that it is started on. A simulator puts
    /// here what can stop them between any two steps.
    #[must_use]
    pub fn run(mut self, run: Run) -> Self {
        self.run = run;
        self
    }

    /// What answers a request for metrics.
    #[must_use]
    pub fn metrics(mut self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.render_metrics = Box::new(render);
        self
    }

    /// Stores the fleet-wide settings and starts the pod's tasks on the current runtime.
    pub async fn start(self) -> Result<GroundControl, StartError> {
        let liveness =
            Liveness::new(self.liveness.heartbeat_interval, self.liveness.default_threshold)?;
        let before = self.store.set_liveness(liveness).await?;
        if let Some(before) = before.filter(|before| *before != liveness) {
            info!(
                interval = %liveness.heartbeat_interval, threshold = %liveness.default_threshold,
                interval_before = %before.heartbeat_interval,
                threshold_before = %before.default_threshold,
                "the fleet's heartbeat interval and offline threshold are changed for all pods"
            );
        }
        let smallest = self.store.smallest_threshold().await?;
        let newest = self.store.newest_event().await?;
        let policy = match &self.work {
            Some(work) => work.store.sandbox_policy().await?,
            None => None,
        };
        let packages = match self.packages {
            Some(ports) => {
                let desired = ports.store.desired().await?;
                Some(Packages::new(ports, desired.lockfile))
            }
            None => None,
        };
        let now = self.clock.now();
        let pod = Arc::new(Pod {
            name: self.name,
            liveness,
            store: self.store,
            api_tokens: self.api_tokens,
            clock: self.clock,
            broadcast: self.broadcast,
            recurring_work: self.recurring_work,
            timing: self.timing,
            entropy: self.entropy,
            sessions: Sessions::default(),
            flushing: tokio::sync::Mutex::default(),
            agents: Agents::default(),
            watch: Watch::default(),
            attempts: FailedAttempts::default(),
            fights: Fights::default(),
            slow_hashes: SlowHashes::default(),
            events: EventHub::new(newest),
            work: self.work.map(|ports| Work::new(ports, policy)),
            runs: self.runs.map(Runs::new),
            packages,
            secrets: self.secrets.map(SecretDesk::new),
            documents: self.documents.map(GitOps::new),
            webhooks: self.webhooks.map(Webhooks::new),
            rules: self.rules.map(Rules::new),
            sinks: self.sinks.map(Sinks::new),
            flush_bound: FlushBound::new(smallest),
            phase: PhaseCell::default(),
            pulse: Pulse::new(now, liveness.lease()),
            sweep_soon: Notify::new(),
            render_metrics: self.render_metrics,
            stopped: CancellationToken::new(),
            tasks: TaskTracker::new(),
            run: self.run,
        });
        pod.start_tasks().await?;
        Ok(GroundControl { pod })
    }
}

impl Pod {
    /// The first watch lease is taken before anybody can connect; the tasks follow.
    async fn start_tasks(self: &Arc<Self>) -> Result<(), StoreError> {
        self.renew_watch().await?;
        let nudges = self.broadcast.subscribe().await;
        self.spawn(self.clone().hear_nudges(nudges));
        self.spawn(self.clone().keep_watch());
        self.spawn(self.clone().flush_heartbeats());
        self.spawn(self.clone().monitor());
        self.spawn(self.clone().dispatch_events());
        for what in Recurring::ALL {
            let is_served = match what {
                Recurring::UnwatchedChecks => self.runs.is_some(),
                Recurring::GitOps => self.documents.is_some(),
                Recurring::UnneededPackages => self.packages.is_some(),
                Recurring::SatelliteHeartbeat | Recurring::TokenOverlaps | Recurring::Pruning => {
                    true
                }
            };
            if is_served {
                self.spawn(self.clone().recur(what));
            }
        }
        if self.work.is_some() {
            self.spawn(self.clone().relay_work());
            self.spawn(self.clone().announce_work());
            self.spawn(self.clone().store_applied());
        }
        if self.runs.is_some() {
            self.spawn(self.clone().keep_runs());
        }
        if self.packages.is_some() {
            self.spawn(self.clone().store_sync_states());
        }
        if self.secrets.is_some() {
            self.spawn(self.clone().record_deliveries());
        }
        if self.webhooks.is_some() {
            self.spawn(self.clone().look_at_webhooks());
        }
        if self.rules.is_some() {
            self.spawn(self.clone().apply_rules());
        }
        self.feed_sinks();
        Ok(())
    }
}

fn from_system() -> Result<[u8; 32], StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Unavailable {
        doing: "draw an id or a token",
        detail: format!("the operating system gives no random numbers: {error}"),
    })?;
    Ok(bytes)
}

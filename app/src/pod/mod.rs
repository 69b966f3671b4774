//! One running instance: what its use cases share, and how it is started and drained.
//!
//! Nothing here is needed by another pod. Sessions and waiting heartbeats belong to sockets that
//! die with this process; everything else is in the store.

mod builder;
mod phase;
mod sessions;
mod settle;
mod attempts;
mod fights;
mod agents;
mod watch;
mod write;
mod work;
mod runs;
mod packages;
mod secrets;
mod webhooks;
mod rules;
mod sinks;

use std::pin::Pin;
use std::sync::Arc;

use groundcontrol_core::connection::{Actor, Origin};
use groundcontrol_core::limits::PACKAGE_GRACE;
use groundcontrol_core::ports::{
    ApiTokenStore, Broadcast, Clock, Nudge, RecurringWork, SatelliteStore, StoreError,
};
use groundcontrol_core::satellite::{Liveness, PodName};
use groundcontrol_core::time::{Millis, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use agents::Agents;
pub use attempts::FailedAttempts;
pub use builder::{Builder, StartError};
pub use fights::Fights;
pub use packages::{PackagePorts, Packages};
pub use phase::{Phase, PhaseCell, Pulse};
pub use rules::{RulePorts, Rules};
pub use runs::{RunPorts, Runs, WaitingRun};
pub use secrets::{SecretDesk, SecretPorts, WaitingDelivery};
pub use sessions::{Sessions, Waiting};
pub use settle::FlushBound;
pub use sinks::{SinkPorts, Sinks};
pub use watch::Watch;
pub use webhooks::{WebhookPorts, Webhooks};
pub use work::{Asked, Work, WorkPorts};
pub use write::Applied;

use crate::gitops::GitOps;
use crate::use_case::authenticate::SlowHashes;
use crate::use_case::events::EventHub;

/// A running pod. Cheap to clone; the tasks behind it end with [`GroundControl::drain`].
#[derive(Clone)]
pub struct GroundControl {
    pub(crate) pod: Arc<Pod>,
}

/// What the use cases of one pod share.
pub struct Pod {
    pub(crate) name: PodName,
    pub(crate) liveness: Liveness,
    pub(crate) store: Arc<dyn SatelliteStore>,
    pub(crate) api_tokens: Arc<dyn ApiTokenStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) broadcast: Arc<dyn Broadcast>,
    pub(crate) recurring_work: Option<Arc<dyn RecurringWork>>,
    pub(crate) timing: Timing,
    pub(crate) sessions: Sessions,
    pub(crate) flushing: tokio::sync::Mutex<()>,
    pub(crate) agents: Agents,
    pub(crate) watch: Watch,
    pub(crate) attempts: FailedAttempts,
    pub(crate) fights: Fights,
    pub(crate) slow_hashes: SlowHashes,
    pub(crate) events: EventHub,
    pub(crate) work: Option<Work>,
    pub(crate) runs: Option<Runs>,
    pub(crate) packages: Option<Packages>,
    pub(crate) secrets: Option<SecretDesk>,
    pub(crate) documents: Option<GitOps>,
    pub(crate) webhooks: Option<Webhooks>,
    pub(crate) rules: Option<Rules>,
    pub(crate) sinks: Option<Sinks>,
    pub(crate) flush_bound: FlushBound,
    pub(crate) phase: PhaseCell,
    pub(crate) pulse: Pulse,
    pub(crate) sweep_soon: Notify,
    pub(crate) entropy: Entropy,
    pub(crate) render_metrics: Box<dyn Fn() -> String + Send + Sync>,
    pub(crate) stopped: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) run: Run,
}

/// Draws 32 random bytes that nobody can guess.
pub type Entropy = Arc<dyn Fn() -> Result<[u8; 32], StoreError> + Send + Sync>;

/// Runs one of a pod's tasks, beside all others, until it ends.
pub type Run = Arc<dyn Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync>;

/// How long a pod waits for what; the defaults suit production.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long an authentication waits for the store before it is closed with 1013.
    pub authenticate_store: Millis,
    /// Closes of sockets are spread over this long when the pod drains.
    pub drain_spread: Millis,
    /// The pod gives up draining after this long.
    pub drain_timeout: Millis,
    /// Transitions, and deliveries of secrets, older than this are deleted.
    pub transition_retention: Millis,
    /// Configurations are compared with what satellites were told this often, besides when
    /// something says that they changed.
    pub compare_work: Millis,
    /// Runs received before this are deleted.
    pub run_retention: Millis,
    /// Script packages that nobody needs any more are kept for this long.
    pub package_grace: Millis,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            authenticate_store: Millis::from_secs(10),
            drain_spread: Millis::from_secs(3),
            drain_timeout: Millis::from_secs(15),
            transition_retention: Millis::from_secs(365 * 24 * 3600),
            compare_work: Millis::from_secs(60),
            run_retention: Millis::from_secs(30 * 24 * 3600),
            package_grace: PACKAGE_GRACE,
        }
    }
}

impl GroundControl {
    /// A pod on the given adapters.
    pub fn builder(
        store: Arc<dyn SatelliteStore>,
        api_tokens: Arc<dyn ApiTokenStore>,
        clock: Arc<dyn Clock>,
        broadcast: Arc<dyn Broadcast>,
    ) -> Builder {
        Builder::new(store, api_tokens, clock, broadcast)
    }

    /// This pod's name.
    pub fn name(&self) -> &PodName {
        &self.pod.name
    }

    /// The fleet-wide settings in force when this pod started.
    pub fn liveness(&self) -> Liveness {
        self.pod.liveness
    }

    /// How many sessions this pod holds.
    pub fn session_count(&self) -> usize {
        self.pod.sessions.len()
    }
}

impl Pod {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How long a received heartbeat may need to be stored: flush bound + 2e (rule T5).
    pub(crate) fn settle(&self) -> Millis {
        self.flush_bound.get() + self.clock.error().times(2)
    }

    /// A number drawn at random.
    pub(crate) fn chance(&self) -> Result<u64, StoreError> {
        let random = (self.entropy)()?;
        Ok(random.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin { pod: self.name.clone(), actor: None, remote_address: None }
    }

    pub(crate) fn origin_of(&self, actor: Actor) -> Origin {
        Origin { actor: Some(actor), ..self.origin() }
    }

    /// Tells all pods that events were recorded.
    pub(crate) fn nudge_events(&self) {
        self.broadcast.send(Nudge::Events);
    }

    /// Starts a task that ends when the pod does.
    pub(crate) fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stopped = self.stopped.clone();
        (self.run)(Box::pin(self.tasks.track_future(async move {
            stopped.run_until_cancelled(task).await;
        })));
    }
}

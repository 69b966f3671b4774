//! Rules: the store that knows them, and what makes this pod look at them.

use std::sync::Arc;

use groundcontrol_core::automation::RegionLossSettings;
use groundcontrol_core::ports::RuleStore;
use tokio::sync::Notify;

/// What rules need.
#[derive(Clone)]
pub struct RulePorts {
    /// The rules, their alerts, and how far they have been applied. It makes deliveries of the
    /// webhooks that the pod was given.
    pub store: Arc<dyn RuleStore>,
    /// When the loss of a region is suspected.
    pub region_loss: RegionLossSettings,
}

/// The ports, and what tells that there may be something to do.
pub struct Rules {
    pub(crate) ports: RulePorts,
    pub(crate) wake: Notify,
}

impl Rules {
    /// Rules that nobody has looked at yet.
    pub fn new(ports: RulePorts) -> Self {
        Self { ports, wake: Notify::new() }
    }

    /// There may be something to do.
    pub fn look(&self) {
        self.wake.notify_one();
    }
}

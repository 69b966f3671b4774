//! What other pods, and this one, tell: look again.

use std::sync::Arc;

use groundcontrol_core::connection::Fence;
use groundcontrol_core::ports::{Nudge, NudgeStream, Order, Signal};
use groundcontrol_core::satellite::SatelliteId;
use tracing::warn;

use crate::pod::Pod;

/// What a satellite is told whose credential ended.
const REVOKED: &str = "Access revoked: the token was rotated or the satellite disabled";
/// What a satellite is told that was removed.
const REMOVED: &str = "Satellite removed";

impl Pod {
    /// The task that hears nudges. Each is only a hint; the fenced heartbeat, the event poll and
    /// the monitor are what makes a lost one good.
    pub(crate) async fn hear_nudges(self: Arc<Self>, mut nudges: Box<dyn NudgeStream>) {
        while let Some(nudge) = nudges.next().await {
            match nudge {
                Nudge::Events => self.events.look(),
                Nudge::Connected { satellite, epoch } => {
                    let order = Order::Fenced(Fence::Superseded);
                    self.sessions.end(satellite, order, |held| held < epoch);
                }
                Nudge::Revoked { satellite, epoch } => {
                    let order = Order::Shutdown { reason: REVOKED };
                    self.sessions.end(satellite, order, |held| held <= epoch);
                    self.events.signal(Signal::ConfigChanged { satellite });
                }
                Nudge::Removed { satellite } => {
                    let order = Order::Shutdown { reason: REMOVED };
                    self.sessions.end(satellite, order, |_| true);
                    self.events.look();
                }
                Nudge::Displaced { satellite, epoch, remote } => {
                    self.count_takeover(satellite, epoch, remote);
                }
                Nudge::ConfigChanged { satellite } => {
                    self.events.signal(Signal::ConfigChanged { satellite });
                    self.sweep_soon.notify_one();
                    if self.sessions.has(satellite) {
                        self.look_at_work_of(satellite);
                        self.tell_threshold(satellite).await;
                    }
                }
                Nudge::WorkChanged => self.look_at_work(),
                Nudge::Configured { satellite } => {
                    self.events.signal(Signal::ConfigChanged { satellite });
                }
                Nudge::PackagesChanged => self.look_at_packages(),
                Nudge::WebhookPaused { webhook } => {
                    self.events.signal(Signal::WebhookPaused { webhook });
                }
                Nudge::Missed => {
                    self.look_at_work();
                    self.events.look();
                    self.sweep_soon.notify_one();
                }
            }
        }
    }

    async fn tell_threshold(&self, satellite: SatelliteId) {
        match self.store.snapshot(satellite).await {
            Ok(Some(read)) => {
                self.sessions.order(satellite, Order::Threshold(read.threshold()), |_| true);
            }
            Ok(None) => {}
            Err(error) => warn!(%error, %satellite, "a changed threshold reaches its socket later"),
        }
    }
}

//! Nudges to all pods: "look again". Never the truth itself.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::automation::WebhookId;
use crate::satellite::{Epoch, SatelliteId};

/// Tells every live pod, this one included, to look again.
///
/// Promises: a nudge reaches every pod that is connected while it is sent, at least once; no
/// order. Where nudges were lost on the way and it can be known (a pod was away and is back, a
/// subscriber is more than 64 nudges behind, more are sent than the queue takes), those who lack
/// them hear [`Nudge::Missed`] instead. May still lose any of them, so every consumer has a durable
/// backstop.
#[async_trait]
pub trait Broadcast: Send + Sync {
    /// Sends a nudge. Never waits; what cannot be sent is lost.
    fn send(&self, nudge: Nudge);

    /// The nudges from now on.
    async fn subscribe(&self) -> Box<dyn NudgeStream>;
}

/// The nudges that one subscriber hears.
#[async_trait]
pub trait NudgeStream: Send {
    /// The next nudge; [`Nudge::Missed`] where some were lost; none when the broadcast ended.
    async fn next(&mut self) -> Option<Nudge>;
}

/// What a pod may want to look at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nudge {
    /// Events were recorded.
    Events,
    /// A session of this satellite authenticated; older ones are superseded.
    Connected {
        /// Whose.
        satellite: SatelliteId,
        /// The newest epoch.
        epoch: Epoch,
    },
    /// The satellite's sessions up to this epoch were revoked.
    Revoked {
        /// Whose.
        satellite: SatelliteId,
        /// The last epoch that ended.
        epoch: Epoch,
    },
    /// The satellite was removed.
    Removed {
        /// Which.
        satellite: SatelliteId,
    },
    /// A session was taken over although its socket was alive: two agents may be fighting over
    /// one credential.
    Displaced {
        /// Whose.
        satellite: SatelliteId,
        /// The epoch that was taken over.
        epoch: Epoch,
        /// Where its agent is.
        remote: IpAddr,
    },
    /// The satellite's description, token or work changed.
    ConfigChanged {
        /// Whose.
        satellite: SatelliteId,
    },
    /// Systems, checks or assignments changed, or the sandbox policy: what any satellite runs may
    /// be different.
    WorkChanged,
    /// The satellite was told another configuration of its work, by the pod that holds its socket.
    Configured {
        /// Whose.
        satellite: SatelliteId,
    },
    /// Other script packages are desired.
    PackagesChanged,
    /// A webhook is paused by itself: whoever watches shall know.
    WebhookPaused {
        /// Which.
        webhook: WebhookId,
    },
    /// Nudges were lost on the way: look at everything again.
    Missed,
}

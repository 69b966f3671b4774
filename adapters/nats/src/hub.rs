//! This pod's subscribers.

use async_trait::async_trait;
use groundcontrol_core::ports::{Nudge, NudgeStream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Nudges that wait for one subscriber before it misses the oldest.
const CAPACITY: usize = 4096;

/// Where what was heard, and what this pod says itself, reaches its subscribers.
pub(crate) struct Hub(broadcast::Sender<Nudge>);

impl Hub {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }

    pub(crate) fn tell(&self, nudge: Nudge) {
        // An error says that nobody listens, which is nobody's loss.
        let _ = self.0.send(nudge);
    }

    pub(crate) fn subscribe(&self) -> Box<dyn NudgeStream> {
        Box::new(Subscription(self.0.subscribe()))
    }
}

struct Subscription(broadcast::Receiver<Nudge>);

#[async_trait]
impl NudgeStream for Subscription {
    async fn next(&mut self) -> Option<Nudge> {
        match self.0.recv().await {
            Ok(nudge) => Some(nudge),
            Err(RecvError::Lagged(_)) => Some(Nudge::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}

//! Nudges between the pods of one process.

use async_trait::async_trait;
use groundcontrol_core::ports::{Broadcast, Nudge, NudgeStream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Nudges that wait for one subscriber before it misses the oldest.
const CAPACITY: usize = 4096;

/// A broadcast within this process. Clones are the same broadcast; it ends with the last of
/// them. A subscriber that falls behind hears [`Nudge::Missed`] and goes on from the oldest
/// nudge that is still held.
#[derive(Clone, Debug)]
pub struct MemoryBroadcast {
    sender: broadcast::Sender<Nudge>,
}

impl MemoryBroadcast {
    /// A broadcast that holds 4,096 nudges for a subscriber that is behind.
    pub fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    /// A broadcast that holds at least `nudges` (one, where it is 0) for a subscriber that is
    /// behind.
    pub fn with_capacity(nudges: usize) -> Self {
        Self { sender: broadcast::Sender::new(nudges.max(1)) }
    }
}

impl Default for MemoryBroadcast {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Broadcast for MemoryBroadcast {
    fn send(&self, nudge: Nudge) {
        // An error says that nobody listens, which is nobody's loss.
        let _ = self.sender.send(nudge);
    }

    async fn subscribe(&self) -> Box<dyn NudgeStream> {
        Box::new(Subscription(self.sender.subscribe()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_subscriber_that_fell_behind_hears_that_it_missed_something_and_then_the_rest() {
        let broadcast = MemoryBroadcast::with_capacity(2);
        let mut stream = broadcast.subscribe().await;
        for _ in 0..3 {
            broadcast.send(Nudge::Events);
        }
        let heard = [stream.next().await, stream.next().await, stream.next().await];
        assert_eq!(heard, [Some(Nudge::Missed), Some(Nudge::Events), Some(Nudge::Events)]);
    }

    #[tokio::test]
    async fn a_stream_ends_with_the_last_clone_of_its_broadcast() {
        let broadcast = MemoryBroadcast::new();
        let mut stream = broadcast.subscribe().await;
        drop(broadcast);
        assert_eq!(stream.next().await, None);
    }
}

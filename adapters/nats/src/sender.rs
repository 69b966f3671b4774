//! Sending: what waits goes out together, as one message.

use std::sync::Arc;

use groundcontrol_core::ports::{Nudge, WaitingNudges, nudges_in};
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::queue::{PATIENCE, Shared};

/// Nudges that wait to be sent.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<WaitingNudges>,
    some: Notify,
}

impl Outbox {
    pub(crate) fn push(&self, nudge: Nudge) {
        if !self.waiting.lock().push(nudge) {
            counter!("groundcontrol_queue_nudges_dropped_total").increment(1);
        }
        self.some.notify_one();
    }
}

impl Shared {
    /// The task that sends what waits, while there is a connection: the client would take more
    /// than there is room for.
    pub(crate) async fn send_waiting(self: Arc<Self>) {
        loop {
            self.outbox.some.notified().await;
            self.health.there().await;
            let text = self.outbox.waiting.lock().take_text();
            if text.is_empty() {
                continue;
            }
            let sent = timeout(PATIENCE, async {
                self.client.publish(self.subject(), text.clone().into()).await?;
                // Without waiting for it to be written, nothing would hold back a flood.
                self.client.flush().await.map_err(async_nats::Error::from)
            });
            if !matches!(sent.await, Ok(Ok(()))) {
                // It may have been sent: hearing it twice harms nobody.
                nudges_in(&text).for_each(|nudge| self.outbox.push(nudge));
                tokio::time::sleep(PATIENCE / 10).await;
            }
        }
    }
}

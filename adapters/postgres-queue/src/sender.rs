//! Sending: what waits goes out together, as one row.

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::ports::{Nudge, QueueResult, WaitingNudges, nudges_in};
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

use crate::connect::Delays;
use crate::health::Half;
use crate::queue::Shared;

/// The row takes the next number. Until this is committed no other can take one, so rows become
/// visible in the order of their numbers; and of what is rolled back the number is given again.
const SEND: &str = "
    WITH next AS (
        UPDATE groundcontrol_queue_head SET last_id = last_id + 1 RETURNING last_id
    ), message AS (
        INSERT INTO groundcontrol_queue_messages (id, member, body)
        SELECT last_id, $1, $2 FROM next
    )
    SELECT pg_notify('groundcontrol_queue_' || 'groundcontrol_queue_messages'::regclass::oid, '')
    FROM next";
/// Rows are kept for ten times as long as a member needs to give up a connection and make another.
const DELETE_OLD: &str = "
    DELETE FROM groundcontrol_queue_messages
    WHERE sent_at < clock_timestamp() - interval '1 minute'";
const DELETE_EVERY: Duration = Duration::from_secs(20);

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
    /// The task that sends what waits.
    pub(crate) async fn send_waiting(self: Arc<Self>) {
        let mut delete_at = Instant::now();
        loop {
            self.outbox.some.notified().await;
            let mut delays = Delays::new();
            loop {
                let text = self.outbox.waiting.lock().take_text();
                if text.is_empty() {
                    break;
                }
                match self.send_text(&text).await {
                    Ok(()) => self.health.works(Half::Sending),
                    Err(error) => {
                        self.health.failed(Half::Sending, &error);
                        // It may have been sent: hearing it twice harms nobody.
                        nudges_in(&text).for_each(|nudge| self.outbox.push(nudge));
                        delays.wait().await;
                    }
                }
            }
            if Instant::now() >= delete_at {
                delete_at = Instant::now() + DELETE_EVERY;
                let deleted = self.connections.rows("delete old nudges", sqlx::query(DELETE_OLD));
                if let Err(error) = deleted.await {
                    warn!(%error, "old nudges wait to be deleted");
                }
            }
        }
    }

    async fn send_text(&self, text: &str) -> QueueResult<()> {
        let send = sqlx::query(SEND).bind(self.member).bind(text);
        self.connections.rows("send nudges", send).await.map(drop)
    }
}

//! Recorded events, on their way to whoever listens (rules E1–E4).
//!
//! One task a pod follows the store and feeds all streams of the pod; a stream that was away, or
//! too slow, reads the store itself from its own cursor. So each sees every event once, in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use groundcontrol_core::connection::Event;
use groundcontrol_core::ports::{
    EventCursor, EventFeed, FeedItem, RecordedEvent, SatelliteStore, Signal, StoreResult,
};
use parking_lot::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::pod::{Pod, Rules, Sinks, Webhooks};

/// Items that a stream may lag behind before it reads the store itself.
const BACKLOG: usize = 4_096;
/// Events read at a time.
const PAGE: usize = 500;
/// Without a nudge the store is looked at this often.
const POLL: Duration = Duration::from_secs(1);

/// Where a pod's event streams come together.
pub struct EventHub {
    live: broadcast::Sender<FeedItem>,
    reached: Mutex<Option<EventCursor>>,
    wake: Notify,
}

impl EventHub {
    /// A hub that feeds what comes after `newest`.
    pub fn new(newest: Option<EventCursor>) -> Self {
        Self {
            live: broadcast::channel(BACKLOG).0,
            reached: Mutex::new(newest),
            wake: Notify::new(),
        }
    }

    /// There may be new events.
    pub fn look(&self) {
        self.wake.notify_one();
    }

    /// Sends a signal to all streams.
    pub fn signal(&self, signal: Signal) {
        let _ = self.live.send(FeedItem::Signal(signal));
    }

    /// Feeds new events to all streams.
    fn feed(&self, page: Vec<RecordedEvent>) {
        for recorded in page {
            let mut reached = self.reached.lock();
            if let Some(event) = Event::derive(&recorded.recorded) {
                let signal = status_changed(&event);
                let event = Box::new(event);
                let _ = self.live.send(FeedItem::Event { cursor: recorded.cursor, event });
                if let Some(signal) = signal {
                    let _ = self.live.send(FeedItem::Signal(signal));
                }
            }
            *reached = Some(recorded.cursor);
        }
    }

    /// What has been fed, and everything that will be, without a gap between.
    fn subscribe(&self) -> (Option<EventCursor>, broadcast::Receiver<FeedItem>) {
        let reached = self.reached.lock();
        (*reached, self.live.subscribe())
    }
}

/// The signal that goes with an event of a satellite.
fn status_changed(event: &Event) -> Option<Signal> {
    let Event::Satellite(event) = event else { return None };
    let state = event.state();
    Some(Signal::StatusChanged {
        satellite: event.satellite,
        status: event.kind.status()?,
        name: state.map(|state| state.name.clone()),
        region: state.map(|state| state.region.clone()),
    })
}

impl Pod {
    /// The task that follows the store.
    pub(crate) async fn dispatch_events(self: Arc<Self>) {
        loop {
            let _ = timeout(POLL, self.events.wake.notified()).await;
            if let Err(error) = self.dispatch().await {
                warn!(%error, "events wait to be delivered");
                sleep(POLL).await;
            }
        }
    }

    async fn dispatch(&self) -> StoreResult<()> {
        loop {
            let reached = *self.events.reached.lock();
            let page = self.store.events_after(reached, PAGE).await?;
            let full = page.len() == PAGE;
            if !page.is_empty() {
                self.webhooks.iter().for_each(Webhooks::look);
                self.rules.iter().for_each(Rules::look);
                self.sinks.iter().for_each(Sinks::look);
            }
            self.events.feed(page);
            if !full {
                return Ok(());
            }
        }
    }

    pub(crate) fn event_feed(&self, after: Option<EventCursor>) -> Feed {
        let (reached, live) = self.events.subscribe();
        Feed {
            store: self.store.clone(),
            stopped: self.stopped.clone(),
            behind: after.is_some_and(|after| reached.is_some_and(|reached| after < reached)),
            after: after.or(reached),
            replay: VecDeque::new(),
            live,
        }
    }
}

/// One stream of events and signals.
pub struct Feed {
    store: Arc<dyn SatelliteStore>,
    stopped: CancellationToken,
    live: broadcast::Receiver<FeedItem>,
    /// The last event that was given out, or was there before.
    after: Option<EventCursor>,
    /// Whether the store may hold events after `after` that the live feed has passed.
    behind: bool,
    replay: VecDeque<RecordedEvent>,
}

impl Feed {
    /// The next event that the store holds; none when the live feed has what follows.
    async fn replayed(&mut self) -> Option<FeedItem> {
        loop {
            if let Some(recorded) = self.replay.pop_front() {
                self.after = Some(recorded.cursor);
                if let Some(event) = Event::derive(&recorded.recorded) {
                    let event = Box::new(event);
                    return Some(FeedItem::Event { cursor: recorded.cursor, event });
                }
                continue;
            }
            match self.store.events_after(self.after, PAGE).await {
                Ok(page) if page.is_empty() => {
                    self.behind = false;
                    return None;
                }
                Ok(page) => self.replay = page.into(),
                Err(error) => {
                    warn!(%error, "an event stream waits for the store");
                    sleep(POLL).await;
                }
            }
        }
    }

    async fn follow(&mut self) -> Option<FeedItem> {
        loop {
            if self.behind
                && let Some(item) = self.replayed().await
            {
                return Some(item);
            }
            match self.live.recv().await {
                Ok(FeedItem::Event { cursor, .. }) if Some(cursor) <= self.after => {}
                Ok(item) => {
                    if let FeedItem::Event { cursor, .. } = &item {
                        self.after = Some(*cursor);
                    }
                    return Some(item);
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

#[async_trait]
impl EventFeed for Feed {
    fn position(&self) -> EventCursor {
        self.after.unwrap_or_default()
    }

    async fn next(&mut self) -> Option<FeedItem> {
        let stopped = self.stopped.clone();
        stopped.run_until_cancelled(self.follow()).await.flatten()
    }
}

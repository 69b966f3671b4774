//! What is known of the fleet, kept up to date beside the screen that shows it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use groundcontrol_http::dto::{Satellite, Signal, StreamMessage};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::client::{Client, ClientError, EventStream, ListFilter, StreamItem};
use crate::command::events::note_of;
use crate::command::printable::printable;
use crate::command::view;

/// Changes that come together are shown together.
const TOGETHER: Duration = Duration::from_millis(100);
/// Beside events, the whole list is read again this often: last seen moves without an event.
const READ_AGAIN: Duration = Duration::from_secs(15);
/// More changes than this at once, and the whole list is read instead of each satellite.
const ONE_BY_ONE: usize = 20;
/// Events that are remembered.
const LATEST: usize = 100;

/// What is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) satellites: BTreeMap<Uuid, Satellite>,
    /// Events as lines, the newest first.
    pub(super) latest: VecDeque<String>,
    /// Why what is shown may be out of date.
    pub(super) stale: Option<String>,
}

/// Where a follower puts what it learns, and says so.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    pub(super) known: Arc<Mutex<Known>>,
    pub(super) changed: Arc<Notify>,
}

/// Follows the event stream and reads what changed.
pub(super) struct Follower {
    filter: ListFilter,
    client: Client,
    shared: Shared,
    waiting: Vec<Uuid>,
    read_at: Instant,
}

impl Follower {
    pub(super) fn new(filter: ListFilter, client: Client, shared: Shared) -> Self {
        shared.known.lock().stale = Some("connecting".to_owned());
        Self { filter, client, shared, waiting: Vec::new(), read_at: Instant::now() }
    }

    /// Follows until the server refuses for good.
    pub(super) async fn follow(mut self) -> anyhow::Result<()> {
        let mut stream = EventStream::new(self.client.clone(), None);
        loop {
            let is_live = self.shared.known.lock().stale.is_none();
            tokio::select! {
                item = stream.next() => self.take(item?).await?,
                () = sleep(TOGETHER), if !self.waiting.is_empty() => self.read_waiting().await?,
                () = sleep_until(self.read_at + READ_AGAIN), if is_live => self.read_all().await?,
            }
            self.shared.changed.notify_one();
        }
    }

    async fn take(&mut self, item: StreamItem) -> anyhow::Result<()> {
        match item {
            StreamItem::Live { .. } => self.read_all().await?,
            StreamItem::Stale { .. } => self.shared.known.lock().stale = note_of(&item),
            StreamItem::Message { data, .. } => match serde_json::from_str(&data) {
                Ok(StreamMessage::Event(event)) => {
                    let mut known = self.shared.known.lock();
                    known.latest.push_front(printable(&view::event_line(&event)).into_owned());
                    known.latest.truncate(LATEST);
                    self.waiting.extend(event.satellite_id());
                }
                Ok(StreamMessage::Signal(
                    Signal::StatusChanged { satellite_id, .. }
                    | Signal::ConfigChanged { satellite_id },
                )) => self.waiting.push(satellite_id),
                Ok(StreamMessage::Signal(Signal::WebhookPaused { .. })) | Err(_) => {}
            },
        }
        Ok(())
    }

    async fn read_all(&mut self) -> anyhow::Result<()> {
        self.waiting.clear();
        self.read_at = Instant::now();
        let read = read(&self.client, &self.filter).await;
        let mut known = self.shared.known.lock();
        match read {
            Ok(satellites) => {
                known.satellites = satellites;
                known.stale = None;
            }
            Err(error) if error.is_final() => return Err(error.into()),
            Err(error) => known.stale = Some(printable(&error.to_string()).into_owned()),
        }
        Ok(())
    }

    /// Reads only what changed. Whether a satellite matches a filter is for the server to say.
    async fn read_waiting(&mut self) -> anyhow::Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable();
        waiting.dedup();
        if waiting.len() > ONE_BY_ONE || !is_unfiltered(&self.filter) {
            return self.read_all().await;
        }
        for id in waiting {
            let read = self.client.satellite(id).await;
            let mut known = self.shared.known.lock();
            match read {
                Ok(satellite) => {
                    known.satellites.insert(id, satellite);
                }
                Err(ClientError::Refused { problem, .. }) if problem.status == 404 => {
                    known.satellites.remove(&id);
                }
                Err(error) if error.is_final() => return Err(error.into()),
                // The stream will notice, and read everything once it is live again.
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// The satellites that match.
pub(super) async fn read(
    client: &Client,
    filter: &ListFilter,
) -> Result<BTreeMap<Uuid, Satellite>, ClientError> {
    let satellites = client.satellites(filter).await?;
    Ok(satellites.into_iter().map(|satellite| (satellite.id, satellite)).collect())
}

/// The same, by name.
pub(super) fn by_name(known: &BTreeMap<Uuid, Satellite>) -> Vec<&Satellite> {
    let mut sorted: Vec<&Satellite> = known.values().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    sorted
}

/// Whether every satellite matches.
pub(super) fn is_unfiltered(filter: &ListFilter) -> bool {
    let ListFilter { status, region, tags, search } = filter;
    status.is_none() && region.is_none() && tags.is_empty() && search.is_none()
}

//! Whoever listens to events: follows a stream, and where that ends, goes on with another pod's.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::record::Delivered;
use crate::server::{Api, EventStream};

/// The time to open a stream.
const OPENED: Duration = Duration::from_secs(5);
/// A stream on which nothing came for longer is left. A server says something more often, but not
/// what counts here.
const QUIET: Duration = Duration::from_secs(8);
/// Between two streams.
const AGAIN: Duration = Duration::from_millis(100);

/// A listener that remembers all events. Ends when dropped.
pub struct Follower {
    heard: Arc<Mutex<Heard>>,
    _running: JoinSet<()>,
}

#[derive(Default)]
struct Heard {
    events: Vec<Delivered>,
    streams: usize,
}

impl Follower {
    /// Follows the stream of the first of these pods, and returns once nothing is missed any more.
    pub async fn start(pods: Vec<Api>) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let mut running = JoinSet::new();
        running.spawn(follow(pods, heard.clone()));
        while heard.lock().streams == 0 {
            sleep(AGAIN).await;
        }
        Self { heard, _running: running }
    }

    /// All events that were delivered so far, in this order.
    pub fn events(&self) -> Vec<Delivered> {
        self.heard.lock().events.clone()
    }

    /// How many events were delivered so far.
    pub fn count(&self) -> usize {
        self.heard.lock().events.len()
    }

    /// How many streams it took.
    pub fn streams(&self) -> usize {
        self.heard.lock().streams
    }
}

async fn follow(pods: Vec<Api>, heard: Arc<Mutex<Heard>>) {
    let mut after: Option<String> = None;
    for api in pods.iter().cycle() {
        let opened = timeout(OPENED, EventStream::try_open(api, after.as_deref())).await;
        if let Ok(Some(mut stream)) = opened {
            after = after.or_else(|| stream.position().map(str::to_owned));
            heard.lock().streams += 1;
            while let Ok(Some(item)) = timeout(QUIET, stream.next_if_ever()).await {
                if let Some(id) = item.id {
                    heard.lock().events.push(Delivered::read(&item.data));
                    after = Some(id);
                }
            }
        }
        sleep(AGAIN).await;
    }
}

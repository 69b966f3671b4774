//! Members of queues on a real server.

#![allow(dead_code, unreachable_pub, reason = "each suite uses its part")]

use std::time::Duration;

use groundcontrol_core::ports::{Nudge, NudgeStream};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_nats::{NatsQueue, NatsSettings};
use groundcontrol_testnats::Place;
use tokio::time::{sleep, timeout};

/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn deadline() {
    sleep(PATIENCE).await;
}

/// What must come, comes before the deadline.
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let came = timeout(PATIENCE, wait).await;
    came.unwrap_or_else(|_| panic!("{what} did not come within {PATIENCE:?}"))
}

pub fn settings(place: &Place) -> NatsSettings {
    NatsSettings { prefix: place.prefix.clone(), ..NatsSettings::new(place.url.as_str()) }
}

pub async fn open(place: &Place) -> NatsQueue {
    NatsQueue::open(&settings(place)).await.expect("the settings can be used")
}

/// Nudges that differ.
pub fn numbered(count: u128) -> Vec<Nudge> {
    let satellite = |number: u128| {
        let id = format!("{number:032x}").parse();
        SatelliteId(id.expect("32 digits are a UUID"))
    };
    (0..count).map(|number| Nudge::Removed { satellite: satellite(number) }).collect()
}

/// Reads until all of `awaited` were heard, whatever else comes.
pub async fn hears_all(stream: &mut Box<dyn NudgeStream>, awaited: &[Nudge]) {
    let mut awaited = awaited.to_vec();
    while !awaited.is_empty() {
        let heard = within("a nudge", stream.next()).await.expect("the stream goes on");
        awaited.retain(|nudge| *nudge != heard);
    }
}

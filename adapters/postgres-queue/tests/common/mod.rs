//! Members of queues on a real server.

#![allow(dead_code, unreachable_pub, reason = "each suite uses its part")]

use std::time::Duration;

use groundcontrol_core::ports::{Nudge, NudgeStream};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_postgres_queue::PostgresQueue;
use groundcontrol_testpostgres::{Schema, Server};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

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

/// An empty schema that members meet in.
pub struct Place(Schema);

impl Place {
    pub async fn make() -> Self {
        Self(Schema::make().await)
    }

    pub async fn on(server: &Server) -> Self {
        Self(Schema::on(server).await)
    }

    pub async fn open(&self) -> PostgresQueue {
        PostgresQueue::open(&self.0.url(), None).await.expect("the URL is understood")
    }

    pub async fn run(&self, sql: &str) {
        self.0.run(sql).await;
    }

    pub fn url(&self) -> String {
        self.0.url()
    }
}

/// Nudges that differ.
pub fn numbered(count: u128) -> Vec<Nudge> {
    let satellite = |number| SatelliteId(Uuid::from_u128(number));
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

//! What holds of this adapter on a PostgreSQL server, beyond its ports: the order of events over
//! several pods, pods that start at once, plans, and what happens when the server is away.

mod cursor;
mod clock;
mod starting;
mod plans;
mod outages;
mod contention;
mod checkstack;

use std::time::{Duration, Instant};

use groundcontrol_core::ports::{CreateOutcome, SatelliteStore};
use groundcontrol_core::satellite::Tags;
use groundcontrol_testpostgres::Schema;

use super::satellite;
use crate::{DatabaseStore, Options, ServerLimits};

/// Limits that a test can wait for.
fn impatient() -> ServerLimits {
    ServerLimits {
        connect: Duration::from_secs(1),
        acquire: Duration::from_secs(1),
        statement: Duration::from_secs(2),
        held: Duration::from_secs(1),
        ..ServerLimits::default()
    }
}

async fn open(url: &str) -> DatabaseStore {
    open_with(url, ServerLimits::default()).await
}

async fn open_with(url: &str, limits: ServerLimits) -> DatabaseStore {
    let options = Options { limits, ..Options::default() };
    DatabaseStore::open(url, options).await.unwrap()
}

/// Makes satellites 1 to `count`.
async fn fill(store: &DatabaseStore, count: u128) {
    for number in 1..=count {
        let created = store.create(satellite(number, Tags::default())).await;
        assert_eq!(created, Ok(CreateOutcome::Created));
    }
}

/// A schema with satellites 1 to `count`, and `pods` stores on it.
async fn pods(pods: usize, count: u128) -> (Schema, Vec<DatabaseStore>) {
    let schema = Schema::make().await;
    let mut stores = Vec::new();
    for _ in 0..pods {
        stores.push(open(&schema.url()).await);
    }
    fill(&stores[0], count).await;
    (schema, stores)
}

/// Waits until `condition` holds, and fails where it never does.
async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

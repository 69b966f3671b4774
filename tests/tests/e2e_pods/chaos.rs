//! Everything goes wrong that can, from a seed.
//!
//! `GROUNDCONTROL_CHAOS_SECONDS` says for how long, `GROUNDCONTROL_CHAOS_SEED` in which way, and
//! `GROUNDCONTROL_CHAOS_AGENTS` to how many.

#![allow(clippy::print_stdout, reason = "figures are what a long run is for")]

use std::time::Duration;

use groundcontrol_testkit::fleet::{Chaos, Queue};

use crate::support::{machine, variable};

/// How long things go wrong, by default.
const SECONDS: u64 = 12;
/// How many agents there are, by default.
const AGENTS: u64 = 200;

async fn survive(queue: Queue, seed: u64) {
    let chaos = Chaos {
        seed: variable("GROUNDCONTROL_CHAOS_SEED", seed),
        span: Duration::from_secs(variable("GROUNDCONTROL_CHAOS_SECONDS", SECONDS)),
        agents: variable("GROUNDCONTROL_CHAOS_AGENTS", AGENTS) as usize,
        queue,
    };
    let _machine = machine().await;
    println!("{chaos:?}");
    println!("{}", chaos.run().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_with_the_queue_on_postgres_breaks_no_property() {
    survive(Queue::Postgres, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_with_the_queue_on_nats_breaks_no_property() {
    survive(Queue::Nats, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_without_any_nudge_breaks_no_property() {
    survive(Queue::Deaf, 3).await;
}

//! What these tests share.

use std::time::Duration;

use groundcontrol_testkit::fleet::{Queue, Setup, Stage};
use tokio::sync::{Mutex, MutexGuard};

/// Every way in which pods can tell each other, that none is one of them.
pub(crate) const QUEUES: [Queue; 3] = [Queue::Deaf, Queue::Postgres, Queue::Nats];

/// Two pods. Agents have plenty of time.
pub(crate) async fn two_pods(queue: Queue) -> Stage {
    let setup = Setup { pods: 2, queue, ..Setup::default() };
    Stage::set_up(setup).await
}

/// Held by a test that keeps the whole machine busy: one of them runs at a time.
pub(crate) async fn machine() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::const_new(());
    MACHINE.lock().await
}

/// A figure of a pod, where it shows it.
pub(crate) async fn figure(stage: &Stage, pod: usize, name: &str) -> Option<f64> {
    let metrics = stage.api(pod).get("/metrics").await.body;
    let lines = metrics.as_str().unwrap_or_default().lines();
    let values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    values.filter_map(|value| value.parse().ok()).next()
}

/// A number from the environment.
pub(crate) fn variable(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

/// `Duration`s in milliseconds, sorted, as a median, a late one and the last.
pub(crate) fn quantiles(mut spans: Vec<i64>) -> String {
    spans.sort_unstable();
    let at = |part: f64| {
        let index = ((spans.len().max(1) - 1) as f64 * part).round() as usize;
        Duration::from_millis(spans.get(index).copied().unwrap_or_default().max(0).unsigned_abs())
    };
    format!("median {:?}, 99 % {:?}, last {:?}", at(0.5), at(0.99), at(1.0))
}

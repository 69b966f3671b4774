//! Sinks of events on whole pods: all events in order, at least once, whoever dies.

#![allow(clippy::unwrap_used, reason = "a helper that gets no answer has failed")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use common::{World, connect, create};
use groundcontrol::pod::{GroundControl, SinkPorts};
use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::{EventSink, SinkError, SinkEvent, SinkName};
use parking_lot::Mutex;
use tokio::time::sleep;

/// A sink that takes what it is given, or fails after half of it.
#[derive(Default)]
struct Log {
    taken: Mutex<Vec<String>>,
    fails: Mutex<bool>,
    takes: Mutex<Duration>,
}

#[async_trait]
impl EventSink for Log {
    fn name(&self) -> SinkName {
        SinkName::new("log")
    }

    async fn take(&self, events: &[SinkEvent]) -> Result<(), SinkError> {
        let (takes, fails) = (*self.takes.lock(), *self.fails.lock());
        sleep(takes).await;
        let most = if fails { events.len() / 2 } else { events.len() };
        self.taken.lock().extend(events[..most].iter().map(|one| one.event.id()));
        match fails {
            false => Ok(()),
            true => Err(SinkError { sink: self.name(), detail: "it is full".to_owned() }),
        }
    }
}

impl Log {
    fn taken(&self) -> Vec<String> {
        self.taken.lock().clone()
    }

    fn once(&self) -> Vec<String> {
        let mut seen = Vec::new();
        for id in self.taken() {
            if !seen.contains(&id) {
                seen.push(id);
            }
        }
        seen
    }
}

async fn pod(world: &World, name: &str, log: &Arc<Log>) -> GroundControl {
    let ports = SinkPorts { store: Arc::new(world.memory.clone()), sinks: vec![log.clone()] };
    world.pod_with(name, |pod| pod.sinks(ports)).await
}

/// A satellite comes and goes; answers the ids of its events.
async fn visit(pod: &GroundControl, name: &str) -> Vec<String> {
    let satellite = connect(pod, &create(pod, name).await).await;
    satellite.close(CloseReason::ClientClosed).await;
    (1..=2).map(|seq| format!("{}:{seq}", satellite.id())).collect()
}

#[tokio::test(start_paused = true)]
async fn e3_every_event_reaches_a_sink_once_where_nothing_fails() {
    let (world, log) = (World::new(), Arc::<Log>::default());
    let pods = [pod(&world, "a", &log).await, pod(&world, "b", &log).await];
    sleep(Duration::from_secs(3)).await;
    let mut expected = visit(&pods[0], "one").await;
    expected.extend(visit(&pods[1], "two").await);
    world.until(|| async { log.taken().len() >= 4 }).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(log.taken(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_a_sink_did_not_take_is_given_again_in_its_order() {
    let (world, log) = (World::new(), Arc::<Log>::default());
    let pod = pod(&world, "a", &log).await;
    sleep(Duration::from_secs(3)).await;
    *log.fails.lock() = true;
    let mut expected = visit(&pod, "one").await;
    expected.extend(visit(&pod, "two").await);
    sleep(Duration::from_secs(60)).await;
    *log.fails.lock() = false;
    world.until(|| async { log.once().len() == 4 }).await;
    assert_eq!(log.once(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_sink_goes_on_where_a_dead_pod_left_it() {
    let (world, log) = (World::new(), Arc::<Log>::default());
    let first = pod(&world, "a", &log).await;
    sleep(Duration::from_secs(3)).await;
    let mut expected = visit(&first, "one").await;
    world.until(|| async { log.taken().len() == 2 }).await;
    *log.takes.lock() = Duration::from_secs(3_600);
    expected.extend(visit(&first, "two").await);
    sleep(Duration::from_secs(2)).await;
    first.drain().await;
    *log.takes.lock() = Duration::ZERO;
    let _second = pod(&world, "b", &log).await;
    world.until(|| async { log.once().len() == 4 }).await;
    assert_eq!(log.once(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_delays_no_other() {
    struct Hangs;
    #[async_trait]
    impl EventSink for Hangs {
        fn name(&self) -> SinkName {
            SinkName::new("hangs")
        }
        async fn take(&self, _: &[SinkEvent]) -> Result<(), SinkError> {
            std::future::pending().await
        }
    }
    let (world, log) = (World::new(), Arc::<Log>::default());
    let sinks: Vec<Arc<dyn EventSink>> = vec![Arc::new(Hangs), log.clone()];
    let ports = SinkPorts { store: Arc::new(world.memory.clone()), sinks };
    let pod = world.pod_with("a", |pod| pod.sinks(ports)).await;
    sleep(Duration::from_secs(3)).await;
    let expected = visit(&pod, "one").await;
    world.until(|| async { log.taken().len() == 2 }).await;
    assert_eq!(log.taken(), expected);
}

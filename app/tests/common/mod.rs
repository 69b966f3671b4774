//! A pod in memory on paused tokio time, and satellites that talk to it without sockets.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each suite uses its part, and tests may unwrap"
)]

pub mod faulty;
pub mod site;
pub mod work;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use groundcontrol::pod::{Builder, GroundControl, PackagePorts, SecretPorts, Timing};
use groundcontrol_core::connection::{Actor, CloseReason, LifecycleEvent, Status, Transition};
use groundcontrol_core::ports::{
    Attempt, Authentication, Beat, Broadcast, Clock, Created, FleetService as _, Nudge,
    NudgeStream, Order, Outbox, RecurringWork, SatelliteGateway as _, SatelliteRequest,
    SatelliteStore, SessionRef, Welcome,
};
use groundcontrol_core::satellite::{Liveness, PodName, SatelliteId, SessionId, Tags, Token};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_memory::{MemoryBroadcast, MemoryStore};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use work::CountedWork;

/// Store time that follows tokio's, so that a paused test decides how fast it runs; `skip` is the
/// time that passes while the whole process sleeps.
pub struct TestClock {
    start: Instant,
    slept: Mutex<Millis>,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), slept: Mutex::default() })
    }

    pub fn skip(&self, span: Millis) {
        let mut slept = self.slept.lock();
        *slept = *slept + span;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let awake: Millis = self.start.elapsed().into();
        Timestamp::from_millis(1_800_000_000_000) + awake + *self.slept.lock()
    }

    fn error(&self) -> Millis {
        Millis::ZERO
    }
}

/// A broadcast that loses everything.
pub struct Deaf;

struct Silence;

#[async_trait]
impl Broadcast for Deaf {
    fn send(&self, _nudge: Nudge) {}

    async fn subscribe(&self) -> Box<dyn NudgeStream> {
        Box::new(Silence)
    }
}

#[async_trait]
impl NudgeStream for Silence {
    async fn next(&mut self) -> Option<Nudge> {
        std::future::pending().await
    }
}

/// Pods over one store.
pub struct World {
    pub memory: MemoryStore,
    pub store: Arc<dyn SatelliteStore>,
    pub clock: Arc<TestClock>,
    pub broadcast: Arc<dyn Broadcast>,
    pub recurring_work: Option<Arc<dyn RecurringWork>>,
    pub work: Arc<CountedWork>,
    pub secrets: Option<SecretPorts>,
    pub liveness: Liveness,
    pub timing: Timing,
}

impl World {
    pub fn new() -> Self {
        let memory = MemoryStore::default();
        Self {
            store: Arc::new(memory.clone()),
            work: CountedWork::over(memory.clone()),
            memory,
            clock: TestClock::new(),
            broadcast: Arc::new(MemoryBroadcast::default()),
            recurring_work: None,
            secrets: None,
            timing: Timing { drain_spread: Millis::new(100), ..Timing::default() },
            liveness: Liveness::new(Millis::from_secs(15), Millis::from_secs(45)).unwrap(),
        }
    }

    pub async fn pod(&self, name: &str) -> GroundControl {
        self.pod_with(name, |pod| pod).await
    }

    /// A pod with something more.
    pub async fn pod_with(
        &self,
        name: &str,
        more: impl FnOnce(Builder) -> Builder,
    ) -> GroundControl {
        let pod = GroundControl::builder(
            self.store.clone(),
            Arc::new(self.memory.clone()),
            self.clock.clone(),
            self.broadcast.clone(),
        )
        .work(self.work.ports())
        .runs(self.work.run_ports())
        .packages(PackagePorts {
            store: Arc::new(self.memory.clone()),
            blobs: Arc::new(self.memory.clone()),
        })
        .name(PodName::new(name))
        .liveness(self.liveness)
        .timing(self.timing);
        let pod = match &self.recurring_work {
            Some(queue) => pod.recurring_work(queue.clone()),
            None => pod,
        };
        let pod = match &self.secrets {
            Some(secrets) => pod.secrets(secrets.clone()),
            None => pod,
        };
        more(pod).start().await.unwrap()
    }

    pub async fn history(&self, id: SatelliteId) -> Vec<Transition> {
        let mut history = self.store.transitions(id, None, 1_000).await.unwrap();
        history.reverse();
        history
    }

    /// The edges of a satellite with their causes, oldest first.
    pub async fn edges(&self, id: SatelliteId) -> Vec<String> {
        let name = |t: &Transition| {
            let kind = t.kind.map_or("?", |kind| kind.name());
            t.cause.map_or(kind.to_owned(), |cause| format!("{kind}/{cause}"))
        };
        self.history(id).await.iter().map(name).collect()
    }

    /// Waits until the last edge of a satellite is `event`.
    pub async fn edge(&self, id: SatelliteId, event: LifecycleEvent) {
        self.until(|| async {
            let stored = self.store.get(id).await.ok().flatten();
            stored.is_some_and(|stored| stored.record.last_event == Some(event))
        })
        .await;
    }

    /// Waits for a condition, with a deadline in paused time.
    pub async fn until<F: Future<Output = bool>>(&self, condition: impl Fn() -> F) {
        let wait = async {
            while !condition().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(600), wait).await.expect("the condition comes true");
    }
}

pub fn actor() -> Actor {
    Actor("tester".into())
}

pub async fn create(pod: &GroundControl, name: &str) -> Created {
    let request = SatelliteRequest {
        name: name.parse().unwrap(),
        region: "eu".parse().unwrap(),
        tags: Tags::default(),
        offline_threshold: None,
        managed_by: None,
    };
    pod.create(request).await.unwrap()
}

pub async fn status(pod: &GroundControl, id: SatelliteId) -> Status {
    pod.get(id).await.unwrap().status
}

#[derive(Default)]
pub struct Orders(Mutex<Vec<Order>>);

impl Outbox for Orders {
    fn deliver(&self, order: Order) {
        self.0.lock().push(order);
    }
}

impl Orders {
    pub fn all(&self) -> Vec<Order> {
        self.0.lock().clone()
    }
}

/// A satellite with an open session on `pod`.
pub struct Satellite {
    pub pod: GroundControl,
    pub session: SessionRef,
    pub orders: Arc<Orders>,
}

pub fn attempt(id: &str, token: &Token, orders: &Arc<Orders>) -> Attempt {
    Attempt {
        client_id: id.to_owned(),
        token: token.clone(),
        capabilities: None,
        remote: IpAddr::from([192, 0, 2, 7]),
        session: SessionId(Uuid::new_v4()),
        outbox: orders.clone(),
    }
}

pub async fn try_connect(pod: &GroundControl, id: SatelliteId, token: &Token) -> Authentication {
    pod.authenticate(attempt(&id.to_string(), token, &Arc::default())).await
}

pub async fn connect(pod: &GroundControl, created: &Created) -> Satellite {
    let orders = Arc::new(Orders::default());
    let id = created.view.stored.satellite.id;
    let answer = pod.authenticate(attempt(&id.to_string(), &created.token, &orders)).await;
    let Authentication::Accepted(Welcome { session, .. }) = answer else {
        panic!("accepted: {answer:?}");
    };
    Satellite { pod: pod.clone(), session, orders }
}

impl Satellite {
    pub fn id(&self) -> SatelliteId {
        self.session.satellite
    }

    pub fn beat(&self) {
        self.pod.heartbeat(self.session, Beat::default());
    }

    pub async fn close(&self, reason: CloseReason) {
        self.pod.closed(self.session, reason).await;
    }

    /// Heartbeats every fifteen seconds for `span`.
    pub async fn beat_for(&self, span: Duration) {
        let end = Instant::now() + span;
        while Instant::now() < end {
            self.beat();
            tokio::time::sleep(Duration::from_secs(15)).await;
        }
    }

    pub fn was_ordered(&self, wanted: &Order) -> bool {
        self.orders.all().contains(wanted)
    }
}

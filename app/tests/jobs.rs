//! Recurring work: done by one pod at a time, by another where that one dies, and by each where
//! the queue does not answer.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::faulty::{Fault, FaultyStore};
use common::{Deaf, World, actor, connect, create, status};
use groundcontrol::pod::Timing;
use groundcontrol_core::connection::{LifecycleEvent, Status};
use groundcontrol_core::ports::{
    FleetService as _, Job, JobName, QueueError, QueueResult, RecurringWork, Run, Turn,
};
use groundcontrol_core::time::Millis;
use groundcontrol_memory::MemoryWork;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

const OVERLAPS: JobName = JobName::new("token-overlaps");
const SWEEP: JobName = JobName::new("satellite-heartbeat");
const PRUNING: JobName = JobName::new("pruning");

/// A queue that counts what it gives out and what comes back, and can be away.
struct Counting {
    inner: MemoryWork,
    away: AtomicBool,
    given: Mutex<BTreeMap<JobName, u32>>,
    finished: Mutex<BTreeMap<JobName, u32>>,
}

impl Counting {
    fn of(world: &World) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryWork::new(world.clock.clone()),
            away: AtomicBool::new(false),
            given: Mutex::default(),
            finished: Mutex::default(),
        })
    }

    fn answers(&self) -> QueueResult<()> {
        if self.away.load(Ordering::SeqCst) {
            let detail = "planned".to_owned();
            return Err(QueueError::Unavailable { doing: "do anything", detail });
        }
        Ok(())
    }

    fn given(&self, job: JobName) -> u32 {
        self.given.lock().get(&job).copied().unwrap_or_default()
    }

    fn finished(&self, job: JobName) -> u32 {
        self.finished.lock().get(&job).copied().unwrap_or_default()
    }
}

#[async_trait]
impl RecurringWork for Counting {
    async fn claim(&self, job: Job, lease: Millis) -> QueueResult<Turn> {
        self.answers()?;
        let turn = self.inner.claim(job, lease).await;
        if let Ok(Turn::Yours(_)) = turn {
            *self.given.lock().entry(job.name).or_default() += 1;
        }
        turn
    }

    async fn renew(&self, run: &Run, lease: Millis) -> QueueResult<bool> {
        self.answers()?;
        self.inner.renew(run, lease).await
    }

    async fn finish(&self, run: Run) -> QueueResult<bool> {
        self.answers()?;
        let name = run.job.name;
        let finished = self.inner.finish(run).await;
        if finished == Ok(true) {
            *self.finished.lock().entry(name).or_default() += 1;
        }
        finished
    }
}

/// A world whose pods share recurring work, and tell each other nothing.
fn world() -> (World, Arc<Counting>, Arc<FaultyStore>) {
    let mut world = World::new();
    let (queue, store) = (Counting::of(&world), FaultyStore::around(world.store.clone()));
    world.recurring_work = Some(queue.clone());
    world.broadcast = Arc::new(Deaf);
    world.store = store.clone();
    (world, queue, store)
}

#[tokio::test(start_paused = true)]
async fn of_three_pods_one_does_each_run() {
    let (world, queue, _) = world();
    let _pods = [world.pod("a").await, world.pod("b").await, world.pod("c").await];
    sleep(Duration::from_secs(62)).await;
    // At the start, and then every interval of fifteen seconds; every second; every hour.
    assert_eq!(queue.given(SWEEP), 5);
    assert!((55..=63).contains(&queue.given(OVERLAPS)), "{}", queue.given(OVERLAPS));
    assert_eq!(queue.given(PRUNING), 1);
    for job in [SWEEP, OVERLAPS, PRUNING] {
        assert_eq!(queue.finished(job), queue.given(job), "{job}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_run_of_a_pod_that_died_is_done_by_another_once_its_lease_lapsed() {
    let (world, queue, _) = world();
    let job = Job { name: OVERLAPS, every: Millis::from_secs(1) };
    let lease = Millis::from_secs(40);
    assert!(matches!(queue.claim(job, lease).await, Ok(Turn::Yours(_))), "the dead one has it");
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    pod.rotate_token(satellite.id(), Some(Millis::from_secs(5)), actor()).await.unwrap();
    satellite.beat_for(Duration::from_secs(30)).await;
    assert_eq!(status(&pod, satellite.id()).await, Status::Online, "nobody else may do it");
    world.edge(satellite.id(), LifecycleEvent::Disconnected).await;
    assert_eq!(world.edges(satellite.id()).await.pop().as_deref(), Some("disconnected/revoked"));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_is_done_again_before_long() {
    let (world, queue, store) = world();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    pod.rotate_token(satellite.id(), Some(Millis::from_secs(5)), actor()).await.unwrap();
    sleep(Duration::from_secs(4)).await;
    store.set(Fault::Away);
    sleep(Duration::from_secs(4)).await;
    assert!(queue.finished(OVERLAPS) < queue.given(OVERLAPS), "it failed");
    store.set(Fault::Nothing);
    sleep(Duration::from_secs(3)).await;
    let last = world.edges(satellite.id()).await.pop();
    assert_eq!(last.as_deref(), Some("disconnected/revoked"));
}

#[tokio::test(start_paused = true)]
async fn while_the_queue_is_away_each_pod_does_all_and_then_they_share_again() {
    let (world, queue, _) = world();
    queue.away.store(true, Ordering::SeqCst);
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    pod.rotate_token(satellite.id(), Some(Millis::from_secs(5)), actor()).await.unwrap();
    sleep(Duration::from_secs(7)).await;
    let last = world.edges(satellite.id()).await.pop();
    assert_eq!(last.as_deref(), Some("disconnected/revoked"));
    assert_eq!(queue.given(OVERLAPS), 0);
    queue.away.store(false, Ordering::SeqCst);
    sleep(Duration::from_secs(20)).await;
    assert!(queue.finished(OVERLAPS) > 10 && queue.finished(SWEEP) > 0);
}

#[tokio::test(start_paused = true)]
async fn a_draining_pod_leaves_the_work_to_others() {
    let (world, queue, _) = world();
    let (leaving, staying) = (world.pod("a").await, world.pod("b").await);
    let satellite = connect(&staying, &create(&staying, "one").await).await;
    leaving.drain().await;
    staying.rotate_token(satellite.id(), Some(Millis::from_secs(5)), actor()).await.unwrap();
    sleep(Duration::from_secs(20)).await;
    let last = world.edges(satellite.id()).await.pop();
    assert_eq!(last.as_deref(), Some("disconnected/revoked"));
    assert!(queue.given(OVERLAPS) > 10);
}

#[tokio::test(start_paused = true)]
async fn a_loss_that_no_monitor_sees_coming_is_recorded_by_the_backstop_sweep() {
    let (world, _, store) = world();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    store.hide_the_next_threshold();
    let silent = Instant::now();
    world.edge(satellite.id(), LifecycleEvent::HeartbeatLost).await;
    // The threshold of 45 s, and at most one interval of 15 s.
    let took = silent.elapsed();
    assert!(took < Duration::from_secs(61), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn history_is_kept_for_its_retention_and_then_deleted_in_small_steps() {
    let (mut world, _, _) = world();
    world.timing = Timing { transition_retention: Millis::from_secs(7_200), ..world.timing };
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    // More than one step takes.
    for _ in 0..1_500 {
        connect(&pod, &created).await;
    }
    let id = created.view.stored.satellite.id;
    let kept = async || world.store.transitions(id, None, 2_000).await.unwrap().len();
    sleep(Duration::from_secs(7_300)).await;
    assert!(kept().await >= 1_500, "it is two hours old, and no pruning was due since");
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(kept().await, 0);
}

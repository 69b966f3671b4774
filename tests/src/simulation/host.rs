//! Where one pod runs: it is started, stopped, killed, drained there, and started again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use futures_util::FutureExt as _;
use groundcontrol::pod::{GroundControl, Timing};
use groundcontrol_core::ports::SessionRef;
use groundcontrol_core::satellite::{PodName, SessionId};
use groundcontrol_core::time::Millis;
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use super::clock::PodClock;
use super::dice::Dice;
use super::faults::Faults;
use super::follower;
use super::line::Line;
use super::process::Process;
use super::socket;
use super::store::PodStore;
use super::violation::Property;
use super::world::World;

/// A drain that takes longer never ends.
const DRAIN_ENDS: Millis = Millis::from_secs(90);

/// A machine for one pod.
pub(super) struct Host {
    /// Its place among the machines.
    pub index: usize,
    /// What is wrong between it and the store.
    pub faults: Faults,
    running: Mutex<Option<Instance>>,
    started: Mutex<u64>,
    open: Mutex<BTreeMap<SessionId, SessionRef>>,
}

/// A pod that runs.
#[derive(Clone)]
pub(super) struct Instance {
    /// Its process.
    pub process: Process,
    /// The pod; none while it starts.
    pub pod: Option<GroundControl>,
    /// Its clock.
    pub clock: Arc<PodClock>,
    /// Its name.
    pub name: PodName,
    lines: Arc<Mutex<Vec<Weak<Line>>>>,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {}", self.index)
    }
}

impl Host {
    /// A machine on which nothing runs.
    pub(super) fn new(index: usize) -> Arc<Self> {
        let (faults, open) = (Faults::default(), Mutex::default());
        Arc::new(Self { index, faults, running: Mutex::default(), started: Mutex::default(), open })
    }

    /// A socket here carries `session` from now on.
    pub(super) fn opened(&self, session: SessionRef) {
        self.open.lock().insert(session.session, session);
    }

    /// The socket that carried `session` is gone.
    pub(super) fn closed(&self, session: SessionId) {
        self.open.lock().remove(&session);
    }

    /// The sessions that sockets here carry.
    pub(super) fn open_sessions(&self) -> Vec<SessionRef> {
        self.open.lock().values().copied().collect()
    }

    /// What runs here.
    pub(super) fn instance(&self) -> Option<Instance> {
        self.running.lock().clone()
    }

    /// The pod that runs here and serves.
    pub(super) fn pod(&self) -> Option<(GroundControl, Process)> {
        let instance = self.instance()?;
        let pod = instance.pod.filter(|pod| !pod.is_draining())?;
        instance.process.is_running().then_some((pod, instance.process))
    }

    /// Starts a pod, if none runs, and tries again until it comes up.
    pub(super) fn start(self: &Arc<Self>, world: &Arc<World>) {
        if self.running.lock().is_some() {
            return;
        }
        let number = {
            let mut started = self.started.lock();
            *started += 1;
            *started
        };
        let dice = Dice::new(world.seed, "process", ((self.index as u64) << 32) | number);
        let name = match world.parameters.names_stay {
            true => format!("pod-{}", self.index),
            false => format!("pod-{}-{number}", self.index),
        };
        let (process, error) = (Process::default(), world.parameters.clock_error);
        let clock = Arc::new(PodClock::new(world.time, error, offset(&dice, error)));
        let (name, lines) = (PodName::new(&name), Arc::default());
        let instance = Instance { process: process.clone(), pod: None, clock, name, lines };
        *self.running.lock() = Some(instance.clone());
        world.step(None, || format!("{self}: {} starts", instance.name));
        let come_up = self.clone().come_up(world.clone(), instance, dice);
        tokio::spawn(process.run(come_up));
    }

    async fn come_up(self: Arc<Self>, world: Arc<World>, instance: Instance, dice: Dice) {
        let process = instance.process.clone();
        let of_store = Dice::new(dice.number(0..=u64::MAX), "store", 0);
        let store = PodStore::new(world.clone(), self.clone(), process.clone(), of_store);
        let (store, entropy) = (Arc::new(store), Arc::new(dice));
        loop {
            let (entropy, tasks, objecting) = (entropy.clone(), process.clone(), world.clone());
            let pod = GroundControl::builder(
                store.clone(),
                Arc::new(world.memory.clone()),
                instance.clock.clone(),
                world.nudges.clone(),
            )
            .recurring_work(world.jobs.clone())
            .name(instance.name.clone())
            .liveness(world.parameters.liveness)
            .timing(Timing { drain_spread: Millis::new(500), ..Timing::default() })
            .entropy(Arc::new(move || Ok(entropy.bytes())))
            .run(Arc::new(move |task| run_task(&objecting, &tasks, task)))
            .start()
            .await;
            match pod {
                Ok(pod) => {
                    if let Some(running) = &mut *self.running.lock() {
                        running.pod = Some(pod.clone());
                    }
                    world.step(None, || format!("{self}: {} serves", pod.name()));
                    follower::stay(&world, &self, &pod, &process);
                    return;
                }
                Err(error) => {
                    world.step(None, || format!("{self}: could not start: {error}"));
                    sleep(Millis::from_secs(1).into()).await;
                }
            }
        }
    }

    /// An agent dials; none where nobody answers.
    pub(super) fn dial(self: &Arc<Self>, world: &Arc<World>, line: Arc<Line>, number: u64) -> bool {
        let Some(instance) = self.instance() else { return false };
        let Some(pod) = instance.pod else { return false };
        let mut lines = instance.lines.lock();
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(&line));
        drop(lines);
        let (clock, process) = (instance.clock, instance.process);
        let serve = socket::serve(world.clone(), self.clone(), pod, clock, line, number);
        tokio::spawn(process.run(serve));
        true
    }

    /// The process is killed; it comes back after a while.
    pub(super) fn crash(self: &Arc<Self>, world: &Arc<World>, process: &Process) {
        if process.is_dead() {
            return;
        }
        world.step(None, || format!("{self}: killed"));
        self.end(world, process);
        let (host, world) = (self.clone(), world.clone());
        let dice = Dice::new(world.seed, "restart", world.trace.count());
        let away = dice.about(world.parameters.between_faults);
        tokio::spawn(async move {
            sleep(away.into()).await;
            host.start(&world);
        });
    }

    fn end(&self, world: &Arc<World>, process: &Process) {
        process.kill();
        let Some(instance) = self.running.lock().take() else { return };
        self.open.lock().clear();
        world.judge.host_died(self.index);
        let dice = Dice::new(world.seed, "broken lines", world.trace.count());
        for line in instance.lines.lock().iter().filter_map(Weak::upgrade) {
            // The kernel resets the connections of a process that died; with the whole machine
            // they die unnoticed.
            if dice.percent(70) { line.reset() } else { line.die(true) }
        }
        world.nudges.forget();
    }

    /// The pod is drained, and started anew.
    pub(super) fn drain(self: &Arc<Self>, world: &Arc<World>, away: Millis) {
        let Some(instance) = self.instance() else { return };
        let Some(pod) = instance.pod.filter(|pod| !pod.is_draining()) else { return };
        world.step(None, || format!("{self}: {} drains", instance.name));
        let (host, world, process) = (self.clone(), world.clone(), instance.process);
        tokio::spawn(async move {
            let drained = timeout(DRAIN_ENDS.into(), process.run(async { pod.drain().await }));
            let ended = drained.await.is_ok();
            if !ended && world.judge.newest_event().is_some() && process.is_running() {
                let words = format!("{} drains for ever", pod.name());
                world.judge.object_to_delay(Property::NothingStuck, None, words);
            }
            if !process.is_dead() {
                world.step(None, || format!("{host}: {} ended", pod.name()));
                host.end(&world, &process);
                sleep(away.into()).await;
                host.start(&world);
            }
        });
    }

    /// The pod's clock is measured against the store again.
    pub(super) fn measure_clock(&self, world: &World, dice: &Dice) {
        if let Some(instance) = self.instance() {
            instance.clock.measured(offset(dice, world.parameters.clock_error));
        }
    }

    /// Forgets what runs here.
    pub(super) fn clear(&self) {
        *self.running.lock() = None;
    }
}

/// A task of a pod that panics is a violation, not the end of the run.
fn run_task(
    world: &Arc<World>,
    process: &Process,
    task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
) {
    let (world, task) = (world.clone(), process.run(task));
    tokio::spawn(async move {
        if std::panic::AssertUnwindSafe(task).catch_unwind().await.is_err() {
            let words = "a task of a pod panicked".to_owned();
            world.judge.object_to(Property::NoPanic, None, words);
        }
    });
}

fn offset(dice: &Dice, error: Millis) -> i64 {
    dice.number(0..=error.get() * 2) as i64 - error.as_i64()
}

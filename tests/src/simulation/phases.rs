//! The course of a run: things go wrong, then they work again, and everything must come right.

use std::sync::Arc;

use groundcontrol_core::connection::{LifecycleEvent, TransitionKind};
use groundcontrol_core::limits::{
    AUTHENTICATE_WITHIN, IDLE_LIMIT, IDLE_LIMIT_THRESHOLDS, RECONNECT_MOST,
};
use groundcontrol_core::satellite::SatelliteId;
use groundcontrol_core::time::Millis;
use groundcontrol_memory::MemoryStore;
use tokio::time::sleep;

use super::agent::Agent;
use super::desk::Operator;
use super::planted::PlantedBug;
use super::violation::Property;
use super::world::World;
use super::{audit, chaos, follower};

/// How often it is looked whether everything came right.
const LOOK: Millis = Millis::from_secs(1);
/// How many operators work at once.
const OPERATORS: u64 = 2;
/// How many subscribers come and go.
const ROAMING: u64 = 2;

/// Plays a whole run. Answers when it is over; what was wrong is with the judge.
pub(super) async fn play(world: &Arc<World>) {
    begin(world).await;
    sleep(world.parameters.faulty.into()).await;
    chaos::heal(world);
    let last = Operator::new(world, OPERATORS);
    last.let_settle().await;
    last.tidy_up().await;
    if !come_right(world).await {
        return;
    }
    stay_right(world).await;
    fall_silent(world).await;
}

async fn begin(world: &Arc<World>) {
    if world.planted == Some(PlantedBug::WatchNeverLapses) {
        tokio::spawn(watch_for_ever(world.clone()));
    }
    for host in &world.hosts {
        host.start(world);
        tokio::spawn(audit::read(world.clone(), host.clone()));
    }
    tokio::spawn(audit::collect(world.clone()));
    let first = Operator::new(world, OPERATORS + 1);
    for _ in 0..world.parameters.satellites {
        while !first.create().await {
            sleep(LOOK.into()).await;
        }
    }
    (0..OPERATORS).for_each(|number| drop(tokio::spawn(Operator::new(world, number).work())));
    (0..ROAMING).for_each(|number| drop(tokio::spawn(follower::roam(world.clone(), number))));
    tokio::spawn(chaos::rage(world.clone()));
}

/// A planted bug: the span of watching is kept alive by nobody.
async fn watch_for_ever(world: Arc<World>) {
    use groundcontrol_core::ports::SatelliteStore as _;
    use groundcontrol_core::satellite::PodName;
    let (nobody, lease) = (PodName::new("nobody"), world.parameters.liveness.lease());
    let memory: MemoryStore = world.memory.clone();
    loop {
        let _ = memory.renew_watch(&nobody, world.time.now(), lease).await;
        sleep(Millis::new(lease.get() / 3).into()).await;
    }
}

/// The longest that anything may take to come right: a half-open socket is noticed, its agent
/// backs off, and is held off by limits.
fn patience(world: &World) -> Millis {
    let longest = longest_threshold(world);
    let idle = IDLE_LIMIT.max(longest.times(IDLE_LIMIT_THRESHOLDS));
    idle + RECONNECT_MOST.times(3) + AUTHENTICATE_WITHIN.times(6) + Millis::from_secs(120)
}

fn longest_threshold(world: &World) -> Millis {
    let own = world.parameters.own_thresholds.iter().max().copied().unwrap_or(0);
    let liveness = world.parameters.liveness;
    liveness.default_threshold.max(liveness.heartbeat_interval.times(own))
}

/// Demands that everything comes right in time (P9, E3, nothing left behind, nothing stuck).
async fn come_right(world: &Arc<World>) -> bool {
    let begun = world.time.elapsed();
    loop {
        sleep(LOOK.into()).await;
        let waited = Millis::new(world.time.elapsed().get() - begun.get());
        // Until then an agent may still find out that nothing reaches it.
        if waited < IDLE_LIMIT + AUTHENTICATE_WITHIN {
            continue;
        }
        let Some((property, satellite, words)) = what_is_wrong(world) else { break };
        if waited > patience(world) {
            let words = format!("{words}; {waited} after everything worked again");
            world.judge.object_to_delay(property, satellite, words);
            return false;
        }
    }
    world.step(None, || "everything came right".to_owned());
    true
}

type Wrong = (Property, Option<SatelliteId>, String);

/// The first thing that is not as it must be, while everything works.
fn what_is_wrong(world: &World) -> Option<Wrong> {
    for host in &world.hosts {
        if host.pod().is_none() {
            return Some((Property::NothingStuck, None, format!("{host} does not serve")));
        }
    }
    let agents = world.agents();
    let wanted = || agents.iter().filter(|agent| agent.is_wanted());
    wanted()
        .find_map(|agent| not_connected(world, agent))
        .or_else(|| left_behind(world))
        .or_else(|| not_delivered(world))
}

/// P9: connected, online, and heard on the session that it has.
fn not_connected(world: &World, agent: &Agent) -> Option<Wrong> {
    let wrong = |words: &str| {
        Some((
            Property::Recovers,
            Some(agent.id),
            format!("{} {words}", world.judge.name(agent.id)),
        ))
    };
    let Some(stored) = world.judge.stored(agent.id) else { return wrong("does not exist") };
    if agent.beats().is_none_or(|beats| beats == 0) {
        return wrong("has not sent a heartbeat on an open session");
    }
    if stored.record.last_event != Some(LifecycleEvent::Connected) {
        return wrong("heartbeats and is not connected");
    }
    let now = world.time.now().minus(world.parameters.clock_error);
    match stored.status(now) {
        groundcontrol_core::connection::Status::Online => None,
        groundcontrol_core::connection::Status::Offline => wrong("heartbeats and is not online"),
    }
}

/// Sessions that a pod holds although the store says that they are over.
fn left_behind(world: &World) -> Option<Wrong> {
    for host in &world.hosts {
        let Some((pod, _)) = host.pod() else { continue };
        let open = host.open_sessions();
        for session in &open {
            let (satellite, epoch) = (session.satellite, session.epoch);
            let record = world.judge.stored(satellite).map(|stored| stored.record);
            let lives = record.as_ref().is_some_and(|record| {
                record.session == Some(session.session)
                    && record.last_event != Some(LifecycleEvent::Disconnected)
            });
            if !lives {
                let words = format!("{host} keeps a socket of epoch {epoch}, which is over");
                return Some((Property::NothingLeft, Some(satellite), words));
            }
        }
        if pod.session_count() != open.len() {
            let (counted, sockets) = (pod.session_count(), open.len());
            let words = format!("{host} counts {counted} sessions and has {sockets} sockets");
            return Some((Property::NothingLeft, None, words));
        }
    }
    None
}

/// E3: every recorded event was delivered to everybody who listens.
fn not_delivered(world: &World) -> Option<Wrong> {
    let newest = world.judge.newest_event();
    let behind = world.followers.all().into_iter().find(|follower| follower.reached < newest)?;
    let place = |cursor: Option<_>| {
        cursor
            .map_or("none".to_owned(), |at: groundcontrol_core::ports::EventCursor| at.to_string())
    };
    let (reached, newest) = (place(behind.reached), place(newest));
    let words = format!("{} was told up to {reached}, recorded is {newest}", behind.name);
    Some((Property::Delivered, None, words))
}

/// Demands that nothing changes while everybody heartbeats.
async fn stay_right(world: &Arc<World>) {
    let before: Vec<_> = edges(world);
    sleep((longest_threshold(world) + Millis::from_secs(2)).into()).await;
    for ((id, before), (_, after)) in before.into_iter().zip(edges(world)) {
        if before != after {
            let words = format!(
                "{} changed although it heartbeats and everything works: {:?}",
                world.judge.name(id),
                after.1
            );
            world.judge.object_to_delay(Property::Recovers, Some(id), words);
        }
    }
}

type Edges = (usize, Option<(TransitionKind, groundcontrol_core::satellite::Epoch)>);

fn edges(world: &World) -> Vec<(SatelliteId, Edges)> {
    let satellites = world.judge.satellites();
    satellites.into_iter().map(|id| (id, world.judge.last_edge(id))).collect()
}

/// Half of the satellites fall silent: each is lost once (P4), in time, and comes back by its
/// first heartbeat (T3).
async fn fall_silent(world: &Arc<World>) {
    let longest = longest_threshold(world);
    let agents = world.agents();
    let silent: Vec<_> = agents.iter().filter(|agent| agent.is_wanted()).step_by(2).collect();
    let before: Vec<_> = silent.iter().map(|agent| world.judge.last_edge(agent.id).0).collect();
    for agent in &silent {
        world.step_of(agent.id, || "agent falls silent".to_owned());
        agent.be_silent(longest.times(3) + Millis::from_secs(10));
    }
    let settle = Millis::new(250 + 2 * world.parameters.clock_error.get());
    sleep((longest.times(2) + settle + Millis::from_secs(3)).into()).await;
    expect(world, &silent, &before, 1, LifecycleEvent::HeartbeatLost);
    sleep((longest.times(2) + Millis::from_secs(10)).into()).await;
    expect(world, &silent, &before, 2, LifecycleEvent::Connected);
}

fn expect(
    world: &World,
    agents: &[&Arc<Agent>],
    before: &[usize],
    more: usize,
    event: LifecycleEvent,
) {
    for (agent, before) in agents.iter().zip(before) {
        let (edges, last) = world.judge.last_edge(agent.id);
        let kind = last.map(|(kind, _)| kind);
        if edges != before + more || kind != Some(TransitionKind::Edge(event)) {
            let words = format!(
                "{} fell silent on an open session; {} edges followed, the last {kind:?}, and not \
                 {more}, the last {event}",
                world.judge.name(agent.id),
                edges - before
            );
            world.judge.object_to_delay(Property::Once, Some(agent.id), words);
        }
    }
}

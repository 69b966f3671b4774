//! What goes wrong with pods, the store as a whole, and satellites.

use std::sync::Arc;

use groundcontrol_core::time::Millis;
use tokio::time::sleep;

use super::agent::Agent;
use super::dice::Dice;
use super::faults::Outage;
use super::host::Host;
use super::world::World;

/// Things go wrong, one after the other, until the world calms down.
pub(super) async fn rage(world: Arc<World>) {
    let dice = Dice::new(world.seed, "chaos", 0);
    loop {
        sleep(dice.about(world.parameters.between_faults).into()).await;
        if !world.is_stormy() {
            return;
        }
        match dice.number(0..=9) {
            0..=2 => harm_pod(&world, &dice),
            3 | 4 => harm_store(&world, &dice),
            5 => harm_everything(&world, &dice),
            _ => harm_satellite(&world, &dice),
        }
    }
}

/// A span that is often within a threshold and sometimes well beyond.
fn span(world: &World, dice: &Dice) -> Millis {
    let threshold = world.parameters.liveness.default_threshold;
    dice.about(threshold) + Millis::new(1)
}

fn harm_pod(world: &Arc<World>, dice: &Dice) {
    let Some(host) = dice.pick(&world.hosts) else { return };
    let Some(instance) = host.instance() else { return };
    let span = span(world, dice);
    match dice.number(0..=4) {
        0 => host.crash(world, &instance.process),
        1 | 2 => pause(world, host, span),
        3 => host.drain(world, span),
        _ => host.measure_clock(world, dice),
    }
}

fn pause(world: &Arc<World>, host: &Arc<Host>, span: Millis) {
    let Some(instance) = host.instance().filter(|instance| instance.process.is_running()) else {
        return;
    };
    world.step(None, || format!("{host}: {} is stopped for {span}", instance.name));
    instance.process.pause();
    let (world, host) = (world.clone(), host.clone());
    tokio::spawn(async move {
        sleep(span.into()).await;
        world.step(None, || format!("{host}: {} goes on", instance.name));
        host.faults.trouble();
        instance.process.resume();
    });
}

fn harm_store(world: &World, dice: &Dice) {
    let Some(host) = dice.pick(&world.hosts) else { return };
    break_store(world, dice, host, span(world, dice));
}

fn break_store(world: &World, dice: &Dice, host: &Host, span: Millis) {
    let outage = dice.choose([Outage::Away, Outage::Away, Outage::Stalled, Outage::Full]);
    world.step(None, || format!("{host}: its store is {outage:?} for {span}"));
    host.faults.begin(outage, span);
}

/// All pods at once.
fn harm_everything(world: &Arc<World>, dice: &Dice) {
    let (kind, span) = (dice.number(0..=3), span(world, dice));
    for host in &world.hosts {
        match kind {
            0 => break_store(world, dice, host, span),
            1 => pause(world, host, span),
            2 => {
                if let Some(instance) = host.instance() {
                    host.crash(world, &instance.process);
                }
            }
            _ => host.drain(world, dice.about(Millis::from_secs(5))),
        }
    }
}

fn harm_satellite(world: &Arc<World>, dice: &Dice) {
    let agents = world.agents();
    let Some(agent) = dice.pick(&agents).filter(|agent| agent.is_wanted()) else { return };
    let span = span(world, dice);
    match dice.number(0..=9) {
        0 | 1 => {
            world.step_of(agent.id, || format!("agent is silent for {span}"));
            agent.be_silent(span);
        }
        2 | 3 => just_late(world, dice, agent),
        4 | 5 => {
            world.step_of(agent.id, || format!("agent is cut off for {span}"));
            agent.cut_off(span);
        }
        6 => agent.redial(),
        7 => {
            world.step_of(agent.id, || format!("agent is stopped for {span}"));
            agent.pause(true);
            let agent = agent.clone();
            tokio::spawn(async move {
                sleep(span.into()).await;
                agent.pause(false);
            });
        }
        8 => {
            world.step_of(agent.id, || "agent is killed".to_owned());
            agent.kill();
            let (agent, world) = (agent.clone(), world.clone());
            tokio::spawn(async move {
                sleep(span.into()).await;
                if agent.is_dead() {
                    agent.launch(&world);
                }
            });
        }
        _ => rush(world, agent),
    }
}

/// The next heartbeat comes just when the loss is recorded.
fn just_late(world: &World, dice: &Dice, agent: &Agent) {
    let Some(stored) = world.judge.stored(agent.id) else { return };
    let settle = 250 + 2 * world.parameters.clock_error.get();
    let span = stored.threshold + dice.span(0..=2 * settle + 50);
    world.step_of(agent.id, || format!("agent sends its next heartbeat after {span}"));
    agent.be_silent(span);
}

/// Closes and dials again a few times in a row.
fn rush(world: &Arc<World>, agent: &Arc<Agent>) {
    world.step_of(agent.id, || "agent comes and goes".to_owned());
    let agent = agent.clone();
    tokio::spawn(async move {
        for _ in 0..5 {
            agent.redial();
            sleep(Millis::from_secs(2).into()).await;
        }
    });
}

/// Everything works again; pods that are down come up.
pub(super) fn heal(world: &Arc<World>) {
    world.step(None, || "everything works again".to_owned());
    world.calm_down();
    for host in &world.hosts {
        host.faults.heal();
        if let Some(instance) = host.instance() {
            instance.process.resume();
        }
        host.start(world);
    }
    for agent in world.agents() {
        if agent.is_twin {
            agent.want(false);
        }
        agent.heal(world);
    }
}

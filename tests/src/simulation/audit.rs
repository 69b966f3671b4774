//! Somebody who reads every satellite's status on every pod, again and again.

use std::sync::Arc;

use groundcontrol_core::connection::Status;
use groundcontrol_core::limits::FLUSH_BOUND;
use groundcontrol_core::ports::{FleetService as _, ListQuery};
use groundcontrol_core::time::Millis;
use tokio::time::sleep;

use super::dice::Dice;
use super::host::Host;
use super::violation::Property;
use super::world::World;

/// A heartbeat that a pod took is stored within the flush bound, two attempts after a failure,
/// and what calls take when they are only a little slow.
const STORED_WITHIN: Millis = FLUSH_BOUND.times(20);

/// Reads on `host` until the run ends.
pub(super) async fn read(world: Arc<World>, host: Arc<Host>) {
    let dice = Dice::new(world.seed, "audit", host.index as u64);
    let often = world.parameters.liveness.heartbeat_interval.get();
    loop {
        sleep(dice.span(often / 4..=often * 5).into()).await;
        let Some((pod, process)) = host.pod() else { continue };
        let before = world.judge.knowledge();
        let query = ListQuery { limit: 1_000, ..ListQuery::default() };
        if dice.percent(50) {
            if let Some(Ok(page)) = process.run(pod.list(query)).await {
                for view in page {
                    let id = view.stored.satellite.id;
                    world.judge.told(pod.name().as_str(), &before, id, view.status);
                }
            }
        } else if let Some(Ok(online)) = process.run(pod.online_ids()).await {
            for id in world.judge.satellites() {
                let status = if online.contains(&id) { Status::Online } else { Status::Offline };
                world.judge.told(pod.name().as_str(), &before, id, status);
            }
        }
    }
}

/// Looks for heartbeats that were taken and are not stored.
pub(super) async fn collect(world: Arc<World>) {
    let often = world.parameters.liveness.heartbeat_interval.get().min(4_000);
    loop {
        sleep(Millis::new(often / 2).into()).await;
        for owed in world.judge.owed(STORED_WITHIN) {
            let Some(host) = world.hosts.get(owed.host) else { continue };
            let running = host.instance().is_some_and(|pod| pod.process.is_running());
            let ever = world.time.elapsed();
            if running && host.faults.well_for(ever) > STORED_WITHIN {
                let words = format!(
                    "{host} took a heartbeat at {} and has not stored it, although its store \
                     worked for {STORED_WITHIN}",
                    owed.received
                );
                world.judge.object_to(Property::Stored, Some(owed.satellite), words);
            }
        }
    }
}

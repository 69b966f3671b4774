//! Nobody watching is not healthy: what is on record of checks that no satellite can run.

mod common;

use std::time::Duration;

use common::work::{assign, named, selected};
use common::{Satellite, World, connect, create};
use groundcontrol::pod::GroundControl;
use groundcontrol_core::assignment::Assignment;
use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::{
    Clock as _, LatestQuery, RunQuery, SatelliteGateway as _, WorkService as _,
};
use groundcontrol_core::run::{ReportedRun, RunStatus, StoredRun};
use tokio::time::sleep;

/// The interval of the checks here.
const INTERVAL: Duration = Duration::from_secs(60);
/// Longer than it takes to look and to keep what was found.
const LOOK: Duration = Duration::from_secs(6);

async fn kept(pod: &GroundControl) -> Vec<StoredRun> {
    let all = RunQuery { limit: 1_000, ..RunQuery::default() };
    pod.runs(all).await.expect("the runs are listed")
}

/// From whom the runs are, oldest first.
async fn sources(pod: &GroundControl) -> Vec<String> {
    let mut kept = kept(pod).await;
    kept.reverse();
    kept.into_iter().map(|stored| stored.source).collect()
}

fn report(world: &World, satellite: &Satellite, assignment: &Assignment) {
    let run = ReportedRun {
        check: assignment.check,
        system: assignment.system,
        environment: None,
        status: RunStatus::Healthy,
        latency_ms: None,
        result: None,
        executed_at: world.clock.now(),
        result_id: None,
    };
    satellite.pod.reported(satellite.session, run);
}

#[tokio::test(start_paused = true)]
async fn while_all_assigned_satellites_are_offline_each_interval_has_one_degraded_run() {
    let world = World::new();
    let pod = world.pod("a").await;
    let ids = [create(&pod, "one").await, create(&pod, "two").await];
    let ids = ids.map(|created| created.view.stored.satellite.id);
    let assignment = assign(&pod, "x", named(&ids)).await;
    sleep(INTERVAL - LOOK).await;
    assert_eq!(kept(&pod).await, [], "one interval is the chance that a satellite has");
    sleep(LOOK + LOOK).await;
    assert_eq!(kept(&pod).await.len(), 1);
    sleep(9 * INTERVAL).await;
    let kept = kept(&pod).await;
    assert_eq!(kept.len(), 10);
    for (newer, older) in kept.iter().zip(kept.iter().skip(1)) {
        let between = newer.run.executed_at.since(older.run.executed_at);
        assert_eq!(between, INTERVAL.into());
    }
    let one = &kept[0];
    assert_eq!((one.run.check, one.run.system), (assignment.check, assignment.system));
    assert_eq!((one.source.as_str(), one.satellite), ("ground-control", None));
    assert_eq!(one.run.status, RunStatus::Degraded);
    let said = one.run.result.as_ref().unwrap().as_str();
    assert!(said.contains("No assigned satellite is online"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_selector_that_selects_nobody_is_nobody_too() {
    let world = World::new();
    let pod = world.pod("a").await;
    connect(&pod, &create(&pod, "one").await).await;
    assign(&pod, "x", selected("lab")).await;
    sleep(INTERVAL + LOOK).await;
    let kept = kept(&pod).await;
    let said = kept[0].run.result.as_ref().unwrap().as_str();
    assert!(said.contains("No satellite is assigned"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn it_begins_an_interval_after_the_last_result_and_ends_with_the_first() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let assignment = assign(&pod, "x", named(&[created.view.stored.satellite.id])).await;
    let satellite = connect(&pod, &created).await;
    satellite.beat_for(2 * INTERVAL).await;
    report(&world, &satellite, &assignment);
    // Until the result is kept.
    sleep(Duration::from_secs(1)).await;
    satellite.close(CloseReason::ConnectionLost).await;
    sleep(INTERVAL - LOOK).await;
    assert_eq!(sources(&pod).await, ["one (eu)"], "offline for less than an interval");
    sleep(LOOK + LOOK).await;
    assert_eq!(sources(&pod).await, ["one (eu)", "ground-control"]);
    let satellite = connect(&pod, &created).await;
    report(&world, &satellite, &assignment);
    satellite.beat_for(3 * INTERVAL).await;
    assert_eq!(sources(&pod).await, ["one (eu)", "ground-control", "one (eu)"]);
}

#[tokio::test(start_paused = true)]
async fn while_one_satellite_is_online_nothing_is_said_for_it() {
    let world = World::new();
    let pod = world.pod("a").await;
    let (here, away) = (create(&pod, "here").await, create(&pod, "away").await);
    let ids = [&here, &away].map(|created| created.view.stored.satellite.id);
    assign(&pod, "x", named(&ids)).await;
    connect(&pod, &here).await.beat_for(4 * INTERVAL).await;
    assert_eq!(kept(&pod).await, []);
}

#[tokio::test(start_paused = true)]
async fn pods_that_all_look_at_once_keep_one_run_an_interval() {
    let world = World::new();
    // Without a queue each pod does every job by itself.
    let pods = [world.pod("a").await, world.pod("b").await, world.pod("c").await];
    assign(&pods[0], "x", named(&[])).await;
    sleep(5 * INTERVAL + LOOK).await;
    assert_eq!(kept(&pods[0]).await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn after_a_pod_has_gone_another_goes_on() {
    let world = World::new();
    let first = world.pod("a").await;
    assign(&first, "x", named(&[])).await;
    sleep(2 * INTERVAL + LOOK).await;
    let second = world.pod("b").await;
    first.drain().await;
    sleep(2 * INTERVAL).await;
    assert_eq!(kept(&second).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_reported_while_ground_control_was_away_is_not_held_against_anybody() {
    let world = World::new();
    let pod = world.pod("a").await;
    assign(&pod, "x", named(&[])).await;
    pod.drain().await;
    sleep(10 * INTERVAL).await;
    let back = world.pod("b").await;
    sleep(INTERVAL - LOOK).await;
    assert_eq!(kept(&back).await, [], "satellites have an interval to come back");
    sleep(LOOK + LOOK).await;
    assert_eq!(kept(&back).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_unwatched_checks_cost_a_bounded_number_of_writes() {
    let world = World::new();
    let pod = world.pod("a").await;
    for number in 0..1_200 {
        assign(&pod, &format!("x{number}"), named(&[])).await;
    }
    let (before, _) = world.work.calls();
    sleep(INTERVAL + LOOK).await;
    let (after, _) = world.work.calls();
    assert_eq!(kept_of_all(&pod).await, 1_200);
    assert_eq!(after - before, 2, "calls that keep runs: one for each thousand");
}

async fn kept_of_all(pod: &GroundControl) -> usize {
    let all = RunQuery { limit: 10_000, ..RunQuery::default() };
    pod.runs(all).await.expect("the runs are listed").len()
}

#[tokio::test(start_paused = true)]
async fn the_latest_runs_show_what_ground_control_says_beside_the_last_result() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let assignment = assign(&pod, "x", named(&[created.view.stored.satellite.id])).await;
    let satellite = connect(&pod, &created).await;
    report(&world, &satellite, &assignment);
    satellite.close(CloseReason::ClientClosed).await;
    sleep(3 * INTERVAL).await;
    let query =
        LatestQuery { system: Some(assignment.system), limit: 10, ..LatestQuery::default() };
    let latest = pod.latest_runs(query).await.unwrap();
    let sources: Vec<_> = latest.iter().map(|stored| stored.source.as_str()).collect();
    assert_eq!(sources, ["ground-control", "one (eu)"]);
    assert!(latest[0].run.executed_at > latest[1].run.executed_at);
}

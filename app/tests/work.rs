//! Satellites are told what to run: when they come, and when it changes.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::work::{assign, check, named, selected};
use common::{Deaf, Satellite, World, actor, attempt, connect, create, try_connect};
use groundcontrol_core::assignment::{Configured, Json, Revision};
use groundcontrol_core::ports::{
    AssignmentUpdate, Authentication, CheckUpdate, EventFeed, FeedItem, FleetError,
    FleetService as _, Order, SatelliteGateway as _, SatellitePatch, SatelliteUpdate, Signal,
    SystemRequest, WorkService as _,
};
use groundcontrol_core::satellite::{SatelliteId, Tags};
use tokio::time::{Instant, sleep, timeout};

/// What a satellite was pushed since it connected, as revision and number of pairs.
fn pushed(satellite: &Satellite) -> Vec<(u64, usize)> {
    let push = |order| match order {
        Order::Configure(Configured { configuration, revision, .. }) => {
            Some((revision.0, configuration.assigned().len()))
        }
        _ => None,
    };
    satellite.orders.all().into_iter().filter_map(push).collect()
}

#[tokio::test(start_paused = true)]
async fn a_satellite_that_comes_is_told_its_work_and_the_policy() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let id = created.view.stored.satellite.id;
    assign(&pod, "x", named(&[id])).await;
    pod.set_sandbox_policy(Json::trusted("{\"a\":1}")).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let answer = pod.authenticate(attempt(&id.to_string(), &created.token, &Arc::default())).await;
    let Authentication::Accepted(welcome) = answer else { panic!("{answer:?}") };
    let told = welcome.configured.unwrap();
    assert_eq!((told.revision, told.configuration.assigned().len()), (Revision(1), 1));
    assert_eq!(welcome.sandbox_policy, Some(Json::trusted("{\"a\":1}")));
}

#[tokio::test(start_paused = true)]
async fn a_change_reaches_those_that_it_concerns_on_every_pod_within_a_second_and_no_other() {
    let world = World::new();
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let mut satellites = Vec::new();
    for (number, pod) in [&here, &there, &here, &there].into_iter().enumerate() {
        satellites.push(connect(pod, &create(&here, &format!("s{number}")).await).await);
    }
    let begun = Instant::now();
    let target = named(&[satellites[0].id(), satellites[1].id()]);
    let made = assign(&here, "x", target).await;
    world
        .until(|| async { pushed(&satellites[0]).len() + pushed(&satellites[1]).len() == 2 })
        .await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    there.remove_assignment(made.id).await.unwrap();
    sleep(Duration::from_secs(300)).await;
    let all: Vec<_> = satellites.iter().map(pushed).collect();
    assert_eq!(all, [vec![(1, 1), (2, 0)], vec![(1, 1), (2, 0)], vec![], vec![]]);
}

#[tokio::test(start_paused = true)]
async fn one_change_for_many_satellites_reads_a_handful_of_times() {
    let world = World::new();
    let pod = world.pod("a").await;
    let mut satellites = Vec::new();
    for number in 0..2_000 {
        satellites.push(connect(&pod, &create(&pod, &format!("s{number}")).await).await);
    }
    let made = assign(&pod, "x", selected("")).await;
    world.until(|| async { satellites.iter().all(|one| pushed(one).len() == 1) }).await;
    let before = world.work.calls();
    let update = CheckUpdate { name: Some("renamed".parse().unwrap()), ..Default::default() };
    pod.update_check(made.check, update).await.unwrap();
    world.until(|| async { satellites.iter().all(|one| pushed(one).len() == 2) }).await;
    let after = world.work.calls();
    assert_eq!((after.0 - before.0, after.1 - before.1), (2, 1));
    let told = |one: &Satellite| match one.orders.all().pop() {
        Some(Order::Configure(configured)) => configured.configuration,
        other => panic!("{other:?}"),
    };
    assert!(Arc::ptr_eq(&told(&satellites[0]), &told(&satellites[1_999])), "no copy is shared");
}

#[tokio::test(start_paused = true)]
async fn a_satellite_that_is_tagged_later_gets_the_work() {
    let world = World::new();
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let satellite = connect(&there, &create(&here, "one").await).await;
    assign(&here, "x", selected("tier in (edge, core), !lab")).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(pushed(&satellite), []);
    for (tags, expected) in [
        (vec![("tier", "edge")], vec![(1, 1)]),
        (vec![("tier", "edge"), ("lab", "")], vec![(1, 1), (2, 0)]),
    ] {
        let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let tags = Some(Tags::new(tags.collect()).unwrap());
        let update = SatelliteUpdate { tags, ..SatelliteUpdate::default() };
        let patch = SatellitePatch { update, ..SatellitePatch::default() };
        here.update(satellite.id(), patch, actor()).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(pushed(&satellite), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn where_work_cannot_be_read_a_satellite_is_put_off_before_anything_is_recorded() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let id = created.view.stored.satellite.id;
    world.work.set_away(true);
    assert_eq!(try_connect(&pod, id, &created.token).await, Authentication::Unavailable);
    assert_eq!(world.edges(id).await, [""; 0]);
    world.work.set_away(false);
    connect(&pod, &created).await;
}

#[tokio::test(start_paused = true)]
async fn a_push_waits_for_the_store_and_is_never_empty_in_between() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let made = assign(&pod, "x", named(&[created.view.stored.satellite.id])).await;
    let satellite = connect(&pod, &created).await;
    world.work.set_away(true);
    let update = CheckUpdate { name: Some("renamed".parse().unwrap()), ..Default::default() };
    pod.update_check(made.check, update).await.unwrap();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(pushed(&satellite), []);
    world.work.set_away(false);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(pushed(&satellite), [(2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_nudge_is_made_good_by_the_comparison() {
    let mut world = World::new();
    world.broadcast = Arc::new(Deaf);
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let satellite = connect(&there, &create(&here, "one").await).await;
    assign(&here, "x", named(&[satellite.id()])).await;
    here.set_sandbox_policy(Json::empty_object()).await.unwrap();
    sleep(Duration::from_secs(61)).await;
    assert_eq!(pushed(&satellite), [(1, 1)]);
    assert!(satellite.was_ordered(&Order::SandboxPolicy(Json::empty_object())));
}

/// The satellites that a stream says were told another configuration, until it says no more.
async fn reconfigured(feed: &mut Box<dyn EventFeed>) -> BTreeSet<SatelliteId> {
    let mut heard = BTreeSet::new();
    while let Ok(Some(item)) = timeout(Duration::from_secs(5), feed.next()).await {
        if let FeedItem::Signal(Signal::ConfigChanged { satellite }) = item {
            heard.insert(satellite);
        }
    }
    heard
}

#[tokio::test(start_paused = true)]
async fn streams_of_every_pod_hear_whose_work_changed_also_where_it_concerns_a_whole_fleet() {
    let world = World::new();
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let mut satellites = Vec::new();
    for number in 0..1_500 {
        let created = create(&here, &format!("s{number}")).await;
        let pod = if number % 3 == 0 { &here } else { &there };
        satellites.push(connect(pod, &created).await);
    }
    let mut feeds = [here.events(None).await.unwrap(), there.events(None).await.unwrap()];
    for feed in &mut feeds {
        reconfigured(feed).await;
    }
    let all: BTreeSet<_> = satellites.iter().map(Satellite::id).collect();
    let made = assign(&here, "x", selected("")).await;
    for feed in &mut feeds {
        assert!(reconfigured(feed).await == all, "a stream did not hear of all");
    }
    let some = named(&[satellites[0].id(), satellites[1].id()]);
    let update = AssignmentUpdate { target: Some(some), ..AssignmentUpdate::default() };
    there.update_assignment(made.id, update).await.unwrap();
    let rest: BTreeSet<_> = satellites[2..].iter().map(Satellite::id).collect();
    for feed in &mut feeds {
        assert!(reconfigured(feed).await == rest, "a stream heard of others than those concerned");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_agent_runs_is_shown_as_it_lags() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    let shown = || async {
        let work = pod.get(satellite.id()).await.unwrap().work.unwrap();
        (work.revision.0, work.applied.map(|revision| revision.0))
    };
    assert_eq!(shown().await, (0, None));
    assign(&pod, "x", named(&[satellite.id()])).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(shown().await, (1, None));
    // One that it was never told is not believed.
    pod.applied(satellite.session, Revision(2));
    pod.applied(satellite.session, Revision(1));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(shown().await, (1, Some(1)));
}

#[tokio::test(start_paused = true)]
async fn without_work_a_satellite_that_comes_costs_two_reads_and_no_write() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let before = world.work.calls();
    connect(&pod, &created).await;
    let after = world.work.calls();
    assert_eq!((after.0 - before.0, after.1 - before.1), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_policy_reaches_the_sockets_of_all_pods() {
    let world = World::new();
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let one = connect(&here, &create(&here, "one").await).await;
    let two = connect(&there, &create(&here, "two").await).await;
    let policy = Json::trusted("{\"network\":true}");
    here.set_sandbox_policy(policy.clone()).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    for satellite in [one, two] {
        assert!(satellite.was_ordered(&Order::SandboxPolicy(policy.clone())));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_says_which_field_is_at_fault() {
    let world = World::new();
    let pod = world.pod("a").await;
    let made = check(&pod, "x").await;
    let (name, metadata) = ("x".parse().unwrap(), Json::empty_object());
    let twice = SystemRequest { name, metadata, managed_by: None };
    let system = pod.create_system(twice.clone()).await.unwrap();
    let taken = FleetError::NameTaken { what: "system", name: "x".into() };
    assert_eq!(pod.create_system(twice).await, Err(taken));
    pod.remove_check(made.id).await.unwrap();
    assert_eq!(pod.remove_check(made.id).await, Err(FleetError::NotFound { what: "check" }));
    let request = groundcontrol_core::ports::AssignmentRequest {
        check: made.id,
        system: system.id,
        target: selected(""),
        managed_by: None,
    };
    let Err(FleetError::Invalid(faults)) = pod.create_assignment(request).await else {
        panic!("an assignment of no check");
    };
    assert_eq!(faults[0].pointer, "/checkId");
}

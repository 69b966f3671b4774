//! What operators change, whichever pod they ask and whichever holds the socket (T7, T8), and
//! the events that follow (E1–E4).

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{Deaf, World, actor, connect, create, status, try_connect};
use groundcontrol_core::connection::{
    CloseReason, EventKind, Fence, LifecycleEvent, Reason, Status,
};
use groundcontrol_core::ports::{
    Authentication, Clock as _, EventCursor, EventFeed, FeedItem, FleetError, FleetService as _,
    Order, SatellitePatch, SatelliteUpdate, Scope, Signal,
};
use groundcontrol_core::time::Millis;
use tokio::time::{sleep, timeout};

const REFUSED: Authentication = Authentication::Refused { reason: "Invalid client ID or token" };

fn was_shut_down(satellite: &common::Satellite) -> bool {
    satellite.orders.all().iter().any(|order| matches!(order, Order::Shutdown { .. }))
}

#[tokio::test(start_paused = true)]
async fn rotating_without_overlap_ends_the_session_on_whichever_pod_and_the_old_token() {
    let world = World::new();
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let created = create(&here, "one").await;
    let satellite = connect(&there, &created).await;
    let rotated = here.rotate_token(satellite.id(), None, actor()).await.unwrap();
    world.until(|| async { was_shut_down(&satellite) }).await;
    assert_eq!(try_connect(&here, satellite.id(), &created.token).await, REFUSED);
    connect(&here, &rotated).await;
    let history = world.history(satellite.id()).await;
    assert_eq!(
        world.edges(satellite.id()).await,
        ["connected/authenticated", "disconnected/revoked", "connected/authenticated"]
    );
    assert_eq!(history[1].actor, Some(actor()));
}

#[tokio::test(start_paused = true)]
async fn with_overlap_both_tokens_work_and_only_a_session_on_the_old_one_ends_with_it() {
    let world = World::new();
    let pod = world.pod("a").await;
    let (old_session, new_session) = (create(&pod, "old").await, create(&pod, "new").await);
    let overlap = Some(Millis::from_secs(20));
    let id = |c: &groundcontrol_core::ports::Created| c.view.stored.satellite.id;
    let on_old = connect(&pod, &old_session).await;
    pod.rotate_token(id(&old_session), overlap, actor()).await.unwrap();
    let rotated = pod.rotate_token(id(&new_session), overlap, actor()).await.unwrap();
    let on_new = connect(&pod, &rotated).await;
    assert!(matches!(
        try_connect(&pod, id(&old_session), &old_session.token).await,
        Authentication::Accepted(_)
    ));
    on_old.beat();
    on_new.beat();
    world.edge(id(&old_session), LifecycleEvent::Disconnected).await;
    assert_eq!(status(&pod, id(&new_session)).await, Status::Online);
    assert_eq!(try_connect(&pod, id(&new_session), &new_session.token).await, REFUSED);
}

#[tokio::test(start_paused = true)]
async fn disabling_revokes_and_refuses_until_it_is_enabled_again() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let satellite = connect(&pod, &created).await;
    let enabled = |enabled| SatellitePatch { enabled: Some(enabled), ..Default::default() };
    pod.update(satellite.id(), enabled(false), actor()).await.unwrap();
    world.until(|| async { was_shut_down(&satellite) }).await;
    assert_eq!(try_connect(&pod, satellite.id(), &created.token).await, REFUSED);
    pod.update(satellite.id(), enabled(true), actor()).await.unwrap();
    connect(&pod, &created).await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_satellite_is_shut_down_and_gone_and_its_last_event_is_told() {
    let world = World::new();
    let pod = world.pod("a").await;
    let mut feed = pod.events(None).await.unwrap();
    let created = create(&pod, "one").await;
    let satellite = connect(&pod, &created).await;
    pod.remove(satellite.id(), actor()).await.unwrap();
    world.until(|| async { was_shut_down(&satellite) }).await;
    satellite.close(CloseReason::ClientClosed).await;
    let gone = FleetError::NotFound { what: "satellite" };
    assert_eq!(pod.get(satellite.id()).await, Err(gone.clone()));
    assert_eq!(pod.remove(satellite.id(), actor()).await, Err(gone));
    assert_eq!(try_connect(&pod, satellite.id(), &created.token).await, REFUSED);
    assert_eq!(kinds(&mut feed, 2).await, [EventKind::Connected, EventKind::Removed]);
    create(&pod, "one").await;
}

#[tokio::test(start_paused = true)]
async fn when_every_nudge_is_lost_the_next_heartbeat_tells_a_dead_session() {
    let mut world = World::new();
    world.broadcast = std::sync::Arc::new(Deaf);
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let [taken, revoked, removed] =
        [create(&here, "1").await, create(&here, "2").await, create(&here, "3").await];
    let (on_taken, on_revoked, on_removed) = (
        connect(&there, &taken).await,
        connect(&there, &revoked).await,
        connect(&there, &removed).await,
    );
    connect(&here, &taken).await;
    here.rotate_token(on_revoked.id(), None, actor()).await.unwrap();
    here.remove(on_removed.id(), actor()).await.unwrap();
    for satellite in [&on_taken, &on_revoked, &on_removed] {
        assert!(satellite.orders.all().is_empty());
        satellite.beat();
    }
    let fenced = |fence| Order::Fenced(fence);
    world.until(|| async { on_taken.was_ordered(&fenced(Fence::Superseded)) }).await;
    world.until(|| async { on_revoked.was_ordered(&fenced(Fence::Closed)) }).await;
    world.until(|| async { on_removed.was_ordered(&fenced(Fence::Gone)) }).await;
}

#[tokio::test(start_paused = true)]
async fn when_every_nudge_is_lost_streams_and_monitors_look_by_themselves() {
    let mut world = World::new();
    world.broadcast = std::sync::Arc::new(Deaf);
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let mut stream = there.events(None).await.unwrap();
    let satellite = connect(&here, &create(&here, "one").await).await;
    assert_eq!(kinds(&mut stream, 1).await, [EventKind::Connected]);
    let patch = SatellitePatch {
        offline_threshold: Some(Some(Millis::from_secs(30))),
        ..Default::default()
    };
    there.update(satellite.id(), patch, actor()).await.unwrap();
    // They slept towards the old threshold of 45 s, but never longer than a heartbeat interval.
    sleep(Duration::from_secs(31)).await;
    assert_eq!(world.edges(satellite.id()).await.len(), 2);
    assert_eq!(kinds(&mut stream, 1).await, [EventKind::HeartbeatLost]);
}

#[tokio::test(start_paused = true)]
async fn two_pods_record_one_loss_and_both_tell_it_once() {
    let world = World::new();
    let (a, b) = (world.pod("a").await, world.pod("b").await);
    let (mut from_a, mut from_b) = (a.events(None).await.unwrap(), b.events(None).await.unwrap());
    let satellite = connect(&a, &create(&a, "one").await).await;
    sleep(Duration::from_secs(120)).await;
    let wanted = [EventKind::Connected, EventKind::HeartbeatLost];
    assert_eq!(kinds(&mut from_a, 2).await, wanted);
    assert_eq!(kinds(&mut from_b, 2).await, wanted);
    assert_eq!(world.edges(satellite.id()).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lower_threshold_counts_from_the_next_look_and_reaches_the_socket() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    let patch = SatellitePatch {
        offline_threshold: Some(Some(Millis::from_secs(30))),
        ..Default::default()
    };
    pod.update(satellite.id(), patch, actor()).await.unwrap();
    let told = Order::Threshold(Millis::from_secs(30));
    world.until(|| async { satellite.was_ordered(&told) }).await;
    sleep(Duration::from_secs(31)).await;
    assert_eq!(world.edges(satellite.id()).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_threshold_below_two_intervals_is_refused_by_field() {
    let world = World::new();
    let pod = world.pod("a").await;
    let id = create(&pod, "one").await.view.stored.satellite.id;
    let patch =
        SatellitePatch { offline_threshold: Some(Some(Millis::new(29_999))), ..Default::default() };
    let Err(FleetError::Invalid(errors)) = pod.update(id, patch, actor()).await else {
        panic!("refused as invalid");
    };
    assert_eq!(errors[0].pointer, "/offlineThresholdMs");
}

#[tokio::test(start_paused = true)]
async fn a_name_belongs_to_one_satellite() {
    let world = World::new();
    let pod = world.pod("a").await;
    create(&pod, "one").await;
    let two = create(&pod, "two").await.view.stored.satellite.id;
    let update = SatelliteUpdate { name: "one".parse().ok(), ..Default::default() };
    let patch = SatellitePatch { update, ..Default::default() };
    let taken = FleetError::NameTaken { what: "satellite", name: "one".into() };
    assert_eq!(pod.update(two, patch, actor()).await, Err(taken));
}

#[tokio::test(start_paused = true)]
async fn a_stream_resumes_after_any_event_on_any_pod_without_gap_or_double() {
    let world = World::new();
    let (a, b) = (world.pod("a").await, world.pod("b").await);
    let mut whole = a.events(None).await.unwrap();
    let created = create(&a, "one").await;
    for _ in 0..40 {
        connect(&a, &created).await;
    }
    let all = cursors(&mut whole, 40).await;
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 40);
    for at in [0, 17, 38] {
        let mut resumed = b.events(Some(all[at])).await.unwrap();
        assert_eq!(cursors(&mut resumed, 39 - at).await, all[at + 1..]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_lags_reads_the_store_and_misses_nothing() {
    let world = World::new();
    let pod = world.pod("a").await;
    let mut slow = pod.events(None).await.unwrap();
    let created = create(&pod, "one").await;
    for _ in 0..5_000 {
        connect(&pod, &created).await;
    }
    sleep(Duration::from_secs(5)).await;
    let all = cursors(&mut slow, 5_000).await;
    assert!(all.is_sorted());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn signals_come_with_every_edge_and_every_change() {
    let world = World::new();
    let pod = world.pod("a").await;
    let mut feed = pod.events(None).await.unwrap();
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    let mut signals = Vec::new();
    while signals.len() < 2 {
        if let Some(FeedItem::Signal(signal)) = feed.next().await {
            signals.push(signal);
        }
    }
    assert_eq!(signals[0], Signal::ConfigChanged { satellite: satellite.id() });
    let Signal::StatusChanged { status, .. } = signals[1] else { panic!("{signals:?}") };
    assert_eq!(status, Status::Online);
}

#[tokio::test(start_paused = true)]
async fn an_api_token_that_would_have_ended_already_is_refused_and_not_made() {
    let world = World::new();
    let pod = world.pod("a").await;
    let ended = world.clock.now();
    let answer = pod.create_api_token("late".into(), vec![Scope::SatelliteRead], Some(ended)).await;
    let Err(FleetError::Invalid(faults)) = answer else { panic!("accepted") };
    assert_eq!(faults[0].pointer, "/expiresAt");
    assert_eq!(pod.api_tokens().await.unwrap(), []);
    let later = ended + Millis::new(1);
    pod.create_api_token("short".into(), vec![Scope::SatelliteRead], Some(later)).await.unwrap();
}

async fn next_event(feed: &mut Box<dyn EventFeed>) -> (EventCursor, EventKind) {
    loop {
        let item = timeout(Duration::from_secs(30), feed.next()).await.expect("an event comes");
        if let Some(FeedItem::Event { cursor, event }) = item {
            return (cursor, event.kind());
        }
    }
}

async fn kinds(feed: &mut Box<dyn EventFeed>, count: usize) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    for _ in 0..count {
        kinds.push(next_event(feed).await.1);
    }
    kinds
}

async fn cursors(feed: &mut Box<dyn EventFeed>, count: usize) -> Vec<EventCursor> {
    let mut cursors = Vec::new();
    for _ in 0..count {
        cursors.push(next_event(feed).await.0);
    }
    cursors
}

#[tokio::test(start_paused = true)]
async fn any_pod_explains_a_satellite_that_another_one_holds() {
    let world = World::new();
    let (here, there) = (world.pod("a").await, world.pod("b").await);
    let created = create(&here, "one").await;
    let satellite = connect(&there, &created).await;
    let heard = here.explain(satellite.id()).await.unwrap();
    assert_eq!((heard.status, heard.reason), (Status::Online, Reason::Heard));
    assert_eq!(heard.session.unwrap().pod.unwrap().to_string(), "b");
    world.edge(satellite.id(), LifecycleEvent::HeartbeatLost).await;
    let lost = here.explain(satellite.id()).await.unwrap();
    assert_eq!((lost.status, lost.reason), (Status::Offline, Reason::Lost));
    assert_eq!(lost.edges.len(), 2);
}

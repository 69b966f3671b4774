//! What happens while the store is away, and when its answers are lost.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::faulty::{Fault, FaultyStore};
use common::{World, actor, connect, create, status, try_connect};
use groundcontrol_core::connection::{CloseReason, Status};
use groundcontrol_core::ports::{
    Authentication, Clock as _, FleetError, FleetService as _, Order, Readiness, StoreError,
};
use groundcontrol_core::time::Millis;
use tokio::time::{Instant, sleep};

fn world() -> (World, Arc<FaultyStore>) {
    let mut world = World::new();
    let faulty = FaultyStore::around(world.store.clone());
    world.store = faulty.clone();
    (world, faulty)
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_new_sockets_wait_are_put_off_and_readiness_says_so() {
    let (world, store) = world();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    store.set(Fault::Away);
    let (id, begun) = (created.view.stored.satellite.id, Instant::now());
    assert_eq!(try_connect(&pod, id, &created.token).await, Authentication::Unavailable);
    assert_eq!(begun.elapsed().as_secs(), 10, "as long as the limit says");
    assert!(matches!(pod.readiness().await, Readiness::NotReady { .. }));
    store.set(Fault::Nothing);
    assert_eq!(pod.readiness().await, Readiness::Ready);
    connect(&pod, &created).await;
}

#[tokio::test(start_paused = true)]
async fn who_authenticates_while_the_store_is_away_is_accepted_once_it_is_back() {
    let (world, store) = world();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    store.set(Fault::Away);
    let back = async {
        sleep(Duration::from_secs(5)).await;
        store.set(Fault::Nothing);
    };
    let (satellite, ()) = tokio::join!(connect(&pod, &created), back);
    assert_eq!(world.edges(satellite.id()).await, ["connected/authenticated"]);
}

#[tokio::test(start_paused = true)]
async fn a_connect_whose_answer_was_lost_with_the_store_takes_over_from_nobody_newer() {
    let (mut world, faulty) = world();
    let old = world.pod("a").await;
    world.store = Arc::new(world.memory.clone());
    let new = world.pod("b").await;
    let created = create(&old, "one").await;
    let (id, token) = (created.view.stored.satellite.id, created.token.clone());
    faulty.lose_a_reply_while({
        let (faulty, token) = (faulty.clone(), token.clone());
        async move {
            faulty.set(Fault::Away);
            let accepted = try_connect(&new, id, &token).await;
            assert!(matches!(accepted, Authentication::Accepted(_)), "{accepted:?}");
        }
    });
    let back = async {
        sleep(Duration::from_secs(5)).await;
        faulty.set(Fault::Nothing);
    };
    let (older, ()) = tokio::join!(try_connect(&old, id, &token), back);
    assert_eq!(older, Authentication::Unavailable);
    assert_eq!(world.edges(id).await, ["connected/authenticated", "connected/took_over"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_accepted_while_the_pod_drains_is_told_to_go_too() {
    let (mut world, store) = world();
    world.timing.drain_timeout = Millis::from_secs(60);
    let pod = world.pod("a").await;
    let _holder = connect(&pod, &create(&pod, "one").await).await;
    let created = create(&pod, "two").await;
    store.lose_a_reply_while({
        let pod = pod.clone();
        async move {
            tokio::spawn(async move { pod.drain().await });
            sleep(Duration::from_secs(5)).await;
        }
    });
    let late = connect(&pod, &created).await;
    sleep(Duration::from_secs(5)).await;
    assert!(late.was_ordered(&Order::Drain));
}

#[tokio::test(start_paused = true)]
async fn heartbeats_wait_for_the_store_and_keep_the_times_of_their_receipt() {
    let (world, store) = world();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    store.set(Fault::Away);
    sleep(Duration::from_secs(5)).await;
    let received = world.clock.now();
    satellite.beat();
    sleep(Duration::from_secs(3)).await;
    store.set(Fault::Nothing);
    world
        .until(|| async {
            let stored = world.store.get(satellite.id()).await.unwrap().unwrap();
            stored.record.last_heartbeat_at == Some(received)
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn after_the_store_was_away_for_long_nobody_is_lost_before_a_full_threshold() {
    let (world, store) = world();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    store.set(Fault::Away);
    sleep(Duration::from_secs(600)).await;
    store.set(Fault::Nothing);
    sleep(Duration::from_secs(40)).await;
    satellite.beat();
    sleep(Duration::from_secs(40)).await;
    assert_eq!(world.edges(satellite.id()).await, ["connected/authenticated"]);
    assert_eq!(status(&pod, satellite.id()).await, Status::Online);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_session_waits_for_the_store() {
    let (world, store) = world();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    store.set(Fault::Away);
    let closing = tokio::spawn({
        let (pod, session) = (pod.clone(), satellite.session);
        async move {
            groundcontrol_core::ports::SatelliteGateway::closed(
                &pod,
                session,
                CloseReason::ConnectionLost,
            )
            .await;
        }
    });
    sleep(Duration::from_secs(10)).await;
    store.set(Fault::Nothing);
    closing.await.unwrap();
    let edges = world.edges(satellite.id()).await;
    assert_eq!(edges, ["connected/authenticated", "disconnected/connection_lost"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_out_and_nothing_is_done_twice() {
    let (world, store) = world();
    let pod = world.pod("a").await;
    store.set(Fault::LostReply);
    let created = create(&pod, "one").await;
    store.set(Fault::LostReply);
    let satellite = connect(&pod, &created).await;
    store.set(Fault::LostReply);
    let rotated = pod.rotate_token(satellite.id(), None, actor()).await.unwrap();
    store.set(Fault::LostReply);
    let again = connect(&pod, &rotated).await;
    store.set(Fault::LostReply);
    again.close(CloseReason::ClientClosed).await;
    assert_eq!(
        world.edges(satellite.id()).await,
        [
            "connected/authenticated",
            "disconnected/revoked",
            "connected/authenticated",
            "disconnected/client_closed"
        ]
    );
    store.set(Fault::LostReply);
    pod.remove(satellite.id(), actor()).await.unwrap();
    assert!(pod.get(satellite.id()).await.is_err());
}

/// Two operators rotate at once, and the first one's answer is lost. Repeating that rotation
/// would throw out the second token and close the session that is on it.
#[tokio::test(start_paused = true)]
async fn p12_a_rotation_whose_answer_was_lost_harms_no_newer_session() {
    let (world, store) = world();
    let (pod, other) = (world.pod("a").await, world.pod("b").await);
    let created = create(&pod, "one").await;
    let id = created.view.stored.satellite.id;
    store.lose_a_reply_while(async move {
        let newer = other.rotate_token(id, None, actor()).await.unwrap();
        connect(&other, &newer).await;
    });
    let answer = pod.rotate_token(id, None, actor()).await;
    assert!(
        matches!(answer, Err(FleetError::Store(StoreError::OutcomeUnknown { .. }))),
        "nobody can tell what became of it: {answer:?}"
    );
    assert_eq!(world.edges(id).await, ["connected/authenticated"]);
    assert_eq!(status(&pod, id).await, Status::Online);
}

/// A rotation gets no answer. It is not made yet, so it is repeated; but it is made before the
/// repetition, which meets a conflict. That conflict is its own doing, and no reason to repeat.
#[tokio::test(start_paused = true)]
async fn p1_a_change_that_was_made_late_is_found_out_and_not_made_twice() {
    let (world, store) = world();
    let pod = world.pod("a").await;
    let id = create(&pod, "one").await.view.stored.satellite.id;
    let version = async || {
        let read = world.store.snapshot(id).await.unwrap();
        read.unwrap().credential_version
    };
    let before = version().await;
    store.set(Fault::MadeLate);
    pod.rotate_token(id, Some(Millis::from_secs(60)), actor()).await.unwrap();
    assert_eq!(version().await, before.next());
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_was_lost_stays_unknown_though_the_store_then_goes_away() {
    let (world, store) = world();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let id = created.view.stored.satellite.id;
    let away = store.clone();
    store.lose_a_reply_while(async move { away.set(Fault::Away) });
    let answer = pod.rotate_token(id, None, actor()).await;
    assert!(
        matches!(answer, Err(FleetError::Store(StoreError::OutcomeUnknown { .. }))),
        "it was made: {answer:?}"
    );
}

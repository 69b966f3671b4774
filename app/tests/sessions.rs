//! Sessions on one pod: authentication, heartbeats, silence, ends.

mod common;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use common::{Orders, Satellite, World, attempt, connect, create, status, try_connect};
use groundcontrol::pod::GroundControl;
use groundcontrol_core::connection::{CloseReason, Fence, LifecycleEvent, Status};
use groundcontrol_core::limits::{FIGHT_REFUSED_FIRST, LIVE_TAKEOVERS_PER_MINUTE};
use groundcontrol_core::ports::{
    Authentication, Beat, Created, CredentialAction, CredentialChange, FleetService as _, Order,
    SatelliteGateway as _, SatelliteStore as _,
};
use groundcontrol_core::satellite::{HashedToken, Token, TokenHash, TokenId};
use groundcontrol_core::time::Millis;
use tokio::time::sleep;
use uuid::Uuid;

const REFUSED: Authentication = Authentication::Refused { reason: "Invalid client ID or token" };

#[tokio::test(start_paused = true)]
async fn an_authenticated_satellite_is_online_and_its_edge_is_on_record() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    assert_eq!(status(&pod, satellite.id()).await, Status::Online);
    let history = world.history(satellite.id()).await;
    assert_eq!(history[0].remote_address.as_deref(), Some("192.0.2.7"));
    assert_eq!(world.edges(satellite.id()).await, ["connected/authenticated"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_id_a_wrong_token_and_a_disabled_satellite_are_refused_alike() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let id = created.view.stored.satellite.id;
    let wrong = Token::for_satellite([1; 32]);
    assert_eq!(try_connect(&pod, id, &wrong).await, REFUSED);
    let unknown = groundcontrol_core::satellite::SatelliteId(Uuid::nil());
    assert_eq!(try_connect(&pod, unknown, &created.token).await, REFUSED);
    let no_uuid = pod.authenticate(attempt("x", &created.token, &Arc::default())).await;
    assert_eq!(no_uuid, REFUSED);
    let patch =
        groundcontrol_core::ports::SatellitePatch { enabled: Some(false), ..Default::default() };
    pod.update(id, patch, common::actor()).await.unwrap();
    assert_eq!(try_connect(&pod, id, &created.token).await, REFUSED);
    assert!(world.history(id).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_ten_failures_in_a_minute_even_the_right_token_is_refused_until_it_is_over() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let id = created.view.stored.satellite.id;
    for _ in 0..10 {
        assert_eq!(try_connect(&pod, id, &Token::for_satellite([1; 32])).await, REFUSED);
    }
    assert_eq!(try_connect(&pod, id, &created.token).await, REFUSED);
    sleep(Duration::from_secs(61)).await;
    assert!(matches!(try_connect(&pod, id, &created.token).await, Authentication::Accepted(_)));
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_is_stored_with_the_time_of_its_receipt_within_the_flush_bound() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    sleep(Duration::from_secs(15)).await;
    let received = groundcontrol_core::ports::Clock::now(world.clock.as_ref());
    satellite.beat();
    sleep(Duration::from_millis(260)).await;
    let stored = world.store.get(satellite.id()).await.unwrap().unwrap();
    assert_eq!(stored.record.last_heartbeat_at, Some(received));
}

#[tokio::test(start_paused = true)]
async fn silence_is_recorded_once_soon_after_threshold_and_settle() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    let heard = world.history(satellite.id()).await[0].occurred_at;
    sleep(Duration::from_secs(200)).await;
    let history = world.history(satellite.id()).await;
    let edges = world.edges(satellite.id()).await;
    assert_eq!(edges, ["connected/authenticated", "heartbeat_lost/heartbeat_timeout"]);
    let late = history[1].occurred_at.since(heard + Millis::new(45_250)).get();
    assert!((1..=250).contains(&late), "{late} ms after threshold and settle");
}

#[tokio::test(start_paused = true)]
async fn a_satellite_that_keeps_heartbeating_is_never_lost() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    satellite.beat_for(Duration::from_secs(3_600)).await;
    assert_eq!(world.edges(satellite.id()).await, ["connected/authenticated"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_that_is_heard_again_on_the_same_socket_resumes() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    world.edge(satellite.id(), LifecycleEvent::HeartbeatLost).await;
    satellite.beat();
    world.edge(satellite.id(), LifecycleEvent::Connected).await;
    assert_eq!(status(&pod, satellite.id()).await, Status::Online);
    let resumed = world.edges(satellite.id()).await.pop();
    assert_eq!(resumed.as_deref(), Some("connected/heartbeat_resumed"));
}

#[tokio::test(start_paused = true)]
async fn a_new_session_supersedes_the_old_one_whose_late_close_changes_nothing() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let old = connect(&pod, &created).await;
    let new = connect(&pod, &created).await;
    assert!(old.was_ordered(&Order::Fenced(Fence::Superseded)));
    old.close(CloseReason::ConnectionLost).await;
    old.beat();
    assert_eq!(status(&pod, new.id()).await, Status::Online);
    let edges = world.edges(new.id()).await;
    assert_eq!(edges, ["connected/authenticated", "connected/took_over"]);
}

#[tokio::test(start_paused = true)]
async fn every_end_is_recorded_with_its_cause_but_a_drained_one_is_not() {
    for reason in CloseReason::ALL {
        let world = World::new();
        let pod = world.pod("a").await;
        let satellite = connect(&pod, &create(&pod, "one").await).await;
        satellite.close(*reason).await;
        let edges = world.edges(satellite.id()).await;
        match reason.cause() {
            Some(cause) => assert_eq!(edges[1..], [format!("disconnected/{cause}")]),
            None => assert_eq!(edges.len(), 1),
        }
        assert_eq!(pod.session_count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_agent_says_of_itself_is_stored_when_it_is_news() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let satellite = connect(&pod, &created).await;
    let beat = Beat { version: Some("1.2.3".into()), capabilities: Some(vec!["dns".into()]) };
    pod.heartbeat(satellite.session, beat);
    world
        .until(|| async {
            let agent = world.store.get(satellite.id()).await.unwrap().unwrap().satellite.agent;
            agent.version.as_deref() == Some("1.2.3") && agent.capabilities == ["dns"]
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_slept_longer_than_its_lease_closes_its_sockets_before_it_believes_them() {
    let world = World::new();
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    world.clock.skip(Millis::from_secs(60));
    satellite.beat();
    assert_eq!(satellite.orders.all(), [Order::Drain]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.edges(satellite.id()).await, ["connected/authenticated"]);
    let heard = world.store.get(satellite.id()).await.unwrap().unwrap().record.last_heartbeat_at;
    assert_eq!(heard, Some(world.history(satellite.id()).await[0].occurred_at));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_comes_back_grants_everybody_a_full_threshold() {
    let world = World::new();
    let first = world.pod("a").await;
    let satellite = connect(&first, &create(&first, "one").await).await;
    first.drain().await;
    sleep(Duration::from_secs(600)).await;
    let second = world.pod("b").await;
    sleep(Duration::from_secs(45)).await;
    assert_eq!(world.edges(satellite.id()).await, ["connected/authenticated"]);
    assert_eq!(status(&second, satellite.id()).await, Status::Offline);
    world.edge(satellite.id(), LifecycleEvent::HeartbeatLost).await;
}

#[tokio::test(start_paused = true)]
async fn a_draining_pod_that_hears_little_did_not_sleep_and_waits_for_its_sockets() {
    let mut world = World::new();
    world.timing.drain_timeout = Millis::from_secs(60);
    let pod = world.pod("a").await;
    let satellite = connect(&pod, &create(&pod, "one").await).await;
    let draining = tokio::spawn({
        let pod = pod.clone();
        async move { pod.drain().await }
    });
    sleep(Duration::from_secs(20)).await;
    satellite.beat();
    sleep(Duration::from_secs(1)).await;
    assert!(!draining.is_finished(), "its last socket is still open");
    satellite.close(CloseReason::Drained).await;
    draining.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_draining_pod_closes_its_sockets_records_nothing_and_accepts_nobody() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let satellite = connect(&pod, &created).await;
    let draining = tokio::spawn({
        let pod = pod.clone();
        async move { pod.drain().await }
    });
    world.until(|| async { satellite.was_ordered(&Order::Drain) }).await;
    let answer = try_connect(&pod, satellite.id(), &created.token).await;
    assert_eq!(answer, Authentication::Unavailable);
    satellite.close(CloseReason::Drained).await;
    draining.await.unwrap();
    assert_eq!(world.edges(satellite.id()).await, ["connected/authenticated"]);
}

#[tokio::test(start_paused = true)]
async fn an_imported_bcrypt_hash_is_verified_and_replaced_by_the_fast_form() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let id = created.view.stored.satellite.id;
    let old = Token::presented("as-it-was-at-home");
    let hash = TokenHash::Bcrypt(bcrypt::hash(old.expose(), 4).unwrap());
    let read = world.store.snapshot(id).await.unwrap().unwrap();
    let new = HashedToken { id: TokenId(Uuid::new_v4()), hash, expires_at: None };
    let change = CredentialChange {
        read,
        action: CredentialAction::Replace(new),
        edge: None,
        origin: groundcontrol_core::connection::Origin {
            pod: groundcontrol_core::satellite::PodName::new("import"),
            actor: None,
            remote_address: None,
        },
        now: groundcontrol_core::ports::Clock::now(world.clock.as_ref()),
    };
    world.memory.change_credentials(change).await.unwrap();
    let wrong = Token::presented("as-it-was-not");
    assert_eq!(try_connect(&pod, id, &wrong).await, REFUSED);
    assert!(matches!(try_connect(&pod, id, &old).await, Authentication::Accepted(_)));
    world
        .until(|| async {
            let tokens = world.store.credentials(id).await.unwrap().unwrap().tokens;
            tokens[0].hash == TokenHash::of(&old)
        })
        .await;
    assert!(matches!(try_connect(&pod, id, &old).await, Authentication::Accepted(_)));
}

#[tokio::test(start_paused = true)]
async fn failures_from_one_network_do_not_keep_another_out() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    let id = created.view.stored.satellite.id.to_string();
    for n in 0..100_u128 {
        let unknown = Uuid::from_u128(n).to_string();
        pod.authenticate(attempt(&unknown, &created.token, &Arc::default())).await;
    }
    let mut near = attempt(&id, &created.token, &Arc::new(Orders::default()));
    assert_eq!(pod.authenticate(near).await, REFUSED);
    near = attempt(&id, &created.token, &Arc::new(Orders::default()));
    near.remote = IpAddr::from([198, 51, 100, 1]);
    assert!(matches!(pod.authenticate(near).await, Authentication::Accepted(_)));
}

/// Agents on two pods take over from each other, each told so while alive.
async fn fight(pods: &[GroundControl; 2], created: &Created) -> Satellite {
    let mut holder = connect(&pods[0], created).await;
    for round in 1..=LIVE_TAKEOVERS_PER_MINUTE {
        let newer = connect(&pods[round % 2], created).await;
        holder.pod.displaced(holder.session, [192, 0, 2, round as u8].into());
        holder = newer;
        sleep(Duration::from_secs(2)).await;
    }
    holder
}

#[tokio::test(start_paused = true)]
async fn two_agents_that_fight_over_one_credential_are_told_apart_on_every_pod() {
    let world = World::new();
    let pods = [world.pod("a").await, world.pod("b").await];
    let created = create(&pods[0], "one").await;
    let holder = fight(&pods, &created).await;
    for pod in &pods {
        let answer = try_connect(pod, holder.id(), &created.token).await;
        assert_eq!(answer, Authentication::Fight);
    }
    assert_eq!(world.edges(holder.id()).await.len(), 1 + LIVE_TAKEOVERS_PER_MINUTE);
    holder.beat();
    assert_eq!(status(&pods[0], holder.id()).await, Status::Online);
    sleep(FIGHT_REFUSED_FIRST.into()).await;
    connect(&pods[0], &created).await;
}

#[tokio::test(start_paused = true)]
async fn where_the_one_who_stayed_goes_the_other_is_let_in_at_once() {
    let world = World::new();
    let pods = [world.pod("a").await, world.pod("b").await];
    let created = create(&pods[0], "one").await;
    let holder = fight(&pods, &created).await;
    holder.close(CloseReason::ClientClosed).await;
    connect(&pods[0], &created).await;
}

#[tokio::test(start_paused = true)]
async fn takeovers_from_sockets_that_were_broken_are_no_fight() {
    let world = World::new();
    let pod = world.pod("a").await;
    let created = create(&pod, "one").await;
    for _ in 0..3 * LIVE_TAKEOVERS_PER_MINUTE {
        connect(&pod, &created).await;
    }
}

//! The database goes away, and comes back.

use std::time::Duration;

use groundcontrol_testkit::fleet::{Moment, Queue, Setup, Stage, Transition, now};
use groundcontrol_testkit::server::{Beating, PATIENCE, Said, Socket, edges, eventually};
use groundcontrol_testpostgres::Stop;
use reqwest::StatusCode;
use tokio::time::{Instant, sleep, timeout};

/// Longer than a lease, much less than the threshold.
const AWAY: Duration = Duration::from_secs(4);

async fn stage() -> Stage {
    let (heartbeat, threshold) = (Duration::from_secs(1), Duration::from_secs(8));
    let setup = Setup { pods: 2, queue: Queue::Postgres, heartbeat, threshold };
    Stage::set_up(setup).await
}

async fn ready(stage: &Stage, pod: usize, status: StatusCode) {
    let api = stage.api(pod);
    eventually("readiness is as it must be", async || {
        (api.get("/readyz").await.status == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_a_pod_is_not_ready_keeps_its_sockets_and_stores_heartbeats_later() {
    let stage = stage().await;
    let api = stage.api(0);
    let satellite = api.create_anywhere().await;
    let mut socket = Socket::at(&stage.pods[0].url(), &satellite).await;

    stage.database(|server| server.stop(Stop::Fast)).await;
    ready(&stage, 0, StatusCode::SERVICE_UNAVAILABLE).await;
    let before = now();
    socket.heartbeat().await;
    sleep(AWAY / 2).await;
    let after = now();
    stage.database(|server| server.start()).await;
    ready(&stage, 0, StatusCode::OK).await;

    // The heartbeat has the time of its receipt, not that of its way into the database.
    let seen: Moment = eventually("the heartbeat is stored", async || {
        let shown = api.satellite(&satellite.id).await;
        let seen = Transition::read(&serde_json::json!({"next": shown})).last_seen()?;
        (seen >= before - CLOCK).then_some(seen)
    })
    .await;
    assert!(seen < after - CLOCK, "stored as {seen}, sent at {before}, away until {after}");
    let beating = Beating::new(socket);
    sleep(AWAY).await;
    let _socket = beating.stop().await;
    assert_eq!(edges(&api.transitions(&satellite.id).await), ["connected authenticated"]);
}

/// How far a pod's store time may be from this machine's.
const CLOCK: Moment = 200;

#[tokio::test(flavor = "multi_thread")]
async fn who_authenticates_without_a_database_waits_and_is_then_closed_with_1013() {
    let stage = stage().await;
    let satellite = stage.api(0).create_anywhere().await;
    stage.database(|server| server.stop(Stop::Fast)).await;
    ready(&stage, 0, StatusCode::SERVICE_UNAVAILABLE).await;

    let begun = Instant::now();
    let mut socket = Socket::open_at(&stage.pods[0].url()).await;
    let answer = timeout(PATIENCE, socket.present(&satellite)).await.expect("it is answered");
    assert!(matches!(answer, Said::Closed(Some(1013))), "{answer:?}");
    assert!(begun.elapsed() > Duration::from_secs(1), "it did not wait: {:?}", begun.elapsed());

    stage.database(|server| server.start()).await;
    ready(&stage, 0, StatusCode::OK).await;
    let _socket = Socket::at(&stage.pods[0].url(), &satellite).await;
    let history = stage.api(1).transitions(&satellite.id).await;
    assert_eq!(edges(&history), ["connected authenticated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_authenticates_while_the_database_restarts_waits_and_is_accepted() {
    let stage = stage().await;
    let satellite = stage.api(0).create_anywhere().await;
    stage.database(|server| server.freeze()).await;
    let mut socket = Socket::open_at(&stage.pods[0].url()).await;
    let answer = async {
        sleep(Duration::from_secs(1)).await;
        stage.database(|server| server.thaw()).await;
    };
    let (said, ()) = tokio::join!(socket.present(&satellite), answer);
    assert!(matches!(&said, Said::Message(said) if said["type"] == "authenticated"), "{said:?}");
}

//! Many sockets at once: one cannot harm the others.

use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use groundcontrol_core::session::SessionSettings;
use groundcontrol_core::time::Millis;
use groundcontrol_websocket::SocketSettings;
use groundcontrol_websocket::wire::ToSatellite;
use tokio_tungstenite::tungstenite::Message;

use super::support::{AUTHENTICATE, HEARTBEAT, STUCK, serve};

#[tokio::test]
async fn a_crowd_that_says_nothing_keeps_nobody_out() {
    // Time alone sends nobody away.
    let authenticate_within = Millis::from_secs(600);
    let session = SessionSettings { authenticate_within, ..SessionSettings::default() };
    let settings = SocketSettings { session, most_waiting: 50, ..SocketSettings::default() };
    let server = serve(settings).await;
    let mut crowd = Vec::new();
    for _ in 0..2_000 {
        crowd.push(server.dial().await);
    }
    let begun = Instant::now();
    while server.sockets.open() > 50 {
        assert!(begun.elapsed() < STUCK, "{} still open", server.sockets.open());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(crowd.swap_remove(0).close_code().await, Some(4408));
    drop(server.connect().await);
    // The youngest of the crowd was not sent away.
    let mut youngest = crowd.swap_remove(crowd.len() - 1);
    youngest.say(AUTHENTICATE).await;
    assert!(matches!(youngest.hear().await, ToSatellite::Authenticated(_)));
}

#[tokio::test]
async fn in_a_storm_nobody_is_sent_away_who_has_spoken() {
    let settings = SocketSettings { most_waiting: 1, ..SocketSettings::default() };
    let server = serve(settings).await;
    // Each is already told to give way to the next when its task first runs.
    let storm = (0..100).map(|_| server.dial_and_say(&[AUTHENTICATE]));
    let _open = futures_util::future::join_all(storm).await;
    server.until("all to be heard", |seen| seen.attempts == 100).await;
}

#[tokio::test]
async fn an_authenticated_satellite_holds_no_seat_among_those_that_wait() {
    let settings = SocketSettings { most_waiting: 1, ..SocketSettings::default() };
    let server = serve(settings).await;
    let mut satellites = Vec::new();
    for _ in 0..20 {
        satellites.push(server.connect().await);
    }
    for satellite in &mut satellites {
        satellite.say(HEARTBEAT).await;
    }
    server.until("all heartbeats", |seen| seen.beats.len() == 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_slowed_down_and_others_are_not_delayed() {
    let session = SessionSettings { messages_burst: 1_000, ..SessionSettings::default() };
    let server = serve(SocketSettings { session, ..SocketSettings::default() }).await;
    let mut flooding = server.connect().await;
    let flood = tokio::spawn(async move {
        // Never ends by itself: the server stops reading, and the writes wait.
        while flooding.socket.feed(Message::text(HEARTBEAT)).await.is_ok() {}
    });
    server.until("the burst", |seen| seen.beats.len() >= 1_000).await;

    let (begun, before) = (Instant::now(), server.gateway.seen.lock().beats.len());
    let mut calm = server.connect().await;
    let mut worst = Duration::ZERO;
    for request in 0..50 {
        let asked = Instant::now();
        let integrity = format!(r#""integrity":"{request}""#);
        calm.say(format!(r#"{{"type":"request_script_package_blob",{integrity}}}"#)).await;
        calm.hear().await;
        worst = worst.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (took, after) = (begun.elapsed(), server.gateway.seen.lock().beats.len());
    flood.abort();
    // Half a second for a machine that does much else meanwhile.
    assert!(worst < Duration::from_millis(500), "an answer took {worst:?}");
    let rate = (after - before) as f64 / took.as_secs_f64();
    assert!((100.0..=300.0).contains(&rate), "{rate} messages a second of 200");
}

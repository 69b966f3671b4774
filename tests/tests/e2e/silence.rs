//! Silence on an open socket: lost once, in time, and found again.

use std::time::Duration;

use groundcontrol_core::time::Timestamp;
use groundcontrol_testkit::server::{
    Agent, Api, Beating, EventStream, PATIENCE, SETTLE, Satellite, Server, Site, Socket, THRESHOLD,
    edges, eventually,
};
use serde_json::{Value, json};

/// More than recording a loss takes once it is due, on a machine that is busy with other tests.
const SLACK: Duration = Duration::from_secs(3);

fn time(value: &Value) -> Timestamp {
    value.as_str().expect("a time is text").parse().expect("a time is RFC 3339")
}

/// How long a lost satellite had been silent when its loss was recorded.
fn silence(lost: &Value) -> Duration {
    time(&lost["occurredAt"]).since(time(&lost["next"]["lastSeenAt"])).into()
}

async fn connected() -> (Site, Server, Api, Satellite, Socket) {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let socket = Socket::connect(&server, &satellite).await;
    (site, server, api, satellite, socket)
}

async fn history_of(api: &Api, satellite: &Satellite, length: usize) -> Vec<Value> {
    eventually("the history grows", async || {
        let history = api.transitions(&satellite.id).await;
        (history.len() >= length).then_some(history)
    })
    .await
}

#[tokio::test]
async fn a_silent_satellite_is_lost_once_after_its_threshold_and_not_much_later() {
    let (_site, _server, api, satellite, mut socket) = connected().await;
    socket.heartbeat().await;

    let history = history_of(&api, &satellite, 2).await;
    assert_eq!(edges(&history), ["connected authenticated", "heartbeat_lost heartbeat_timeout"]);
    let silent = silence(&history[1]);
    assert!(silent > THRESHOLD, "lost after {silent:?}");
    assert!(silent < THRESHOLD + SETTLE + SLACK, "lost after {silent:?}");
    assert_eq!(history[1]["next"]["status"], "offline");

    // A whole further silence later it is still the one loss (property P4).
    let until = tokio::time::Instant::now() + 2 * (THRESHOLD + SETTLE);
    tokio::time::sleep_until(until).await;
    assert_eq!(api.transitions(&satellite.id).await.len(), 2);
}

#[tokio::test]
async fn a_heartbeat_on_the_same_socket_brings_a_lost_satellite_back() {
    let (_site, _server, api, satellite, socket) = connected().await;
    history_of(&api, &satellite, 2).await;

    let beating = Beating::new(socket);
    let history = history_of(&api, &satellite, 3).await;
    assert_eq!(edges(&history)[2], "connected heartbeat_resumed");
    assert_eq!(history[2]["epoch"], 1, "it is the same session");
    assert_eq!(api.status(&satellite.id).await, "online");

    // And its next silence is noticed again.
    let _silent = beating.stop().await;
    let history = history_of(&api, &satellite, 4).await;
    assert_eq!(edges(&history)[3], "heartbeat_lost heartbeat_timeout");
}

#[tokio::test]
async fn an_agent_that_is_halted_is_lost_and_resumes_when_it_goes_on() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut events = EventStream::open(&api, None).await;
    let agent = Agent::start(&site, server.url(), &satellite);
    assert_eq!(events.event().await.kind(), "satellite.connected");

    agent.halt();
    let lost = events.event().await;
    assert_eq!(lost.kind(), "satellite.heartbeat_lost");
    assert!(lost.data["data"]["lastSeenAt"].is_string());
    agent.resume();
    let back = events.event().await;
    assert_eq!(back.kind(), "satellite.connected");
    assert_eq!(back.data["cause"], "heartbeat_resumed");
}

#[tokio::test]
async fn a_satellite_that_beats_is_never_lost() {
    let (_site, _server, api, satellite, socket) = connected().await;
    let beating = Beating::new(socket);
    tokio::time::sleep(4 * THRESHOLD).await;
    assert_eq!(edges(&api.transitions(&satellite.id).await), ["connected authenticated"]);
    beating.stop().await;
}

#[tokio::test]
async fn a_satellites_own_threshold_is_the_one_in_force() {
    let (_site, _server, api, satellite, _socket) = connected().await;
    let own = 4 * THRESHOLD;
    let path = format!("/api/v1/satellites/{}", satellite.id);
    let changed = json!({"offlineThresholdMs": own.as_millis() as u64});
    api.patch(&path, &changed).await.expect(reqwest::StatusCode::OK);

    let history = history_of(&api, &satellite, 2).await;
    let silent = silence(&history[1]);
    assert!(silent > own && silent < own + SETTLE + SLACK, "lost after {silent:?}");
}

#[tokio::test]
async fn a_shorter_threshold_takes_effect_at_once() {
    let site = Site::new();
    let server = site.serve_with(&["--offline-threshold", "1h"]).await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let _silent = Socket::connect(&server, &satellite).await;
    let path = format!("/api/v1/satellites/{}", satellite.id);
    let changed = json!({"offlineThresholdMs": THRESHOLD.as_millis() as u64});
    api.patch(&path, &changed).await.expect(reqwest::StatusCode::OK);

    let history = history_of(&api, &satellite, 2).await;
    assert!(silence(&history[1]) < PATIENCE);
}

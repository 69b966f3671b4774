//! Tokens that change, satellites that are disabled or removed.

use std::time::Duration;

use groundcontrol_testkit::server::{
    Api, Beating, EventStream, Said, Satellite, Server, Site, Socket, edges,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

async fn beating() -> (Site, Server, Api, Satellite, Beating) {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let beating = Beating::new(Socket::connect(&server, &satellite).await);
    (site, server, api, satellite, beating)
}

/// Whether the server refuses this credential, with the one answer that it has for that.
async fn refuses(server: &Server, satellite: &Satellite) -> bool {
    let mut socket = Socket::open(server).await;
    match socket.present(satellite).await {
        Said::Message(said) if said["type"] == "auth_failed" => {
            assert_eq!(said["reason"], "Invalid client ID or token");
            assert_eq!(socket.ended().await.1, Some(4401));
            true
        }
        Said::Message(_) => false,
        Said::Closed(code) => panic!("closed with {code:?} instead of an answer"),
    }
}

fn said_shutdown(messages: &[Value]) -> bool {
    messages.last().is_some_and(|said| said["type"] == "shutdown" && said["reason"].is_string())
}

#[tokio::test]
async fn rotating_without_overlap_ends_the_session_and_the_old_token() {
    let (site, server, api, satellite, beating) = beating().await;
    let renewed = api.rotate(&site, &satellite.id, None).await;

    let ended = beating.ended().await;
    assert_eq!(ended.code, Some(4403));
    assert!(said_shutdown(&ended.messages), "{:?}", ended.messages);
    assert!(refuses(&server, &satellite).await, "the old token must not work");
    let _renewed = Socket::connect(&server, &renewed).await;
    let history = api.transitions(&satellite.id).await;
    let expected = ["connected authenticated", "disconnected revoked", "connected authenticated"];
    assert_eq!(edges(&history), expected);
    assert_eq!(history[1]["actor"], "admin", "{}", history[1]);
}

#[tokio::test]
async fn during_an_overlap_both_tokens_work_and_nobody_is_disconnected() {
    let (site, server, api, satellite, old) = beating().await;
    let renewed = api.rotate(&site, &satellite.id, Some(3_600)).await;

    assert_eq!(api.status(&satellite.id).await, "online");
    let new = Beating::new(Socket::connect(&server, &renewed).await);
    assert_eq!(old.ended().await.code, Some(4409), "superseded, not revoked");
    let again = Socket::connect(&server, &satellite).await;
    assert_eq!(new.ended().await.code, Some(4409));
    again.close().await;
}

#[tokio::test]
async fn a_session_on_the_old_token_is_revoked_when_the_overlap_ends() {
    let (site, server, api, satellite, old) = beating().await;
    let renewed = api.rotate(&site, &satellite.id, Some(1)).await;

    let ended = old.ended().await;
    assert_eq!(ended.code, Some(4403));
    assert!(said_shutdown(&ended.messages), "{:?}", ended.messages);
    assert!(refuses(&server, &satellite).await, "the old token must not work");
    assert_eq!(edges(&api.transitions(&satellite.id).await)[1], "disconnected revoked");
    let _renewed = Socket::connect(&server, &renewed).await;
}

#[tokio::test]
async fn a_session_on_the_new_token_outlives_the_overlap() {
    let (site, server, api, satellite, old) = beating().await;
    let renewed = api.rotate(&site, &satellite.id, Some(1)).await;
    let new = Beating::new(Socket::connect(&server, &renewed).await);
    old.ended().await;

    // The overlap, and the look for expired tokens that follows it within a second.
    sleep(Duration::from_millis(2_500)).await;
    assert!(refuses(&server, &satellite).await, "the old token must not work");
    assert_eq!(api.status(&satellite.id).await, "online");
    let _open = new.stop().await;
    let expected = ["connected authenticated", "connected took_over"];
    assert_eq!(edges(&api.transitions(&satellite.id).await), expected);
}

#[tokio::test]
async fn a_disabled_satellite_is_shut_down_and_refused_until_it_is_enabled() {
    let (_site, server, api, satellite, beating) = beating().await;
    let path = format!("/api/v1/satellites/{}", satellite.id);
    let disabled = api.patch(&path, &json!({"enabled": false})).await.expect(StatusCode::OK);
    assert_eq!(disabled["enabled"], false);

    let ended = beating.ended().await;
    assert_eq!(ended.code, Some(4403));
    assert!(said_shutdown(&ended.messages), "{:?}", ended.messages);
    assert!(refuses(&server, &satellite).await, "a disabled satellite must be refused");
    api.patch(&path, &json!({"enabled": true})).await.expect(StatusCode::OK);
    Socket::connect(&server, &satellite).await;
}

#[tokio::test]
async fn a_removed_satellite_is_shut_down_and_its_name_is_free() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut events = EventStream::open(&api, None).await;
    let beating = Beating::new(Socket::connect(&server, &satellite).await);
    assert_eq!(events.event().await.kind(), "satellite.connected");
    let path = format!("/api/v1/satellites/{}", satellite.id);
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);

    let ended = beating.ended().await;
    assert_eq!(ended.code, Some(4403));
    assert!(said_shutdown(&ended.messages), "{:?}", ended.messages);
    let removed = events.event().await;
    assert_eq!((removed.kind(), removed.seq()), ("satellite.removed", 2));
    assert_eq!(removed.data["data"]["satelliteId"], satellite.id);
    assert_eq!(api.get(&path).await.status, StatusCode::NOT_FOUND);
    assert!(refuses(&server, &satellite).await, "a removed satellite must be refused");
    let again = json!({"name": satellite.name, "region": "test"});
    api.post("/api/v1/satellites", &again).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn the_events_of_a_removed_satellite_are_still_delivered() {
    let (site, server, api, satellite, beating) = beating().await;
    let mut live = EventStream::open(&api, None).await;
    let other = api.create(&site).await;
    Socket::connect(&server, &other).await;
    let before = live.event().await.id.expect("an event has an id");
    drop(live);
    api.delete(&format!("/api/v1/satellites/{}", satellite.id)).await;
    beating.ended().await;

    let mut replayed = EventStream::open(&api, Some(&before)).await;
    loop {
        let event = replayed.event().await;
        if event.data["contextkey"] == satellite.id.as_str() {
            assert_eq!(event.kind(), "satellite.removed");
            return;
        }
    }
}

#[tokio::test]
async fn an_unknown_id_and_a_wrong_token_get_the_same_answer() {
    let site = Site::new();
    let server = site.serve().await;
    let satellite = site.api(&server).create(&site).await;
    let token = format!("csat_{}", "A".repeat(43));
    site.keep_secret(&token);
    let wrong = Satellite { token: token.clone(), ..satellite.clone() };
    let unknown = Satellite { id: uuid::Uuid::new_v4().to_string(), ..wrong.clone() };
    let nonsense = Satellite { id: "not a UUID".to_owned(), ..wrong.clone() };
    for stranger in [&wrong, &unknown, &nonsense] {
        assert!(refuses(&server, stranger).await);
    }
}

#[tokio::test]
async fn after_ten_failures_a_client_is_refused_even_with_its_token() {
    let site = Site::new();
    let server = site.serve().await;
    let satellite = site.api(&server).create(&site).await;
    let wrong = Satellite { token: "csat_wrong".to_owned(), ..satellite.clone() };
    for _ in 0..10 {
        assert!(refuses(&server, &wrong).await);
    }
    assert!(refuses(&server, &satellite).await);
}

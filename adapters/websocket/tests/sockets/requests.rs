//! What satellites ask for: handed on, answered later, and never in the way of heartbeats.

use std::sync::Arc;

use groundcontrol_core::limits::{BLOB_PIECE, REQUESTS_IN_FLIGHT};
use groundcontrol_core::packages::{Blob, SyncStatus};
use groundcontrol_core::ports::{LoadedBlob, Order, Room};
use groundcontrol_core::secrets::SecretValue;
use groundcontrol_core::session::{Answer, Request};
use groundcontrol_websocket::SocketSettings;
use groundcontrol_websocket::wire::ToSatellite;

use super::support::{Answer as Scripted, HEARTBEAT, Satellite, Server, serve};

/// Bytes of the largest blob.
const LARGE: usize = 11 * 1024 * 1024;

async fn keeping() -> (Server, Satellite) {
    let server = serve(SocketSettings::default()).await;
    server.answer(Scripted::KeepRequests);
    let satellite = server.connect().await;
    (server, satellite)
}

fn ask_for_secrets(id: usize) -> String {
    format!(
        r#"{{"type":"request_run_secrets","requestId":"{id}","configId":"c","collectorId":"k","runId":"r"}}"#
    )
}

fn ask_for_blob(id: usize) -> String {
    format!(r#"{{"type":"request_script_package_blob","integrity":"{id}"}}"#)
}

/// Answers the request that was asked as the `nth`.
fn give(server: &Server, nth: usize) {
    give_holding(server, nth, &Arc::default());
}

/// As [`give`]; a blob's room is `held`.
fn give_holding(server: &Server, nth: usize, held: &Arc<()>) {
    let request = server.gateway.seen.lock().requests[nth].clone();
    let answer = match request {
        Request::RunSecrets { request_id, .. } => {
            let env = Ok([("KEY".to_owned(), SecretValue::new("value"))].into());
            Answer::RunSecrets { request_id, env }
        }
        Request::ScriptPackageBlob { integrity } => {
            let pieces = vec![7; LARGE].chunks(BLOB_PIECE).map(Into::into).collect();
            let blob = Arc::new(Blob::new(pieces));
            let room = Room::new(held.clone());
            Answer::ScriptPackageBlob { integrity, blob: Some(LoadedBlob { blob, room }) }
        }
        other => other.unserved(),
    };
    server.order(Order::Answer(Box::new(answer)));
}

#[tokio::test]
async fn a_request_is_answered_later_and_heartbeats_are_heard_meanwhile() {
    let (server, mut satellite) = keeping().await;
    satellite.say(ask_for_secrets(1)).await;
    satellite.say(HEARTBEAT).await;
    server.until("the heartbeat", |seen| seen.beats.len() == 1).await;
    server.until("the request", |seen| seen.requests.len() == 1).await;
    give(&server, 0);
    let heard = satellite.hear().await;
    let ToSatellite::RunSecrets(secrets) = heard else { panic!("{heard:?}") };
    assert_eq!(secrets.request_id, "1");
    assert_eq!(secrets.env.expect("an environment")["KEY"].expose(), "value");
}

#[tokio::test]
async fn the_gateway_is_asked_a_few_at_a_time_whatever_a_satellite_asks_for() {
    let (server, mut satellite) = keeping().await;
    for id in 0..3 * REQUESTS_IN_FLIGHT {
        satellite.say(ask_for_secrets(id)).await;
    }
    satellite.say(HEARTBEAT).await;
    server.until("the heartbeat", |seen| seen.beats.len() == 1).await;
    assert_eq!(server.gateway.seen.lock().requests.len(), REQUESTS_IN_FLIGHT);
    for nth in 0..3 * REQUESTS_IN_FLIGHT {
        server.until("the next", |seen| seen.requests.len() > nth).await;
        give(&server, nth);
        let heard = satellite.hear().await;
        let ToSatellite::RunSecrets(secrets) = heard else { panic!("{heard:?}") };
        assert_eq!(secrets.request_id, nth.to_string());
    }
}

#[tokio::test]
async fn many_large_blobs_asked_for_at_once_arrive_one_after_the_other() {
    let (server, mut satellite) = keeping().await;
    for id in 0..4 {
        satellite.say(ask_for_blob(id)).await;
    }
    for nth in 0..4 {
        server.until("the next", |seen| seen.requests.len() == nth + 1).await;
        give(&server, nth);
        let heard = satellite.hear().await;
        let ToSatellite::ScriptPackageBlob(blob) = heard else { panic!("{}", heard.kind()) };
        assert_eq!(blob.integrity, nth.to_string());
        assert_eq!(blob.data.map(|data| data.len()), Some(LARGE.div_ceil(3) * 4));
    }
}

#[tokio::test]
async fn a_blob_takes_its_room_until_it_is_written() {
    let (server, mut satellite) = keeping().await;
    satellite.say(ask_for_blob(0)).await;
    server.until("the request", |seen| seen.requests.len() == 1).await;
    let held = Arc::new(());
    give_holding(&server, 0, &held);
    satellite.say(HEARTBEAT).await;
    server.until("the heartbeat", |seen| seen.beats.len() == 1).await;
    assert_eq!(Arc::strong_count(&held), 2, "nobody reads it");
    satellite.hear().await;
    server.until("its room is free", |_| Arc::strong_count(&held) == 1).await;
}

#[tokio::test]
async fn where_nothing_serves_a_request_that_is_the_answer() {
    let server = serve(SocketSettings::default()).await;
    let mut satellite = server.connect().await;
    satellite.say(ask_for_secrets(1)).await;
    let heard = satellite.hear().await;
    let ToSatellite::RunSecrets(secrets) = heard else { panic!("{heard:?}") };
    let says = "Secret delivery is not available on this core instance.";
    assert_eq!(secrets.error.as_deref(), Some(says));
    satellite.say(ask_for_blob(1)).await;
    let heard = satellite.hear().await;
    let ToSatellite::ScriptPackageBlob(blob) = heard else { panic!("{heard:?}") };
    assert_eq!(blob.data, None);
}

#[tokio::test]
async fn where_script_packages_stand_reaches_the_gateway() {
    let (server, mut satellite) = keeping().await;
    let state = r#"{"type":"script_package_sync_state","lockfileHash":"h","status":"error",
        "errorMessage":"disk full"}"#;
    satellite.say(state).await;
    server.until("the state", |seen| seen.synced.len() == 1).await;
    let seen = server.gateway.seen.lock();
    let [said] = &seen.synced[..] else { panic!("one") };
    assert_eq!(said.status, SyncStatus::Error);
    assert_eq!(said.error_message.as_deref(), Some("disk full"));
}

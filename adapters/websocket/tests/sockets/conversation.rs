//! What is said on a socket that does not end.

use std::io::Write as _;

use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::{Beat, Order};
use groundcontrol_core::session::SessionSettings;
use groundcontrol_core::time::Millis;
use groundcontrol_websocket::SocketSettings;
use groundcontrol_websocket::wire::ToSatellite;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::support::{AUTHENTICATE, HEARTBEAT, Server, serve};

async fn server() -> Server {
    serve(SocketSettings::default()).await
}

#[tokio::test]
async fn an_accepted_satellite_is_told_its_id_its_assignments_and_its_interval() {
    let server = server().await;
    let mut satellite = server.dial().await;
    satellite.say(AUTHENTICATE).await;
    let Some(Ok(Message::Text(text))) = satellite.frame().await else { panic!("no answer") };
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        serde_json::json!({
            "type": "authenticated",
            "satelliteId": "00000000-0000-0000-0000-000000000001",
            "assignments": [],
            "heartbeatIntervalMs": 15_000,
        })
    );
}

#[tokio::test]
async fn heartbeats_reach_the_gateway_and_repeat_nothing() {
    let server = server().await;
    let mut satellite = server.connect().await;
    let with = r#"{"type":"heartbeat","version":"2","uptimeSeconds":1,"capabilities":["http"]}"#;
    for text in [HEARTBEAT, HEARTBEAT, with, with] {
        satellite.say(text).await;
    }
    server.until("four heartbeats", |seen| seen.beats.len() == 4).await;
    let beats: Vec<Beat> = server.gateway.seen.lock().beats.iter().map(|b| b.1.clone()).collect();
    let nothing = Beat::default();
    let first = Beat { version: Some("1.0.0".into()), capabilities: None };
    let changed = Beat { version: Some("2".into()), capabilities: Some(vec!["http".into()]) };
    assert_eq!(beats, [first, nothing.clone(), changed, nothing]);
}

#[tokio::test]
async fn what_is_not_understood_is_dropped_and_the_socket_stays() {
    let server = server().await;
    let mut satellite = server.connect().await;
    for text in [
        "",
        "not JSON",
        r#"{"type":"from_the_future","x":1}"#,
        r#"{"type":"heartbeat","version":7,"uptimeSeconds":1}"#,
        r#"{"type":"heartbeat","version":"\ud800","uptimeSeconds":1}"#,
        AUTHENTICATE,
        &"[".repeat(1_000_000),
        r#"{"type":"strategy_error","strategyId":"x","message":"y"}"#,
        r#"{"type":"capability_status","kind":"k","payload":{}}"#,
        HEARTBEAT,
    ] {
        satellite.say(text).await;
    }
    server.until("the heartbeat", |seen| seen.beats.len() == 1).await;
    assert_eq!(server.gateway.seen.lock().attempts, 1);
}

#[tokio::test]
async fn requests_of_capabilities_that_this_server_lacks_are_answered_with_the_protocols_texts() {
    let server = server().await;
    let mut satellite = server.connect().await;
    for (request, answer) in [
        (
            r#"{"type":"request_run_secrets","requestId":"q","configId":"c","collectorId":"e",
                "runId":"r"}"#,
            r#"{"type":"run_secrets","requestId":"q",
                "error":"Secret delivery is not available on this core instance."}"#,
        ),
        (
            r#"{"type":"request_config_secrets","requestId":"q","configId":"c","runId":"r"}"#,
            r#"{"type":"config_secrets","requestId":"q",
                "error":"Config-secret delivery is not available on this core instance."}"#,
        ),
        (
            r#"{"type":"capability_secret_request","requestId":"q","kind":"k\"k","payload":{}}"#,
            r#"{"type":"capability_secret_response","requestId":"q",
                "error":"No secret resolver for capability \"k\"k\" on this core instance."}"#,
        ),
        (
            r#"{"type":"telemetry_batch","batchId":"b","kind":"k","payload":[1]}"#,
            r#"{"type":"telemetry_ack","batchId":"b","accepted":0,"rejected":0,
                "retryable":false}"#,
        ),
        (
            r#"{"type":"request_script_package_manifest","lockfileHash":"h"}"#,
            r#"{"type":"script_package_manifest","lockfileHash":"h","entries":[]}"#,
        ),
        (
            r#"{"type":"request_script_package_blob","integrity":"i"}"#,
            r#"{"type":"script_package_blob","integrity":"i","data":null}"#,
        ),
    ] {
        satellite.say(request).await;
        assert_eq!(satellite.hear().await, ToSatellite::parse(answer).unwrap());
    }
}

#[tokio::test]
async fn a_result_outside_of_the_assignments_is_refused_aloud_only_if_it_has_an_id() {
    let server = server().await;
    let mut satellite = server.connect().await;
    let result = |id: &str| {
        format!(
            r#"{{"type":"result","configId":"c","systemId":"s","status":"healthy",
                "executedAt":"2026-01-31T12:00:00.000Z"{id}}}"#
        )
    };
    satellite.say(result("")).await;
    satellite.say(result(r#","resultId":"r1""#)).await;
    let ToSatellite::ResultAck(ack) = satellite.hear().await else { panic!("no ack") };
    assert_eq!((ack.result_id.as_str(), ack.accepted), ("r1", false));
}

#[tokio::test]
async fn a_ping_is_answered() {
    let server = server().await;
    let mut satellite = server.connect().await;
    satellite.send(Message::Ping(Bytes::from_static(b"there?"))).await;
    let answer = satellite.frame().await;
    assert!(matches!(&answer, Some(Ok(Message::Pong(p))) if p == "there?"), "{answer:?}");
}

#[tokio::test]
async fn a_message_may_come_in_fragments_with_a_ping_between_them() {
    let server = server().await;
    let mut satellite = server.connect().await;
    let (head, tail) = HEARTBEAT.split_at(20);
    let part = |text: &str, kind, last| {
        Message::Frame(Frame::message(
            Bytes::copy_from_slice(text.as_bytes()),
            OpCode::Data(kind),
            last,
        ))
    };
    satellite.send(part(head, Data::Text, false)).await;
    satellite.send(Message::Ping(Bytes::new())).await;
    satellite.send(part(tail, Data::Continue, true)).await;
    server.until("the heartbeat", |seen| seen.beats.len() == 1).await;
}

#[tokio::test]
async fn messages_that_share_a_packet_with_the_handshake_and_with_a_large_one_are_all_heard() {
    let server = server().await;
    let large = HEARTBEAT.replace('}', &format!(r#","pad":"{}"}}"#, "x".repeat(100_000)));
    let texts = [AUTHENTICATE, HEARTBEAT, &large, HEARTBEAT, &large, HEARTBEAT];
    let _open = server.dial_and_say(&texts).await;
    server.until("five heartbeats", |seen| seen.beats.len() == 5).await;
}

#[tokio::test]
async fn a_greater_threshold_stretches_the_idle_limit_of_a_live_socket() {
    let settings = SocketSettings {
        session: SessionSettings {
            least_idle_limit: Millis::new(400),
            ..SessionSettings::default()
        },
        ..SocketSettings::default()
    };
    let server = serve(settings).await;
    let silent = server.connect().await;
    server.order(Order::Threshold(Millis::new(500)));
    let begun = std::time::Instant::now();
    server.until("the idle limit", |seen| seen.closed == [CloseReason::IdleTimeout]).await;
    assert!(begun.elapsed().as_millis() >= 900, "{:?}", begun.elapsed());
    drop(silent);
}

async fn status_of(server: &Server, head: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut request = Vec::new();
    write!(request, "{head}\r\nHost: x\r\n\r\n").unwrap();
    stream.write_all(&request).await.unwrap();
    let mut response = vec![0; 4096];
    let read = stream.read(&mut response).await.unwrap();
    String::from_utf8_lossy(&response[..read]).into_owned()
}

#[tokio::test]
async fn what_is_no_handshake_is_answered_with_what_is_missing() {
    let server = server().await;
    let upgrade = "\r\nConnection: Upgrade\r\nUpgrade: websocket";
    let version = "\r\nSec-WebSocket-Version: 13";
    for (head, status, says) in [
        ("POST / HTTP/1.1".to_owned(), "405", "allow: GET"),
        ("GET / HTTP/1.1".to_owned(), "426", "upgrade: websocket"),
        (format!("GET / HTTP/1.1{upgrade}"), "426", "sec-websocket-version: 13"),
        (format!("GET / HTTP/1.1{upgrade}{version}"), "400", "Sec-WebSocket-Key"),
        (
            format!("GET / HTTP/1.1{upgrade}{version}\r\nSec-WebSocket-Key: short"),
            "400",
            "16 bytes",
        ),
    ] {
        let response = status_of(&server, &head).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {response}");
        assert!(response.contains(says), "{head}: {response}");
    }
    assert_eq!(server.sockets.open(), 0);
}

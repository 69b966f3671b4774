//! Every way in which a socket ends: what the satellite sees, and what is put on record.

use futures_util::SinkExt as _;
use groundcontrol_core::connection::{CloseReason, Fence};
use groundcontrol_core::ports::{Authentication, Order};
use groundcontrol_core::satellite::Epoch;
use groundcontrol_core::session::SessionSettings;
use groundcontrol_core::time::Millis;
use groundcontrol_websocket::SocketSettings;
use groundcontrol_websocket::wire::{AuthFailed, Shutdown, ToSatellite};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::support::{AUTHENTICATE, Answer, HEARTBEAT, Satellite, Server, serve};

const MEBI: usize = 1024 * 1024;

async fn server() -> Server {
    serve(SocketSettings::default()).await
}

fn impatient() -> SocketSettings {
    SocketSettings {
        session: SessionSettings {
            authenticate_within: Millis::new(150),
            ping_interval: Millis::new(100),
            least_idle_limit: Millis::new(300),
            ..SessionSettings::default()
        },
        ..SocketSettings::default()
    }
}

#[tokio::test]
async fn a_close_frame_of_the_peer_is_echoed_and_recorded() {
    let server = server().await;
    let mut satellite = server.connect().await;
    let frame = CloseFrame { code: CloseCode::Away, reason: "bye".into() };
    satellite.send(Message::Close(Some(frame.clone()))).await;
    let heard = satellite.frame().await;
    assert!(matches!(&heard, Some(Ok(Message::Close(Some(echo)))) if *echo == frame), "{heard:?}");
    assert!(satellite.frame().await.is_none());
    assert_eq!(server.recorded().await, [CloseReason::ClientClosed]);
}

#[tokio::test]
async fn a_transport_that_breaks_is_recorded_as_lost() {
    let server = server().await;
    drop(server.connect().await);
    assert_eq!(server.recorded().await, [CloseReason::ConnectionLost]);
}

#[tokio::test]
async fn a_socket_without_any_frame_is_pinged_and_then_closed_as_idle() {
    let server = serve(impatient()).await;
    let mut satellite = server.connect().await;
    // While nobody reads at this end, no ping is answered.
    server.until("the idle limit", |seen| !seen.closed.is_empty()).await;
    let first = satellite.frame().await;
    assert!(matches!(first, Some(Ok(Message::Ping(_)))), "{first:?}");
    assert_eq!(satellite.close_code().await, Some(4408));
    assert_eq!(server.recorded().await, [CloseReason::IdleTimeout]);
}

#[tokio::test]
async fn pongs_alone_keep_a_socket_alive() {
    let server = serve(impatient()).await;
    let mut satellite = server.connect().await;
    for _ in 0..8 {
        let frame = satellite.frame().await;
        assert!(matches!(frame, Some(Ok(Message::Ping(_)))), "{frame:?}");
    }
    assert!(server.gateway.seen.lock().closed.is_empty());
}

#[tokio::test]
async fn a_message_of_one_byte_too_many_closes_with_1009() {
    let server = server().await;
    let mut satellite = server.connect().await;
    // The server may close before all of it is written.
    let _ = satellite.socket.send(Message::text("x".repeat(16 * MEBI + 1))).await;
    assert_eq!(satellite.close_code().await, Some(1009));
    assert_eq!(server.recorded().await, [CloseReason::ProtocolError]);
}

#[tokio::test]
async fn fragments_that_grow_beyond_the_limit_close_with_1009() {
    let settings = SocketSettings {
        session: SessionSettings { max_message: 1000, ..SessionSettings::default() },
        ..SocketSettings::default()
    };
    let server = serve(settings).await;
    let mut satellite = server.connect().await;
    for opcode in [Data::Text, Data::Continue, Data::Continue] {
        let frame = Frame::message(Bytes::from(vec![b' '; 400]), OpCode::Data(opcode), false);
        satellite.send(Message::Frame(frame)).await;
    }
    assert_eq!(satellite.close_code().await, Some(1009));
}

#[tokio::test]
async fn the_largest_message_is_taken() {
    let server = server().await;
    let mut satellite = server.connect().await;
    let padding = 16 * MEBI - HEARTBEAT.len() - r#","pad":"""#.len();
    let large = HEARTBEAT.replace('}', &format!(r#","pad":"{}"}}"#, "x".repeat(padding)));
    assert_eq!(large.len(), 16 * MEBI);
    satellite.say(large).await;
    server.until("the heartbeat", |seen| seen.beats.len() == 1).await;
}

#[tokio::test]
async fn before_authentication_only_small_messages_are_taken() {
    let server = server().await;
    let mut satellite = server.dial().await;
    let padded = AUTHENTICATE.to_owned() + &" ".repeat(4097 - AUTHENTICATE.len());
    satellite.say(padded).await;
    assert_eq!(satellite.close_code().await, Some(1009));
    let mut satellite = server.dial().await;
    satellite.say(AUTHENTICATE.to_owned() + &" ".repeat(4096 - AUTHENTICATE.len())).await;
    assert!(matches!(satellite.hear().await, ToSatellite::Authenticated(_)));
    drop(satellite);
    assert_eq!(server.recorded().await, [CloseReason::ConnectionLost]);
}

#[tokio::test]
async fn a_binary_message_closes_with_1003() {
    let server = server().await;
    let mut satellite = server.connect().await;
    satellite.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(satellite.close_code().await, Some(1003));
    assert_eq!(server.recorded().await, [CloseReason::ProtocolError]);
}

#[tokio::test]
async fn text_that_is_not_utf_8_closes_with_1007() {
    let server = server().await;
    let mut satellite = server.connect().await;
    let frame = Frame::message(vec![b'"', 0xff, b'"'], OpCode::Data(Data::Text), true);
    satellite.send(Message::Frame(frame)).await;
    assert_eq!(satellite.close_code().await, Some(1007));
    assert_eq!(server.recorded().await, [CloseReason::ProtocolError]);
}

#[tokio::test]
async fn a_frame_that_is_none_closes_with_1002() {
    let server = server().await;
    let mut satellite = server.connect().await;
    satellite.socket.get_mut().write_all(&[0xff, 0x80, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(satellite.close_code().await, Some(1002));
    assert_eq!(server.recorded().await, [CloseReason::ProtocolError]);
}

/// A message whose answer is as large.
fn echoed(bytes: usize) -> String {
    let id = "x".repeat(bytes);
    format!(r#"{{"type":"telemetry_batch","batchId":"{id}","kind":"k","payload":[]}}"#)
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_closed_with_1008_even_if_it_cannot_be_told() {
    let settings = SocketSettings { closing_within: Millis::new(100), ..Default::default() };
    let server = serve(settings).await;
    let mut satellite = server.connect().await;
    let request = echoed(MEBI);
    // Until the kernel's buffers and then the server's queue are full. The server stops reading
    // when it closes, so that a write may fail or not end.
    for _ in 0..60 {
        let sent = satellite.socket.send(Message::text(request.clone()));
        let sent = tokio::time::timeout(std::time::Duration::from_secs(2), sent).await;
        if !matches!(sent, Ok(Ok(()))) {
            break;
        }
    }
    server.until("the end", |seen| !seen.closed.is_empty()).await;
    assert_eq!(server.recorded().await, [CloseReason::SlowConsumer]);
}

#[tokio::test]
async fn a_peer_that_takes_nothing_for_too_long_is_too_slow_however_little_waits() {
    let settings = SocketSettings {
        stalled_after: Millis::new(200),
        closing_within: Millis::new(100),
        ..Default::default()
    };
    let server = serve(settings).await;
    let mut satellite = server.connect().await;
    satellite.say(echoed(15 * MEBI)).await;
    server.until("the end", |seen| !seen.closed.is_empty()).await;
    assert_eq!(server.recorded().await, [CloseReason::SlowConsumer]);
}

#[tokio::test]
async fn too_many_orders_at_once_close_with_1008() {
    let server = server().await;
    let satellite = server.connect().await;
    let outbox = server.gateway.seen.lock().outboxes[0].clone();
    for _ in 0..257 {
        outbox.deliver(Order::Threshold(Millis::from_secs(45)));
    }
    assert_eq!(satellite.close_code().await, Some(1008));
    assert_eq!(server.recorded().await, [CloseReason::SlowConsumer]);
}

#[tokio::test]
async fn a_revoked_satellite_is_told_to_stop_and_closed_with_4403() {
    let server = server().await;
    let satellite = server.connect().await;
    server.order(Order::Shutdown { reason: "Token was revoked" });
    let (said, code) = satellite.rest().await;
    assert_eq!(said, [ToSatellite::Shutdown(Shutdown { reason: "Token was revoked".into() })]);
    assert_eq!(code, Some(4403));
    assert_eq!(server.recorded().await, []);
}

#[tokio::test]
async fn t6_a_fenced_socket_is_closed_with_4409_or_4403_when_gone_and_records_nothing() {
    let server = server().await;
    for (fence, expected) in [(Fence::Superseded, 4409), (Fence::Closed, 4409), (Fence::Gone, 4403)]
    {
        let satellite = server.connect().await;
        server.order(Order::Fenced(fence));
        assert_eq!(satellite.rest().await, (vec![], Some(expected)), "{fence:?}");
    }
    assert_eq!(server.recorded().await, []);
}

#[tokio::test]
async fn a_takeover_from_a_peer_that_answers_is_told_and_one_from_a_silent_peer_is_not() {
    let settings = SocketSettings { closing_within: Millis::new(50), ..SocketSettings::default() };
    let server = serve(settings).await;
    let silent = server.connect().await;
    server.order(Order::Fenced(Fence::Superseded));
    server.recorded().await;
    assert_eq!(server.gateway.seen.lock().displaced, []);
    drop(silent);

    for fence in [Fence::Closed, Fence::Superseded] {
        let alive = server.connect().await;
        server.order(Order::Fenced(fence));
        assert_eq!(alive.close_code().await, Some(4409));
        server.recorded().await;
    }
    assert_eq!(server.gateway.seen.lock().displaced, [Epoch(1)]);
}

#[tokio::test]
async fn t4_a_drained_socket_is_closed_with_1012() {
    let server = server().await;
    let satellite = server.connect().await;
    server.order(Order::Drain);
    assert_eq!(satellite.close_code().await, Some(1012));
    assert_eq!(server.recorded().await, [CloseReason::Drained]);
}

#[tokio::test]
async fn stopping_sends_home_who_did_not_authenticate_and_takes_nobody_new() {
    let server = server().await;
    let waiting = server.dial().await;
    let authenticated = server.connect().await;
    server.sockets.stop();
    assert_eq!(waiting.close_code().await, Some(1012));
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /api/ws/satellite HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 503");
    assert!(server.gateway.seen.lock().closed.is_empty());
    drop(authenticated);
    assert_eq!(server.recorded().await, [CloseReason::ConnectionLost]);
}

#[tokio::test]
async fn a_socket_that_does_not_authenticate_in_time_is_closed_with_4408() {
    let server = serve(impatient()).await;
    let satellite = server.dial().await;
    assert_eq!(satellite.close_code().await, Some(4408));
    assert_eq!(server.recorded().await, []);
}

fn failed(reason: &str) -> Vec<ToSatellite> {
    vec![ToSatellite::AuthFailed(AuthFailed { reason: reason.into() })]
}

#[tokio::test]
async fn anything_but_authenticate_first_is_refused_and_closed_with_4401() {
    let server = server().await;
    for first in [
        HEARTBEAT,
        "hello",
        "{}",
        r#"{"type":"from_the_future"}"#,
        r#"{"type":"authenticate","clientId":7,"token":"csat_x"}"#,
        r#"{"type":"authenticate","clientId":"x"}"#,
    ] {
        let mut satellite = server.dial().await;
        satellite.say(first).await;
        let heard = satellite.rest().await;
        assert_eq!(heard, (failed("Must authenticate first"), Some(4401)), "{first}");
    }
    assert_eq!(server.gateway.seen.lock().attempts, 0);
    assert_eq!(server.recorded().await, []);
}

#[tokio::test]
async fn a_refused_satellite_is_told_why_and_closed_with_4401() {
    let server = server().await;
    server
        .answer(Answer::Give(|| Authentication::Refused { reason: "Invalid client ID or token" }));
    let mut satellite = server.dial().await;
    satellite.say(AUTHENTICATE).await;
    assert_eq!(satellite.rest().await, (failed("Invalid client ID or token"), Some(4401)));
    assert_eq!(server.recorded().await, []);
}

#[tokio::test]
async fn a_satellite_that_cannot_be_served_just_now_is_closed_without_auth_failed() {
    let server = server().await;
    let answers: [(fn() -> Authentication, u16); 2] =
        [(|| Authentication::Unavailable, 1013), (|| Authentication::Fight, 4429)];
    for (answer, expected) in answers {
        server.answer(Answer::Give(answer));
        let mut satellite = server.dial().await;
        satellite.say(AUTHENTICATE).await;
        assert_eq!(satellite.rest().await, (vec![], Some(expected)));
    }
    assert_eq!(server.recorded().await, []);
}

#[tokio::test]
async fn a_panic_ends_one_socket_and_its_end_is_recorded() {
    let server = server().await;
    let mut others: Satellite = server.connect().await;
    let mut unlucky = server.connect().await;
    server.answer(Answer::PanicAtHeartbeats);
    unlucky.say(HEARTBEAT).await;
    server.until("the record", |seen| seen.closed == [CloseReason::ConnectionLost]).await;
    assert_eq!(unlucky.close_code().await, None);
    server.answer(Answer::Accept);
    others.say(HEARTBEAT).await;
    server.until("the other's heartbeat", |seen| seen.beats.len() == 1).await;
}

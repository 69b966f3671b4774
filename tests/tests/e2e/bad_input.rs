//! Whatever a socket sends: a clear end, or nothing at all, and never harm to another.

use groundcontrol_testkit::server::{
    Api, Beating, Said, Satellite, Server, Site, Socket, edges, eventually,
};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Bytes of the largest message before and after authentication.
const BEFORE: usize = 4 * 1024;
const AFTER: usize = 16 * 1024 * 1024;

async fn site() -> (Site, Server, Api, Satellite) {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    (site, server, api, satellite)
}

/// Sends a text as the first message: the refusal is always the same.
async fn refused_at_first(server: &Server, text: &str) {
    let mut socket = Socket::open(server).await;
    socket.send_text(text).await;
    let (messages, code) = socket.ended().await;
    let shown: String = text.chars().take(80).collect();
    assert_eq!(
        messages,
        [json!({"type": "auth_failed", "reason": "Must authenticate first"})],
        "{shown}"
    );
    assert_eq!(code, Some(4401), "{shown}");
}

/// Whether the session is still open and heard.
async fn still_alive(api: &Api, satellite: &Satellite, socket: Socket) {
    let beating = Beating::new(socket);
    eventually("heartbeats go on", async || {
        let before = api.satellite(&satellite.id).await["lastSeenAt"].clone();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        (api.satellite(&satellite.id).await["lastSeenAt"] != before).then_some(())
    })
    .await;
    let _open = beating.stop().await;
    let history = edges(&api.transitions(&satellite.id).await);
    assert_eq!(history, ["connected authenticated"]);
}

#[tokio::test]
async fn whatever_comes_first_but_authenticate_is_refused_with_4401() {
    let (_site, server, _api, satellite) = site().await;
    let deep = "[".repeat(2_000) + &"]".repeat(2_000);
    for text in [
        "",
        "not JSON",
        "null",
        "[]",
        "{}",
        r#"{"type":"heartbeat","version":"1","uptimeSeconds":1}"#,
        r#"{"type":"authenticate"}"#,
        r#"{"type":"authenticate","clientId":1,"token":2}"#,
        r#"{"type":"authenticate","clientId":"\ud800","token":"x"}"#,
        r#"{"type":"later"}"#,
        &deep,
    ] {
        refused_at_first(&server, text).await;
    }
    // The limits of failed attempts are for credentials; this satellite has used none.
    Socket::connect(&server, &satellite).await;
}

#[tokio::test]
async fn ids_and_tokens_of_any_text_get_the_one_refusal() {
    let (_site, server, _api, _satellite) = site().await;
    for (id, token) in [
        ("", ""),
        ("\u{0}", "\u{0}"),
        ("00000000-0000-0000-0000-000000000000", "csat_"),
        ("' OR 1=1 --", "' OR 1=1 --"),
        (&"9".repeat(1_500), &"é".repeat(600)),
    ] {
        let mut socket = Socket::open(&server).await;
        socket.send(json!({"type": "authenticate", "clientId": id, "token": token})).await;
        let (messages, code) = socket.ended().await;
        let expected = json!({"type": "auth_failed", "reason": "Invalid client ID or token"});
        assert_eq!((messages.as_slice(), code), ([expected].as_slice(), Some(4401)), "{id:?}");
    }
}

#[tokio::test]
async fn a_first_message_that_is_too_large_ends_the_socket_with_1009() {
    let (_site, server, _api, _satellite) = site().await;
    let mut socket = Socket::open(&server).await;
    socket.send_text(&"x".repeat(BEFORE + 1)).await;
    assert_eq!(socket.ended().await, (Vec::new(), Some(1009)));
}

#[tokio::test]
async fn a_binary_message_ends_a_session_with_1003_as_a_protocol_error() {
    let (_site, server, api, satellite) = site().await;
    let mut socket = Socket::connect(&server, &satellite).await;
    socket.send_frame(Message::binary(Bytes::from_static(b"\x00\x01"))).await;
    assert_eq!(socket.ended().await.1, Some(1003));
    eventually("the end is recorded", async || {
        let history = edges(&api.transitions(&satellite.id).await);
        (history == ["connected authenticated", "disconnected protocol_error"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_message_of_sixteen_mebibytes_passes_and_one_byte_more_ends_the_session() {
    let (_site, server, api, satellite) = site().await;
    let mut socket = Socket::connect(&server, &satellite).await;
    let frame = |bytes: usize| {
        let head = r#"{"type":"later","padding":""#;
        format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2))
    };
    socket.send_text(&frame(AFTER)).await;
    socket.heartbeat().await;
    assert_eq!(api.status(&satellite.id).await, "online");
    socket.send_text(&frame(AFTER + 1)).await;
    assert_eq!(socket.ended().await.1, Some(1009));
    eventually("the end is recorded", async || {
        let history = edges(&api.transitions(&satellite.id).await);
        (history.last()? == "disconnected protocol_error").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_session_says_that_is_no_message_is_dropped_and_the_session_goes_on() {
    let (_site, server, api, satellite) = site().await;
    let mut socket = Socket::connect(&server, &satellite).await;
    for text in [
        "",
        "not JSON",
        "\u{0}",
        r#""\ud800""#,
        r#"{"type":"later","with":["new",{"fields":1}]}"#,
        r#"{"type":"heartbeat"}"#,
        r#"{"type":"heartbeat","version":7,"uptimeSeconds":"long"}"#,
        r#"{"type":"heartbeat","version":"1","uptimeSeconds":-1}"#,
        r#"{"type":"authenticate","clientId":"again","token":"again"}"#,
        r#"{"type":"result","configId":"a","systemId":"b","status":"unwell","executedAt":"x"}"#,
        r#"{"type":["heartbeat"]}"#,
        &("[".repeat(100_000) + &"]".repeat(100_000)),
        &format!(
            r#"{{"type":"heartbeat","version":"{}","uptimeSeconds":1e300}}"#,
            "v".repeat(9_999)
        ),
    ] {
        socket.send_text(text).await;
    }
    still_alive(&api, &satellite, socket).await;
}

#[tokio::test]
async fn work_that_this_satellite_was_not_given_is_answered_and_not_stored() {
    let (_site, server, _api, satellite) = site().await;
    let mut socket = Socket::connect(&server, &satellite).await;
    let result = json!({
        "type": "result", "configId": "a", "systemId": "b", "status": "healthy",
        "executedAt": "2026-01-01T00:00:00.000Z", "resultId": "r1",
    });
    socket.send(result).await;
    match socket.next().await {
        Said::Message(said) => {
            assert_eq!(said["type"], "result_ack");
            assert_eq!((&said["resultId"], &said["accepted"]), (&json!("r1"), &json!(false)));
        }
        Said::Closed(code) => panic!("closed with {code:?}"),
    }
    let secrets = json!({
        "type": "request_run_secrets", "requestId": "q1", "configId": "a", "collectorId": "c",
        "runId": "r",
    });
    socket.send(secrets).await;
    match socket.next().await {
        Said::Message(said) => {
            assert_eq!((&said["type"], &said["requestId"]), (&json!("run_secrets"), &json!("q1")));
            assert!(said["error"].is_string() && said.get("env").is_none(), "{said}");
        }
        Said::Closed(code) => panic!("closed with {code:?}"),
    }
}

#[tokio::test]
async fn a_flood_slows_its_sender_and_nobody_else() {
    let (site, server, api, flooder) = site().await;
    let other = api.create(&site).await;
    let mut flood = Socket::connect(&server, &flooder).await;
    let beating = Beating::new(Socket::connect(&server, &other).await);
    // Large enough that buffers on the way do not swallow them all.
    let message = format!(r#"{{"type":"later","padding":"{}"}}"#, "x".repeat(1_000));
    let task = tokio::spawn(async move {
        for _ in 0..100_000 {
            flood.send_text(&message).await;
        }
    });
    tokio::time::sleep(3 * groundcontrol_testkit::server::THRESHOLD).await;
    assert_eq!(edges(&api.transitions(&other.id).await), ["connected authenticated"]);
    assert!(!task.is_finished(), "a hundred thousand messages were read without a pause");
    task.abort();
    beating.stop().await;
}

#[tokio::test]
async fn sockets_that_never_authenticate_are_bounded_and_others_still_get_in() {
    let site = Site::new();
    let server = site.serve_with(&["--max-unauthenticated", "50"]).await;
    let satellite = site.api(&server).create(&site).await;
    let mut strangers = Vec::new();
    for _ in 0..200 {
        if let Ok(socket) = Socket::try_open(server.url()).await {
            strangers.push(socket);
        }
    }
    Socket::connect(&server, &satellite).await;
}

#[tokio::test]
async fn a_plain_request_for_the_satellites_path_is_refused_as_http() {
    let (_site, _server, api, _satellite) = site().await;
    let answer = api.get("/api/ws/satellite").await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
}

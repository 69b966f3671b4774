//! The agent over real sockets.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;

async fn listen() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, Endpoint::parse(&url, false).unwrap())
}

fn network(endpoint: Endpoint) -> Network {
    let tls = client_config(endpoint.is_secure(), None::<&Path>).unwrap();
    Network::new(endpoint, tls)
}

/// What a whole agent is told that dials `endpoint`.
fn settings(endpoint: Endpoint) -> Settings {
    let tls = client_config(endpoint.is_secure(), None::<&Path>).unwrap();
    let work = WorkSettings {
        concurrency: CONCURRENCY,
        roots: rustls::RootCertStore::empty(),
        javascript: None,
        packages: None,
    };
    Settings { endpoint, tls, identity: identity(), timing: Timing::default(), work }
}

#[tokio::test]
async fn the_agent_speaks_over_tcp() {
    let (listener, endpoint) = listen().await;
    let shutdown = CancellationToken::new();
    let agent = tokio::spawn(run(settings(endpoint), shutdown.clone()));
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    let first = socket.next().await.unwrap().unwrap();
    assert!(first.to_text().unwrap().contains(CLIENT_ID));
    shutdown.cancel();
    while let Some(Ok(_)) = socket.next().await {}
    assert_eq!(agent.await.unwrap().unwrap(), Exit::Stopped);
}

#[tokio::test]
async fn a_server_without_the_protocol_is_told_from_one_that_is_away() {
    let (listener, endpoint) = listen().await;
    let other = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream
    });
    let refused = network(endpoint.clone()).dial().await.unwrap_err();
    assert!(refused.to_string().contains("HTTP 404"), "{refused}");
    drop(other.await.unwrap());
    let away = network(endpoint).dial().await.unwrap_err();
    assert!(away.to_string().starts_with("could not reach 127.0.0.1:"), "{away}");
}

#[tokio::test]
async fn a_peer_without_tls_is_no_secure_server() {
    let (listener, endpoint) = listen().await;
    let secure = endpoint.to_string().replace("http://", "wss://");
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    });
    let refused = network(Endpoint::parse(&secure, false).unwrap()).dial().await.unwrap_err();
    assert!(matches!(refused, DialError::Tls { .. }), "{refused}");
    drop(plain.await.unwrap());
}

#[tokio::test]
async fn the_agent_runs_what_it_is_assigned_and_sends_what_it_found() {
    let (listener, endpoint) = listen().await;
    let agent = tokio::spawn(run(settings(endpoint), CancellationToken::new()));
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let assignment = serde_json::json!({
        "configId": "c", "systemId": "s", "intervalSeconds": 1,
        "strategyId": "healthcheck-tcp.tcp",
        "config": {"host": "127.0.0.1", "port": target.local_addr().unwrap().port()},
    });
    let accepted = serde_json::json!({
        "type": "authenticated", "satelliteId": CLIENT_ID, "assignments": [assignment],
    });
    socket.send(Message::text(accepted.to_string())).await.unwrap();
    let result = loop {
        let message = socket.next().await.unwrap().unwrap();
        let Message::Text(text) = message else { continue };
        if text.contains(r#""type":"result""#) {
            break text;
        }
    };
    assert!(result.contains(r#""status":"healthy""#), "{result}");
    agent.abort();
}

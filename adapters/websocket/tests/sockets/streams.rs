//! Whatever stream carries it, a socket works the same.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use groundcontrol_core::connection::CloseReason;
use groundcontrol_websocket::SocketSettings;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::tungstenite::Message;

use super::support::{AUTHENTICATE, HEARTBEAT, Server, serve, serve_stream};

/// Authenticates, says something large and something small, and leaves.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(server: &Server, stream: S) {
    let url = "ws://localhost/api/ws/satellite";
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    socket.send(Message::text(AUTHENTICATE)).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains("authenticated"), "{answer}");
    let large = HEARTBEAT.replace('}', &format!(r#","pad":"{}"}}"#, "x".repeat(300_000)));
    socket.send(Message::text(large)).await.unwrap();
    socket.send(Message::text(HEARTBEAT)).await.unwrap();
    server.until("both heartbeats", |seen| seen.beats.len() == 2).await;
    socket.send(Message::Close(None)).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(None)))));
    assert_eq!(server.recorded().await, [CloseReason::ClientClosed]);
}

#[tokio::test]
async fn tls_carries_a_socket() {
    let server = serve(SocketSettings::default()).await;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let accepting = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let dialling = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sockets = server.sockets.clone();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = TlsAcceptor::from(Arc::new(accepting)).accept(stream).await.unwrap();
        serve_stream(sockets, stream).await;
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(dialling)).connect(name, stream).await.unwrap();
    converse(&server, stream).await;
}

#[tokio::test]
async fn any_other_stream_carries_a_socket() {
    let server = serve(SocketSettings::default()).await;
    let (near, far) = tokio::io::duplex(1000);
    tokio::spawn(serve_stream(server.sockets.clone(), far));
    converse(&server, near).await;
}

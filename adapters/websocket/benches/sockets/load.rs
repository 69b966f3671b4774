//! The load: satellites by the thousand.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

type Socket = WebSocketStream<TcpStream>;

const DIALLING_AT_ONCE: usize = 128;
/// Loopback addresses to dial from, so that ports do not run out.
const SOURCES: usize = 64;
const FIRST: &str = r#"{"type":"authenticate","clientId":"00000000-0000-0000-0000-000000000001","token":"csat_0123456789012345678901234567890123456789012"}"#;

/// Satellites that stay connected.
pub(crate) struct Fleet(Vec<Socket>);

impl Fleet {
    pub(crate) async fn connect(server: SocketAddr, count: usize) -> Self {
        Self(connect(server, count, true).await)
    }

    /// The first `count` say something of `bytes` bytes that a server drops, or echoes.
    pub(crate) async fn say_large(&mut self, count: usize, bytes: usize) {
        let pad = "x".repeat(bytes);
        let text =
            format!(r#"{{"type":"telemetry_batch","batchId":"b","kind":"k","payload":"{pad}"}}"#);
        for socket in self.0.iter_mut().take(count) {
            socket.send(Message::text(text.clone())).await.expect("it is taken");
            let _ = socket.next().await.expect("it is answered");
        }
    }
}

/// Dials `count` times, each time until the first message is answered; connections a second.
pub(crate) async fn storm(server: SocketAddr, count: usize) -> f64 {
    connect(server, 1_000, false).await;
    let begun = Instant::now();
    connect(server, count, false).await;
    count as f64 / begun.elapsed().as_secs_f64()
}

async fn connect(server: SocketAddr, count: usize, keep: bool) -> Vec<Socket> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut diallers = JoinSet::new();
    for _ in 0..DIALLING_AT_ONCE {
        let next = next.clone();
        diallers.spawn(async move {
            let mut kept = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return kept;
                }
                let socket = dial(server, number).await;
                if keep {
                    kept.push(socket);
                }
            }
        });
    }
    diallers.join_all().await.into_iter().flatten().collect()
}

async fn dial(server: SocketAddr, number: usize) -> Socket {
    let source = Ipv4Addr::new(127, 0, 1, 1 + (number % SOURCES) as u8);
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((source, 0).into()).expect("a free port");
    let stream = socket.connect(server).await.expect("the server listens");
    let _ = stream.set_nodelay(true);
    let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(0);
    let url = format!("ws://{server}/api/ws/satellite");
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config))
        .await
        .expect("an upgrade");
    socket.send(Message::text(FIRST)).await.expect("it is taken");
    let answer = socket.next().await.expect("an answer").expect("an answer");
    assert!(answer.is_text(), "{answer:?}");
    socket
}

//! The two servers, each in a process of its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{SinkExt as _, StreamExt as _};
use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::{
    Attempt, Authentication, Beat, Outbox, SatelliteGateway, SessionRef, Welcome,
};
use groundcontrol_core::satellite::{Epoch, SatelliteId, SessionId};
use groundcontrol_core::time::Millis;
use groundcontrol_websocket::{SatelliteSockets, SocketSettings};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// A server's process, seen from the one that makes the load.
pub(crate) struct Child {
    pub(crate) address: SocketAddr,
    process: std::process::Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn start(bare: bool) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["serve", if bare { "bare" } else { "ours" }])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server starts");
        let ask = process.stdin.take().expect("piped");
        let mut answers = BufReader::new(process.stdout.take().expect("piped"));
        let address = read_line(&mut answers).parse().expect("an address");
        Self { address, process, ask, answers }
    }

    /// Its resident bytes.
    pub(crate) fn resident(&mut self) -> usize {
        writeln!(self.ask, "resident?").expect("it listens");
        read_line(&mut self.answers).parse().expect("a number")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read_line(from: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("the server answers");
    line.trim().to_owned()
}

/// Serves until standard input ends; answers each line on it with the resident bytes.
pub(crate) fn serve(bare: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    runtime.spawn(async move {
        if bare { accept_bare(listener).await } else { accept_ours(listener).await }
    });
    for _ in std::io::stdin().lock().lines() {
        println!("{}", resident());
    }
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    let kib: usize = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("KiB");
    kib * 1024
}

async fn accept_bare(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        tokio::spawn(echo(stream));
    }
}

async fn echo(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(0);
    let accepted = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await;
    let Ok(mut socket) = accepted else { return };
    while let Some(Ok(message)) = socket.next().await {
        if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn accept_ours(listener: TcpListener) {
    let sockets = SatelliteSockets::new(Arc::new(AcceptAll::default()), SocketSettings::default());
    loop {
        let (stream, remote) = listener.accept().await.expect("a connection");
        let _ = stream.set_nodelay(true);
        let sockets = sockets.clone();
        let service = service_fn(move |request| {
            let response = sockets.upgrade(request, remote.ip());
            async move { Ok::<_, Infallible>(response) }
        });
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    }
}

/// Accepts everybody and keeps their outboxes, as a server must.
#[derive(Default)]
struct AcceptAll {
    outboxes: Mutex<HashMap<SessionId, Arc<dyn Outbox>>>,
}

#[async_trait]
impl SatelliteGateway for AcceptAll {
    async fn authenticate(&self, attempt: Attempt) -> Authentication {
        self.outboxes.lock().insert(attempt.session, attempt.outbox);
        let satellite = SatelliteId(attempt.session.0);
        Authentication::Accepted(Welcome {
            session: SessionRef { satellite, epoch: Epoch(1), session: attempt.session },
            heartbeat_interval: Millis::from_secs(15),
            threshold: Millis::from_secs(45),
            configured: None,
            sandbox_policy: None,
        })
    }

    fn heartbeat(&self, _: SessionRef, _: Beat) {}

    async fn closed(&self, session: SessionRef, _: CloseReason) {
        self.outboxes.lock().remove(&session.session);
    }

    fn displaced(&self, _: SessionRef, _: std::net::IpAddr) {}
}

//! The agent against a server that a test plays, in memory and in paused time, so that every
//! wait is exact and takes no time.

mod endings;
mod waiting;
mod network;
mod working;
mod installing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join;
use futures_util::{SinkExt, StreamExt};
use groundcontrol_core::satellite::Token;
use groundcontrol_probes::Probes;
use groundcontrol_websocket::wire::FromSatellite;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};
use tokio_util::sync::CancellationToken;

use super::packages::keep_in_step;
use super::run::{beside, run_with};
use super::work::{Desk, Runner};
use super::*;

const CLIENT_ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn identity() -> Identity {
    Identity { client_id: CLIENT_ID.parse().unwrap(), token: Token::presented("csat_x") }
}

/// Dials into the test's hands.
struct Pipe(mpsc::UnboundedSender<DuplexStream>);

#[async_trait]
impl Dial for Pipe {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<WebSocketStream<DuplexStream>, DialError> {
        let (near, far) = tokio::io::duplex(16 * 1024);
        self.0.send(far).unwrap();
        let url = "ws://127.0.0.1/api/ws/satellite".to_owned();
        match client_async(url.as_str(), near).await {
            Ok((socket, _)) => Ok(socket),
            Err(source) => Err(DialError::Upgrade { url, source: Box::new(source) }),
        }
    }
}

/// The server's side: every dial, and the agent that makes them.
struct Server {
    dials: mpsc::UnboundedReceiver<DuplexStream>,
    agent: JoinHandle<Exit>,
    shutdown: CancellationToken,
}

impl Server {
    /// An agent that has nothing to check with.
    fn start() -> Self {
        Self::start_with(Probes::none(), 1)
    }

    /// An agent that keeps packages in this folder.
    fn start_in(packages: &Path) -> Self {
        Self::start_anywhere(Probes::none(), 1, Some(packages.to_owned()))
    }

    /// An agent that checks with `probes`, so many at the same time.
    fn start_with(probes: Probes, concurrency: usize) -> Self {
        Self::start_anywhere(probes, concurrency, None)
    }

    fn start_anywhere(probes: Probes, concurrency: usize, packages: Option<PathBuf>) -> Self {
        let (sender, dials) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let agent = tokio::spawn(async move {
            let (pipe, identity, timing) = (Pipe(sender), identity(), Timing::default());
            let desk = Arc::new(Desk::new());
            let runner = Runner::new(desk.clone(), Arc::new(probes), concurrency, || 0.0);
            let connected = run_with(&pipe, &identity, &timing, || 0.5, &desk, &stop);
            let packages = keep_in_step(desk.clone(), packages);
            beside(connected, join(runner.run(), packages)).await
        });
        Self { dials, agent, shutdown }
    }

    /// The next dial, before it is answered.
    async fn dial(&mut self) -> DuplexStream {
        self.dials.recv().await.unwrap()
    }

    /// The next connection, with `authenticate` read.
    async fn connection(&mut self) -> Connection {
        let mut connection = Connection(accept_async(self.dial().await).await.unwrap());
        let first = connection.text().await;
        assert!(
            matches!(FromSatellite::parse(&first), Ok(FromSatellite::Authenticate(_))),
            "{first}"
        );
        connection
    }

    /// The next connection, authenticated.
    async fn session(&mut self) -> Connection {
        let mut connection = self.connection().await;
        connection.say(&authenticated("")).await;
        connection
    }

    async fn exit(self) -> Exit {
        self.agent.await.unwrap()
    }
}

struct Connection(WebSocketStream<DuplexStream>);

impl Connection {
    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        self.0.next().await
    }

    async fn text(&mut self) -> String {
        match self.next().await {
            Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
            other => panic!("expected a text, got {other:?}"),
        }
    }

    async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.0.close(Some(frame)).await.unwrap();
        while let Some(Ok(_)) = self.next().await {}
    }
}

fn authenticated(extra: &str) -> String {
    format!(r#"{{"type":"authenticated","satelliteId":"{CLIENT_ID}","assignments":[]{extra}}}"#)
}

/// Whole milliseconds since `start`.
fn since(start: Instant) -> u128 {
    start.elapsed().as_millis()
}

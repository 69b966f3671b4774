//! A satellite that says exactly what a test wants, and nothing by itself.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::api::{Api, Satellite};
use super::process::Server;
use super::wait::{eventually, within};

/// The satellites' WebSocket.
pub struct Socket<S = TcpStream>(WebSocketStream<S>);

/// What the server said.
#[derive(Clone, Debug)]
pub enum Said {
    /// A message.
    Message(Value),
    /// The connection is over, with this close code; none where it just broke.
    Closed(Option<u16>),
}

impl Socket {
    /// Opens a WebSocket, and says nothing on it.
    ///
    /// # Panics
    /// Where it cannot be opened.
    pub async fn open(server: &Server) -> Self {
        Self::open_at(server.url()).await
    }

    /// As [`open`](Self::open), by URL.
    pub async fn open_at(url: &str) -> Self {
        Self::try_open(url).await.expect("the WebSocket can be opened")
    }

    /// As [`connect`](Self::connect), by URL.
    pub async fn at(url: &str, satellite: &Satellite) -> Self {
        let mut socket = Self::open_at(url).await;
        socket.authenticate(satellite).await;
        socket
    }

    /// As [`open`](Self::open); an error says why there is no WebSocket.
    pub async fn try_open(url: &str) -> Result<Self, String> {
        let address = url.strip_prefix("http://").expect("the server speaks http");
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        Self::upgrade(stream, address).await
    }

    /// A satellite that connected and was accepted.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn connect(server: &Server, satellite: &Satellite) -> Self {
        Self::at(server.url(), satellite).await
    }
}

impl Socket {
    /// A satellite that connects and closes politely, and both are recorded when this returns.
    pub async fn visit(server: &Server, api: &Api, satellite: &Satellite) {
        let before = api.transitions(&satellite.id).await.len();
        Self::connect(server, satellite).await.close().await;
        eventually("the visit is recorded", async || {
            (api.transitions(&satellite.id).await.len() == before + 2).then_some(())
        })
        .await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Upgrades a stream to `host`.
    pub async fn upgrade(stream: S, host: &str) -> Result<Self, String> {
        let upgrade = client_async(format!("ws://{host}/api/ws/satellite"), stream);
        let upgraded = within("the upgrade is answered", upgrade).await;
        upgraded.map(|(socket, _)| Self(socket)).map_err(|error| error.to_string())
    }

    /// Authenticates, and answers what `authenticated` says.
    ///
    /// # Panics
    /// Where the server says anything else.
    pub async fn authenticate(&mut self, satellite: &Satellite) -> Value {
        match self.present(satellite).await {
            Said::Message(said) if said["type"] == "authenticated" => said,
            other => panic!("expected to be authenticated, got {other:?}"),
        }
    }

    /// Sends `authenticate`, and answers what comes back.
    pub async fn present(&mut self, satellite: &Satellite) -> Said {
        let Satellite { id, token, .. } = satellite;
        self.send(json!({"type": "authenticate", "clientId": id, "token": token})).await;
        self.next().await
    }

    /// Sends one heartbeat.
    pub async fn heartbeat(&mut self) {
        self.send(json!({"type": "heartbeat", "version": "test", "uptimeSeconds": 1})).await;
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Sends a text frame, whatever it holds. A server that has gone takes it or not.
    pub async fn send_text(&mut self, text: &str) {
        self.send_frame(Message::text(text)).await;
    }

    /// Sends a frame. A server that has gone takes it or not.
    pub async fn send_frame(&mut self, frame: Message) {
        let _ = within("the frame is taken", self.0.send(frame)).await;
    }

    /// The next thing that the server says.
    pub async fn next(&mut self) -> Said {
        within("the server says something", async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let said = serde_json::from_str(&text).expect("the server speaks JSON");
                        return Said::Message(said);
                    }
                    Some(Ok(Message::Close(frame))) => {
                        return Said::Closed(frame.map(|frame| frame.code.into()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Said::Closed(None),
                }
            }
        })
        .await
    }

    /// Waits for the end, and answers the messages before it and the close code.
    pub async fn ended(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut messages = Vec::new();
        loop {
            match self.next().await {
                Said::Message(said) => messages.push(said),
                Said::Closed(code) => return (messages, code),
            }
        }
    }

    /// Closes as RFC 6455 says, and waits for the echo.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = self.0.close(Some(frame)).await;
        self.ended().await;
    }
}

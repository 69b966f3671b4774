//! One open WebSocket: authenticate, heartbeat, listen, send what work has to say, close.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use super::dialogue::{self, Reaction};
use super::settings::{Exit, Identity, Timing};
use super::work::Desk;

/// How a session ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// For good.
    Final(Exit),
    /// The connection is gone; another may be dialled.
    Dropped {
        /// Why.
        why: Dropped,
        /// How long it had been authenticated.
        lived: Duration,
    },
}

/// Why a connection is gone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Dropped {
    /// The server closed it.
    #[error("the server closed the connection ({})", describe(.0.as_ref()))]
    Closed(Option<CloseFrame>),
    /// The transport broke.
    #[error("the connection broke: {0}")]
    Broken(Box<tungstenite::Error>),
    /// The transport ended without a close frame.
    #[error("the server went away without closing the connection")]
    Vanished,
    /// Nothing was heard for too long, or nothing could be sent.
    #[error("the server was silent for {}", humantime::format_duration(*.0))]
    Silent(Duration),
    /// No answer to `authenticate`.
    #[error("the server did not answer `authenticate` within {}", humantime::format_duration(*.0))]
    Unanswered(Duration),
}

/// Runs one session to its end. `started` is when the agent began, for `uptimeSeconds`; `desk` is
/// where orders go, and where results come from.
pub(crate) async fn run<S>(
    socket: WebSocketStream<S>,
    identity: &Identity,
    timing: &Timing,
    started: Instant,
    desk: &Desk,
    shutdown: &CancellationToken,
) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut session = Session {
        socket,
        timing,
        started,
        desk,
        heard: Instant::now(),
        accepted: None,
        closed: None,
    };
    let ended = tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        ended = session.talk(identity) => Some(ended),
    };
    desk.lost();
    match ended {
        Some(ending) => ending,
        None => {
            session.close().await;
            Ending::Final(Exit::Stopped)
        }
    }
}

struct Session<'a, S> {
    socket: WebSocketStream<S>,
    timing: &'a Timing,
    started: Instant,
    desk: &'a Desk,
    /// When the last frame came.
    heard: Instant,
    /// When the server accepted the credentials.
    accepted: Option<Instant>,
    /// The server's close frame, once it came.
    closed: Option<Option<CloseFrame>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    async fn talk(&mut self, identity: &Identity) -> Ending {
        match self.exchange(identity).await {
            Ok(exit) => {
                self.drain().await;
                Ending::Final(exit)
            }
            Err(why) => Ending::Dropped {
                why,
                lived: self.accepted.map_or(Duration::ZERO, |since| since.elapsed()),
            },
        }
    }

    /// The dialogue. Ends well only where the server ends it for good.
    async fn exchange(&mut self, identity: &Identity) -> Result<Exit, Dropped> {
        self.send(dialogue::authenticate(identity)).await?;
        let mut beat = interval(self.timing.heartbeat);
        let desk = self.desk;
        loop {
            tokio::select! {
                text = self.hear() => match dialogue::react(&text?) {
                    Reaction::Nothing => {}
                    Reaction::Accepted { heartbeat, orders, policy } => {
                        self.accepted = Some(Instant::now());
                        beat = interval(heartbeat.unwrap_or(self.timing.heartbeat));
                        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
                        desk.connected(orders);
                        if policy {
                            desk.sandbox_policy();
                        }
                    }
                    Reaction::Stop(exit) => return Ok(exit),
                    for_work => self.hand_over(for_work),
                },
                outgoing = desk.next(), if self.accepted.is_some() => {
                    self.send(outgoing.text.clone()).await?;
                    desk.sent(&outgoing);
                }
                _ = beat.tick(), if self.accepted.is_some() => {
                    self.send(dialogue::heartbeat(self.started.elapsed())).await?;
                }
            }
        }
    }

    fn hand_over(&self, reaction: Reaction) {
        match reaction {
            Reaction::Ordered(orders) => self.desk.configure(orders),
            Reaction::Settled(ack) => {
                if !ack.accepted {
                    let reason = ack.reason.unwrap_or_default();
                    tracing::warn!("the server refused a result: {}", reason.escape_debug());
                }
                self.desk.settled(&ack.result_id);
            }
            Reaction::RunSecrets(secrets) => self.desk.run_secrets(secrets),
            Reaction::ConfigSecrets(secrets) => self.desk.config_secrets(secrets),
            Reaction::Packages(lockfile) => self.desk.want_packages(Some(lockfile)),
            Reaction::Manifest(manifest) => self.desk.manifest(manifest),
            Reaction::Blob(blob) => self.desk.blob(blob),
            Reaction::SandboxPolicy => self.desk.sandbox_policy(),
            Reaction::Nothing | Reaction::Accepted { .. } | Reaction::Stop(_) => {}
        }
    }

    /// The next text message. Pings are answered on the way, by the WebSocket itself.
    async fn hear(&mut self) -> Result<tungstenite::Utf8Bytes, Dropped> {
        loop {
            let next = timeout_at(self.patience(), self.socket.next()).await;
            let next = next.map_err(|_| self.silent())?;
            self.heard = Instant::now();
            match next {
                Some(Ok(Message::Text(text))) => return Ok(text),
                // Its echo is sent by reading on, until the connection says that it is over.
                Some(Ok(Message::Close(frame))) => {
                    self.closed = Some(frame);
                    self.drain().await;
                    return Err(self.gone());
                }
                Some(Ok(_)) => {}
                Some(Err(
                    tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed,
                ))
                | None => return Err(self.gone()),
                Some(Err(why)) => return Err(Dropped::Broken(Box::new(why))),
            }
        }
    }

    async fn send(&mut self, text: String) -> Result<(), Dropped> {
        let sent = timeout_at(self.patience(), self.socket.send(Message::text(text))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(Dropped::Broken(Box::new(why))),
            Err(_) => Err(self.silent()),
        }
    }

    /// Until when the server may be silent.
    fn patience(&self) -> Instant {
        match self.accepted {
            Some(_) => self.heard + self.timing.idle,
            None => self.heard + self.timing.answer,
        }
    }

    fn silent(&self) -> Dropped {
        match self.accepted {
            Some(_) => Dropped::Silent(self.timing.idle),
            None => Dropped::Unanswered(self.timing.answer),
        }
    }

    fn gone(&mut self) -> Dropped {
        self.closed.take().map_or(Dropped::Vanished, Dropped::Closed)
    }

    /// Says goodbye, so that the server records `client_closed` and no loss.
    async fn close(&mut self) {
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "stopping".into() };
        let closing = self.socket.close(Some(goodbye));
        if timeout(self.timing.close, closing).await.is_ok() {
            self.drain().await;
        }
    }

    /// Reads until the connection is over, for as long as a close may take.
    async fn drain(&mut self) {
        let over = async { while let Some(Ok(_)) = self.socket.next().await {} };
        if timeout(self.timing.close, over).await.is_err() {
            tracing::debug!("the server did not finish closing the connection in time");
        }
    }
}

fn describe(frame: Option<&CloseFrame>) -> String {
    match frame {
        None => "no reason given".to_owned(),
        Some(CloseFrame { code, reason }) if reason.is_empty() => u16::from(*code).to_string(),
        Some(CloseFrame { code, reason }) => {
            format!("{}: {}", u16::from(*code), reason.escape_debug())
        }
    }
}

//! Simulated satellites: one small task for each connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use super::work::Work;
use crate::agent::dialogue::{self, Reaction};
use crate::agent::{Dial as _, Exit, Identity, Network, Stream};

/// Bytes of a connection's read buffer.
pub(super) const BUFFER: usize = 512;
/// The time from dialling to `authenticated`.
const ACCEPTED: Duration = Duration::from_secs(60);
/// The time for the server's echo of a close frame.
const CLOSED: Duration = Duration::from_secs(10);
/// Between heartbeats, where neither the operator nor the server says.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What all satellites of a run share.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) network: Network,
    /// Between heartbeats; none for the server's interval.
    pub(super) heartbeat: Option<Duration>,
    pub(super) began: Instant,
    pub(super) stop: CancellationToken,
    pub(super) tally: Tally,
    /// What they all run, where they run something.
    pub(super) work: Option<Arc<Work>>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// From dialling to `authenticated`, of each satellite that was.
    pub(super) latencies: Mutex<Vec<Duration>>,
    /// When the last one was authenticated, since the fleet began.
    pub(super) last_accepted: Mutex<Duration>,
    /// Why satellites were not authenticated, and how many.
    pub(super) failures: Mutex<BTreeMap<String, u64>>,
    /// How authenticated connections ended before they were asked to, and how many.
    pub(super) disconnects: Mutex<BTreeMap<String, u64>>,
    /// Satellites that were authenticated or failed.
    pub(super) settled: AtomicU64,
    /// Heartbeats sent.
    pub(super) heartbeats: AtomicU64,
}

impl Tally {
    fn accepted(&self, latency: Duration, since_began: Duration) {
        self.latencies.lock().push(latency);
        let mut last = self.last_accepted.lock();
        *last = (*last).max(since_began);
        self.settled.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self, why: String) {
        *self.failures.lock().entry(why).or_default() += 1;
        self.settled.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, why: String) {
        *self.disconnects.lock().entry(why).or_default() += 1;
    }
}

impl Fleet {
    /// The life of one satellite, from `start` on.
    pub(super) async fn fly(self: Arc<Self>, identity: Identity, start: Instant) {
        tokio::select! {
            () = sleep_until(start) => {}
            () = self.stop.cancelled() => return,
        }
        let dialled = Instant::now();
        let accepted = tokio::select! {
            accepted = timeout(ACCEPTED, self.connect(&identity)) => accepted,
            () = self.stop.cancelled() => return,
        };
        let accepted = accepted
            .unwrap_or_else(|_| Err(format!("not authenticated within {} s", ACCEPTED.as_secs())));
        match accepted {
            Ok((socket, interval)) => {
                self.tally.accepted(dialled.elapsed(), self.began.elapsed());
                self.stay(socket, interval).await;
            }
            Err(why) => self.tally.failed(why),
        }
    }

    async fn connect(
        &self,
        identity: &Identity,
    ) -> Result<(WebSocketStream<Stream>, Duration), String> {
        let mut socket = self.network.dial().await.map_err(|error| error.to_string())?;
        let first = Message::text(dialogue::authenticate(identity));
        socket.send(first).await.map_err(|error| error.to_string())?;
        loop {
            let Some(message) = socket.next().await else {
                return Err("closed before it was authenticated".to_owned());
            };
            match message.map_err(|error| error.to_string())? {
                Message::Text(text) => match dialogue::react(&text) {
                    Reaction::Accepted { heartbeat, .. } => {
                        let interval = self.heartbeat.or(heartbeat).unwrap_or(HEARTBEAT);
                        return Ok((socket, interval));
                    }
                    Reaction::Stop(exit) => return Err(reason(exit)),
                    _ => {}
                },
                Message::Close(frame) => return Err(closed(frame.as_ref())),
                _ => {}
            }
        }
    }

    /// Heartbeats until told to stop, or until the connection ends.
    async fn stay(&self, mut socket: WebSocketStream<Stream>, interval: Duration) {
        let ended = tokio::select! {
            ended = self.beat(&mut socket, interval) => Some(ended),
            () = self.stop.cancelled() => None,
        };
        match ended {
            Some(why) => self.tally.ended(why),
            None => {
                let goodbye = CloseFrame { code: CloseCode::Normal, reason: "".into() };
                let closing = async {
                    let _ = socket.close(Some(goodbye)).await;
                    while let Some(Ok(_)) = socket.next().await {}
                };
                let _ = timeout(CLOSED, closing).await;
            }
        }
    }

    /// Why the connection ended.
    async fn beat(&self, socket: &mut WebSocketStream<Stream>, interval: Duration) -> String {
        let (mut report, mut results) = (self.work.as_ref().map(|work| work.reporting()), 0);
        // The second heartbeat comes at a random time, so that a storm is not followed by waves.
        let mut next = Instant::now();
        let mut phase = Some(interval.mul_f64(rand::random()));
        loop {
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let said = match (dialogue::react(&text), &self.work) {
                            (Reaction::Stop(exit), _) => return reason(exit),
                            (Reaction::Ordered(orders), Some(work)) => {
                                orders.revision.map(|revision| work.applied(revision))
                            }
                            (Reaction::Settled(_), Some(work)) => {
                                work.acknowledged();
                                results += 1;
                                Some(work.result(results))
                            }
                            _ => None,
                        };
                        if let Some(said) = said
                            && let Err(error) = socket.send(Message::text(said)).await
                        {
                            return error.to_string();
                        }
                    }
                    Some(Ok(Message::Close(frame))) => return closed(frame.as_ref()),
                    Some(Ok(_)) => {}
                    Some(Err(tungstenite::Error::Io(error))) => return error.kind().to_string(),
                    Some(Err(error)) => return error.to_string(),
                    None => return "closed without a close frame".to_owned(),
                },
                work = begun(&mut report, self.work.as_ref()) => {
                    report = None;
                    if let Err(error) = socket.send(Message::text(work.result(0))).await {
                        return error.to_string();
                    }
                }
                () = sleep_until(next) => {
                    let message = Message::text(dialogue::heartbeat(self.began.elapsed()));
                    if let Err(error) = socket.send(message).await {
                        return error.to_string();
                    }
                    self.tally.heartbeats.fetch_add(1, Ordering::Relaxed);
                    next += phase.take().unwrap_or(interval);
                }
            }
        }
    }
}

/// Waits until satellites are to report; for ever where they are not, or do already.
async fn begun<'a>(
    report: &mut Option<watch::Receiver<bool>>,
    work: Option<&'a Arc<Work>>,
) -> &'a Work {
    if let (Some(report), Some(work)) = (report, work)
        && report.wait_for(|begun| *begun).await.is_ok()
    {
        return work;
    }
    std::future::pending().await
}

fn reason(exit: Exit) -> String {
    match exit {
        Exit::Stopped => "stopped".to_owned(),
        Exit::AuthFailed { reason } => format!("auth_failed: {reason}"),
        Exit::ShutDown { reason } => format!("shutdown: {reason}"),
    }
}

fn closed(frame: Option<&CloseFrame>) -> String {
    frame.map_or_else(
        || "closed without a code".to_owned(),
        |frame| format!("closed with {}", u16::from(frame.code)),
    )
}

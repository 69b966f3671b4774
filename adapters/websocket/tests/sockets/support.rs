//! A server with a scripted gateway, and satellites that speak to it.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::{SinkExt as _, StreamExt as _};
use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::{
    Attempt, Authentication, Beat, Order, Outbox, SatelliteGateway, SessionRef, Welcome,
};
use groundcontrol_core::satellite::{Epoch, SatelliteId};
use groundcontrol_core::session::{self, Request, ScriptPackageSyncState};
use groundcontrol_core::time::Millis;
use groundcontrol_websocket::wire::ToSatellite;
use groundcontrol_websocket::{SatelliteSockets, SocketSettings};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

/// Nothing in these tests takes this long unless it is stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(30);

/// Answers as told, and remembers what it was asked.
pub(crate) struct Gateway {
    pub(crate) answer: Mutex<Answer>,
    pub(crate) seen: Mutex<Seen>,
}

/// What becomes of an attempt.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Accept,
    Give(fn() -> Authentication),
    PanicAtHeartbeats,
    /// Accepts, and leaves requests to the test.
    KeepRequests,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) attempts: usize,
    pub(crate) beats: Vec<(SessionRef, Beat, Instant)>,
    pub(crate) closed: Vec<CloseReason>,
    pub(crate) displaced: Vec<Epoch>,
    pub(crate) outboxes: Vec<Arc<dyn Outbox>>,
    pub(crate) requests: Vec<Request>,
    pub(crate) synced: Vec<ScriptPackageSyncState>,
}

#[async_trait]
impl SatelliteGateway for Gateway {
    async fn authenticate(&self, attempt: Attempt) -> Authentication {
        let mut seen = self.seen.lock();
        seen.attempts += 1;
        let answer = *self.answer.lock();
        if let Answer::Give(answer) = answer {
            return answer();
        }
        seen.outboxes.push(attempt.outbox);
        Authentication::Accepted(Welcome {
            session: SessionRef {
                satellite: SatelliteId(Uuid::try_parse(&attempt.client_id).expect("a test's id")),
                epoch: Epoch(1),
                session: attempt.session,
            },
            heartbeat_interval: Millis::from_secs(15),
            threshold: Millis::new(100),
            configured: None,
            sandbox_policy: None,
        })
    }

    fn heartbeat(&self, session: SessionRef, beat: Beat) {
        let scripted = *self.answer.lock();
        assert!(!matches!(scripted, Answer::PanicAtHeartbeats), "as scripted");
        self.seen.lock().beats.push((session, beat, Instant::now()));
    }

    async fn closed(&self, _session: SessionRef, reason: CloseReason) {
        self.seen.lock().closed.push(reason);
    }

    fn displaced(&self, session: SessionRef, _remote: IpAddr) {
        self.seen.lock().displaced.push(session.epoch);
    }

    fn packages_synced(&self, _session: SessionRef, state: ScriptPackageSyncState) {
        self.seen.lock().synced.push(state);
    }

    fn request(&self, _session: SessionRef, request: Request) -> Option<session::Answer> {
        if !matches!(*self.answer.lock(), Answer::KeepRequests) {
            return Some(request.unserved());
        }
        self.seen.lock().requests.push(request);
        None
    }
}

/// A server on a loopback port.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) sockets: SatelliteSockets,
}

pub(crate) async fn serve(settings: SocketSettings) -> Server {
    let gateway = Arc::new(Gateway { answer: Mutex::new(Answer::Accept), seen: Mutex::default() });
    let sockets = SatelliteSockets::new(gateway.clone(), settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = sockets.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(serve_stream(accepting.clone(), stream));
        }
    });
    Server { address, gateway, sockets }
}

/// Serves HTTP on one stream, as the app does.
pub(crate) async fn serve_stream<S>(sockets: SatelliteSockets, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let response = sockets.upgrade(request, [127, 0, 0, 1].into());
        async move { Ok::<_, Infallible>(response) }
    });
    let http = hyper::server::conn::http1::Builder::new();
    let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

impl Server {
    pub(crate) fn answer(&self, answer: Answer) {
        *self.gateway.answer.lock() = answer;
    }

    /// Hands an order to the satellite that authenticated last.
    pub(crate) fn order(&self, order: Order) {
        self.gateway.seen.lock().outboxes.last().expect("somebody is there").deliver(order);
    }

    /// Waits until the gateway has seen what is asked for.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        let begun = Instant::now();
        while !holds(&self.gateway.seen.lock()) {
            assert!(begun.elapsed() < STUCK, "never: {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// What was put on record, once every socket is gone.
    pub(crate) async fn recorded(&self) -> Vec<CloseReason> {
        tokio::time::timeout(STUCK, self.sockets.all_closed()).await.expect("sockets close");
        self.gateway.seen.lock().closed.clone()
    }

    pub(crate) async fn dial(&self) -> Satellite {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let url = format!("ws://{}/api/ws/satellite", self.address);
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        Satellite { socket }
    }

    /// Sends the handshake and messages in one packet, before any answer.
    pub(crate) async fn dial_and_say(&self, texts: &[&str]) -> TcpStream {
        let mut packet = format!(
            "GET /api/ws/satellite HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        )
        .into_bytes();
        for text in texts {
            let text = (*text).to_owned();
            let mut frame = Frame::message(text, OpCode::Data(Data::Text), true);
            frame.header_mut().mask = Some([0; 4]);
            frame.format(&mut packet).unwrap();
        }
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&packet).await.unwrap();
        stream
    }

    pub(crate) async fn connect(&self) -> Satellite {
        let mut satellite = self.dial().await;
        satellite.say(AUTHENTICATE).await;
        let heard = satellite.hear().await;
        assert!(matches!(heard, ToSatellite::Authenticated(_)), "{heard:?}");
        satellite
    }
}

pub(crate) const AUTHENTICATE: &str = r#"{"type":"authenticate",
    "clientId":"00000000-0000-0000-0000-000000000001","token":"csat_x"}"#;
pub(crate) const HEARTBEAT: &str = r#"{"type":"heartbeat","version":"1.0.0","uptimeSeconds":15}"#;

/// The satellite's end of a socket.
pub(crate) struct Satellite {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Satellite {
    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        self.send(Message::text(text.into())).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        tokio::time::timeout(STUCK, self.socket.send(message)).await.expect("takes it").unwrap();
    }

    /// The next message, whatever kind of frame.
    pub(crate) async fn frame(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(STUCK, self.socket.next()).await.expect("something comes")
    }

    /// The next message that is no ping.
    pub(crate) async fn hear(&mut self) -> ToSatellite {
        loop {
            match self.frame().await {
                Some(Ok(Message::Text(text))) => return ToSatellite::parse(&text).unwrap(),
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("no message: {other:?}"),
            }
        }
    }

    /// What was said until the close frame, and its code; none when there was no close frame.
    pub(crate) async fn rest(mut self) -> (Vec<ToSatellite>, Option<u16>) {
        let mut said = Vec::new();
        loop {
            match self.frame().await {
                Some(Ok(Message::Text(text))) => said.push(ToSatellite::parse(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    // Hears the end of the stream too, which completes the handshake.
                    while let Some(Ok(_)) = self.frame().await {}
                    return (said, frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return (said, None),
            }
        }
    }

    pub(crate) async fn close_code(self) -> Option<u16> {
        self.rest().await.1
    }
}

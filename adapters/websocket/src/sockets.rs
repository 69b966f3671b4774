//! All sockets of one server.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use groundcontrol_core::ports::SatelliteGateway;
use groundcontrol_core::time::{Millis, Timestamp};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

use super::connection::{self, Connection};
use super::handshake;
use super::meters::Meters;
use super::settings::SocketSettings;
use super::waiting::WaitingRoom;

/// The satellites' sockets of one server. The app owns the listener and routes the requests for
/// `/api/ws/satellite` here.
///
/// For the least memory a socket, serve HTTP/1.1 with `hyper::server::conn::http1` and
/// `with_upgrades` over `TokioIo<TcpStream>`, or `TokioIo<tokio_rustls::server::TlsStream<_>>`;
/// any other stream works too, behind one more layer. Metrics go to the recorder that is
/// installed when this is made.
///
/// ```
/// # async fn example(
/// #     gateway: std::sync::Arc<dyn groundcontrol_core::ports::SatelliteGateway>,
/// #     listener: tokio::net::TcpListener,
/// # ) -> std::io::Result<()> {
/// use groundcontrol_websocket::{SatelliteSockets, SocketSettings};
/// use hyper::service::service_fn;
/// use hyper_util::rt::TokioIo;
///
/// let sockets = SatelliteSockets::new(gateway, SocketSettings::default());
/// loop {
///     let (stream, remote) = listener.accept().await?;
///     let sockets = sockets.clone();
///     let service = service_fn(move |request| {
///         let response = sockets.upgrade(request, remote.ip());
///         async move { Ok::<_, std::convert::Infallible>(response) }
///     });
///     let http = hyper::server::conn::http1::Builder::new();
///     tokio::spawn(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct SatelliteSockets {
    shared: Arc<Shared>,
}

/// What the tasks of all sockets share.
pub(crate) struct Shared {
    pub(crate) gateway: Arc<dyn SatelliteGateway>,
    pub(crate) settings: SocketSettings,
    pub(crate) meters: Meters,
    pub(crate) waiting: WaitingRoom,
    start: Instant,
    open: AtomicUsize,
    none_open: Notify,
    stopping: AtomicBool,
}

impl SatelliteSockets {
    /// Sockets that ask `gateway`.
    pub fn new(gateway: Arc<dyn SatelliteGateway>, settings: SocketSettings) -> Self {
        let shared = Shared {
            gateway,
            settings,
            meters: Meters::new(),
            waiting: WaitingRoom::new(settings.most_waiting),
            start: Instant::now(),
            open: AtomicUsize::new(0),
            none_open: Notify::new(),
            stopping: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Answers an upgrade request: 101 and a task for the socket; 405, 426 or 400 where it is no
    /// WebSocket handshake; 503 while stopping. `remote` is the satellite's address, not that of
    /// a proxy before this server. Must be called within a tokio runtime.
    pub fn upgrade<B>(&self, mut request: Request<B>, remote: IpAddr) -> Response<Full<Bytes>> {
        if self.shared.stopping.load(Ordering::Relaxed) {
            return handshake::stopping();
        }
        let response = handshake::answer(&request);
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(upgraded(self.shared.clone(), upgrade, remote));
        }
        response
    }

    /// Refuses new sockets from now on and sends those home that did not authenticate. The
    /// authenticated ones are reached through their outboxes.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.waiting.drain();
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// How many sockets there are, authenticated or not.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Waits until there is no socket.
    pub async fn all_closed(&self) {
        loop {
            let none_open = self.shared.none_open.notified();
            if self.open() == 0 {
                return;
            }
            none_open.await;
        }
    }
}

impl fmt::Debug for SatelliteSockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SatelliteSockets").field("open", &self.open()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Milliseconds on a clock that never steps.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(0) + Millis::from(self.start.elapsed())
    }

    /// When [`Self::now`] will be `at`.
    pub(crate) fn instant(&self, at: Timestamp) -> Instant {
        self.start + at.since(Timestamp::from_millis(0)).into()
    }

    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
        self.meters.connections.increment(1);
    }

    pub(crate) fn closed(&self) {
        self.meters.connections.decrement(1);
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.none_open.notify_waiters();
        }
    }
}

/// Waits for hyper to let go of the stream, and gives it a task of its own: the one that waited
/// is too large to keep.
async fn upgraded(shared: Arc<Shared>, upgrade: OnUpgrade, remote: IpAddr) {
    let within = shared.settings.session.authenticate_within.into();
    let stream = match tokio::time::timeout(within, upgrade).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%remote, %error, "upgrade failed"),
        Err(_) => return tracing::debug!(%remote, "upgrade took too long"),
    };
    let stream = match stream.downcast::<TokioIo<TcpStream>>() {
        Ok(plain) => return spawn(shared, plain.io.into_inner(), &plain.read_buf, remote),
        Err(stream) => stream,
    };
    match stream.downcast::<TokioIo<TlsStream<TcpStream>>>() {
        Ok(tls) => spawn(shared, tls.io.into_inner(), &tls.read_buf, remote),
        Err(stream) => spawn(shared, TokioIo::new(stream), &[], remote),
    }
}

fn spawn<S>(shared: Arc<Shared>, stream: S, part: &[u8], remote: IpAddr)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(connection::run(Connection::new(shared, stream, part, remote)));
}

//! The one listener: sockets for satellites, HTTP for everybody else.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use super::forwarded::remote_address;
use super::tls::Reloading;
use crate::config::Settings;
use crate::wiring::{SatelliteSockets, Wired};

/// Where satellites connect.
const SATELLITES: &str = "/api/ws/satellite";
/// Connections that the system may keep waiting for us in a storm.
const BACKLOG: u32 = 4_096;
/// A request's head, and a TLS handshake, must be complete within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// When the system refuses us another connection.
const BREATH: Duration = Duration::from_millis(50);
/// How long requests that are under way may take once the pod is drained.
const FAREWELL: Duration = Duration::from_secs(2);

/// Decides who answers a request.
pub(super) struct Router {
    sockets: SatelliteSockets,
    http: axum::Router,
    trusted: Vec<IpNet>,
}

impl Router {
    /// A router to the pod that was wired.
    pub(super) fn new(settings: &Settings, wired: &Wired) -> Self {
        Self {
            sockets: wired.sockets.clone(),
            http: wired.http(),
            trusted: settings.trusted_proxies.clone(),
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        if request.uri().path() == SATELLITES {
            let remote = remote_address(peer, request.headers(), &self.trusted);
            return self.sockets.upgrade(request, remote).map(Body::new);
        }
        let answered = self.http.clone().oneshot(request.map(Body::new)).await;
        answered.unwrap_or_else(|never: Infallible| match never {})
    }
}

/// Listens on `address`; an error says what is in the way.
pub(super) fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let bound = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    });
    bound.with_context(|| format!("cannot listen on {address}: choose another with --listen"))
}

/// Accepts connections until `closing`, then lets requests under way finish.
pub(super) async fn accept(
    listener: TcpListener,
    router: Arc<Router>,
    tls: Option<Arc<Reloading>>,
    closing: CancellationToken,
) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = closing.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let serving =
                    serve(stream, peer.ip(), router.clone(), tls.clone(), closing.clone());
                connections.spawn(serving);
            }
            Err(error) if is_of_one_connection(&error) => {
                debug!(%error, "a connection broke early")
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection; raise the limit of open files?");
                sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let _ = timeout(FAREWELL, connections.wait()).await;
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    router: Arc<Router>,
    tls: Option<Arc<Reloading>>,
    closing: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => converse(stream, peer, router, closing).await,
        Some(tls) => match timeout(PATIENCE, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => converse(stream, peer, router, closing).await,
            Ok(Err(error)) => debug!(%error, %peer, "a TLS handshake failed"),
            Err(_) => debug!(%peer, "a TLS handshake took too long"),
        },
    }
}

async fn converse<S>(stream: S, peer: IpAddr, router: Arc<Router>, closing: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.answer(request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, %peer, "a connection ended early");
    }
}

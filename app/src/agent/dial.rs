//! From an endpoint to an open WebSocket: TCP, TLS where asked for, upgrade.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use groundcontrol_core::limits::MAX_MESSAGE;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, http::StatusCode};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::endpoint::Endpoint;

/// Opens one connection after another to the same server.
#[async_trait]
pub trait Dial: Send + Sync {
    /// What the WebSocket runs over.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin;

    /// Opens a WebSocket. Says nothing on it yet.
    async fn dial(&self) -> Result<WebSocketStream<Self::Stream>, DialError>;
}

/// Why no WebSocket was opened.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The host is unknown, or nobody answers there.
    #[error("could not reach {address}: {source}")]
    Tcp {
        /// Host and port.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// A name that should be this machine leads elsewhere.
    #[error("{host} leads to {peer}, beyond this machine; no token is sent there without TLS")]
    NotLoopback {
        /// The name.
        host: String,
        /// Where it leads.
        peer: SocketAddr,
    },
    /// The TLS handshake failed.
    #[error("could not agree on TLS with {address}: {source}")]
    Tls {
        /// Host and port.
        address: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The server answered, but does not speak the protocol at this URL.
    #[error("{url} answered with HTTP {status} instead of a WebSocket; is it a Ground Control?")]
    Refused {
        /// The URL.
        url: String,
        /// The answer.
        status: StatusCode,
    },
    /// The upgrade failed otherwise.
    #[error("could not open a WebSocket at {url}: {source}")]
    Upgrade {
        /// The URL.
        url: String,
        /// What went wrong.
        source: Box<tungstenite::Error>,
    },
}

/// Dials over the network.
#[derive(Clone, Debug)]
pub struct Network {
    endpoint: Endpoint,
    tls: Arc<ClientConfig>,
    buffers: usize,
}

/// TCP with or without TLS.
#[derive(Debug)]
pub enum Stream {
    /// In the clear.
    Plain(TcpStream),
    /// Over TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Bytes of an agent's read buffer: configurations are small and rare.
const BUFFER: usize = 4 * 1024;

impl Network {
    /// Dials `endpoint`, trusting whom `tls` trusts.
    pub fn new(endpoint: Endpoint, tls: Arc<ClientConfig>) -> Self {
        Self { endpoint, tls, buffers: BUFFER }
    }

    /// The same with buffers of so many bytes.
    #[must_use]
    pub fn with_buffers(mut self, bytes: usize) -> Self {
        self.buffers = bytes;
        self
    }

    async fn stream(&self) -> Result<Stream, DialError> {
        let (host, port) = self.endpoint.address();
        let address = || format!("{host}:{port}");
        let tcp_failed = |source| DialError::Tcp { address: address(), source };
        let tcp = TcpStream::connect((host.as_str(), port)).await.map_err(tcp_failed)?;
        tcp.set_nodelay(true).map_err(tcp_failed)?;
        let peer = tcp.peer_addr().map_err(tcp_failed)?;
        if !self.endpoint.trusts(peer) {
            return Err(DialError::NotLoopback { host, peer });
        }
        if !self.endpoint.is_secure() {
            return Ok(Stream::Plain(tcp));
        }
        let tls_failed = |source| DialError::Tls { address: address(), source };
        let name = ServerName::try_from(host.clone())
            .map_err(|why| tls_failed(io::Error::new(io::ErrorKind::InvalidInput, why)))?;
        let stream = TlsConnector::from(self.tls.clone()).connect(name, tcp).await;
        stream.map(|stream| Stream::Tls(Box::new(stream))).map_err(tls_failed)
    }
}

#[async_trait]
impl Dial for Network {
    type Stream = Stream;

    async fn dial(&self) -> Result<WebSocketStream<Stream>, DialError> {
        let stream = self.stream().await?;
        let url = self.endpoint.satellite_url();
        let config = WebSocketConfig::default()
            .read_buffer_size(self.buffers)
            .write_buffer_size(0)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        match client_async_with_config(url.as_str(), stream, Some(config)).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(answer)) => {
                Err(DialError::Refused { url, status: answer.status() })
            }
            Err(source) => Err(DialError::Upgrade { url, source: Box::new(source) }),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

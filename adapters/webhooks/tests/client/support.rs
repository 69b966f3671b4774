//! A receiver, a client, and what the one sends to the other.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use groundcontrol_core::automation::{Answer, ContentMode, Notice, SigningSecret, WebhookHeaders};
use groundcontrol_core::connection::{Event, EventKind, SatelliteEvent};
use groundcontrol_core::ports::{EncodedEvent, EventEncoder, OutgoingWebhook, SendReport};
use groundcontrol_core::satellite::{Epoch, SatelliteId, Seq};
use groundcontrol_core::time::Timestamp;
use groundcontrol_webhooks::{Targets, WebhookClient, WebhookSettings};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use uuid::Uuid;

/// Writes an event as its id.
struct Plain;

impl EventEncoder for Plain {
    fn encode(&self, notice: &Notice, mode: ContentMode) -> Result<EncodedEvent, String> {
        let attributes = match mode {
            ContentMode::Structured => vec![],
            ContentMode::Binary => vec![("subject".to_owned(), "é \"1\" 100%".to_owned())],
        };
        let body = notice.id().into_bytes();
        Ok(EncodedEvent { content_type: "application/json", attributes, body })
    }
}

pub(crate) type Asked = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// Answers every request with `answer`.
pub(crate) async fn receiver(answer: fn() -> Response<Full<Bytes>>) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Asked::default();
    let log = asked.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, log.clone(), answer));
        }
    });
    (address, asked)
}

/// Answers every request on a stream with `answer`.
pub(crate) async fn serve<S>(stream: S, log: Asked, answer: fn() -> Response<Full<Bytes>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let log = log.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            log.lock().unwrap().push((head.headers, body));
            Ok::<_, Infallible>(answer())
        }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    // How a connection ends is no matter of the tests.
    drop(connection.serve_connection(TokioIo::new(stream), service).await);
}

pub(crate) fn status(code: u16) -> Response<Full<Bytes>> {
    Response::builder().status(code).body(Full::default()).unwrap()
}

pub(crate) fn local() -> Targets {
    Targets::allowing(vec!["127.0.0.0/8".parse().unwrap()])
}

/// A client that trusts nobody.
pub(crate) fn client(settings: WebhookSettings) -> WebhookClient {
    trusting(RootCertStore::empty(), settings)
}

pub(crate) fn trusting(roots: RootCertStore, settings: WebhookSettings) -> WebhookClient {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    WebhookClient::new(Arc::new(Plain), tls, settings).unwrap()
}

pub(crate) fn local_client() -> WebhookClient {
    client(WebhookSettings { targets: local(), ..WebhookSettings::default() })
}

pub(crate) fn request(url: &str) -> OutgoingWebhook {
    OutgoingWebhook {
        url: url.parse().unwrap(),
        headers: WebhookHeaders::new([("x-key".to_owned(), "hidden-value".to_owned())]).unwrap(),
        mode: ContentMode::Structured,
        secrets: vec![SigningSecret::new([7; 32])],
        notice: Notice::Event(Event::Satellite(SatelliteEvent {
            id: "x:1".to_owned(),
            kind: EventKind::Connected,
            satellite: SatelliteId(Uuid::nil()),
            seq: Seq(1),
            epoch: Epoch(1),
            occurred_at: Timestamp::from_millis(0),
            cause: None,
            actor: None,
            previous: None,
            next: None,
        })),
        at: Timestamp::from_millis(1_700_000_000_999),
    }
}

pub(crate) fn failed(report: &SendReport) -> &str {
    assert_eq!(report.answer, Answer::Failed { retry_after: None });
    assert_eq!(report.seen.status, None);
    report.seen.error.as_deref().unwrap()
}

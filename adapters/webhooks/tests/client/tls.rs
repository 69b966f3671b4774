//! Receivers over TLS: who can prove the name is told, and nobody else hears anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::automation::Answer;
use groundcontrol_core::ports::{SendReport, WebhookSender as _};
use groundcontrol_webhooks::{WebhookClient, WebhookSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{RootCertStore, ServerConfig};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::support::{Asked, failed, local, request, serve, status, trusting};

const NAME: &str = "hook.example";

/// Who vouches for certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        Self::named("trusted")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    /// A client that trusts it alone, for which every name leads to this machine.
    fn client(&self) -> WebhookClient {
        let settings = WebhookSettings {
            targets: local(),
            lookup: Arc::new(|_| Box::pin(async { Ok(vec!["127.0.0.1".parse().unwrap()]) })),
            ..WebhookSettings::default()
        };
        trusting(self.roots(), settings)
    }

    /// A receiver with a certificate for `name`, valid until so many days from now.
    async fn receiver(&self, name: &str, days: i64) -> Receiver {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = OffsetDateTime::now_utc() - time::Duration::days(30);
        params.not_after = OffsetDateTime::now_utc() + time::Duration::days(days);
        let certificate = params.signed_by(&key, &self.0).unwrap().der().clone();
        let private = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], private)
            .unwrap();
        Receiver::start(TlsAcceptor::from(Arc::new(config))).await
    }
}

/// Answers 204 over TLS, and says how each connection began.
struct Receiver {
    address: SocketAddr,
    asked: Asked,
    /// Whether the client went on once it saw the certificate, a word for each connection.
    trusted: mpsc::UnboundedReceiver<bool>,
}

impl Receiver {
    async fn start(acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, (say, trusted)) = (Asked::default(), mpsc::unbounded_channel());
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shaken = acceptor.accept(stream).await;
                say.send(shaken.is_ok()).unwrap();
                if let Ok(stream) = shaken {
                    tokio::spawn(serve(stream, log.clone(), || status(204)));
                }
            }
        });
        Self { address, asked, trusted }
    }

    async fn tell(&self, client: &WebhookClient) -> SendReport {
        client.send(request(&format!("https://{NAME}:{}/hook", self.address.port()))).await
    }

    /// Why it was told nothing: the error, once it is sure that nothing came.
    async fn refused(mut self, client: &WebhookClient) -> String {
        let report = self.tell(client).await;
        let trusted = timeout(Duration::from_secs(30), self.trusted.recv()).await;
        assert_eq!(trusted, Ok(Some(false)), "the client left in the handshake");
        assert!(self.asked.lock().unwrap().is_empty(), "nothing of a request came");
        let why = failed(&report).to_owned();
        assert!(!why.contains("hidden-value") && !why.contains("://"), "{why}");
        why
    }
}

#[tokio::test]
async fn a_receiver_that_a_named_authority_vouches_for_is_told() {
    let authority = Authority::new();
    let receiver = authority.receiver(NAME, 30).await;
    let report = receiver.tell(&authority.client()).await;
    assert_eq!((report.answer, report.seen.error), (Answer::Accepted, None));
    let (headers, body) = receiver.asked.lock().unwrap().remove(0);
    assert_eq!((&headers["x-key"], &body[..]), (&"hidden-value".parse().unwrap(), &b"x:1"[..]));
}

#[tokio::test]
async fn a_receiver_that_nobody_trusted_vouches_for_is_told_nothing() {
    let authority = Authority::named("trusted");
    for stranger in [Authority::named("stranger"), Authority::named("trusted")] {
        let why = stranger.receiver(NAME, 30).await.refused(&authority.client()).await;
        assert!(why.contains("nobody who is trusted here vouches for its certificate"), "{why}");
        assert!(why.contains("--webhook-ca-file"), "{why}");
    }
}

#[tokio::test]
async fn a_receiver_whose_certificate_expired_is_told_nothing() {
    let authority = Authority::new();
    let why = authority.receiver(NAME, -1).await.refused(&authority.client()).await;
    assert!(why.ends_with("its certificate has expired"), "{why}");
}

#[tokio::test]
async fn a_receiver_with_a_certificate_for_another_name_is_told_nothing() {
    let authority = Authority::new();
    let why = authority.receiver("other.example", 30).await.refused(&authority.client()).await;
    assert!(why.ends_with("its certificate is for another name than hook.example"), "{why}");
}

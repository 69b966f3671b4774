//! `healthcheck-tls.tls` against rustls servers with certificates that the test makes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use groundcontrol_probes::{Probes, Report, Settings};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::{check, entry, found, message};

/// A server for `localhost`, whose certificate is valid for so many days from yesterday on.
struct Server {
    port: u16,
    certificate: CertificateDer<'static>,
}

impl Server {
    async fn start(days: i64) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "ground");
        params.not_before = OffsetDateTime::now_utc() - time::Duration::days(1);
        params.not_after = OffsetDateTime::now_utc() + time::Duration::days(days);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private =
            rustls::pki_types::PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())
                .unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(acceptor.accept(stream));
            }
        });
        Self { port, certificate }
    }

    /// Checks it; `trusted` by whom is asked, or not.
    async fn check(&self, trusted: bool, more: Value) -> Report {
        let mut roots = RootCertStore::empty();
        if trusted {
            roots.add(self.certificate.clone()).unwrap();
        }
        let probes = Probes::new(Settings { roots, ..Settings::default() }).unwrap();
        let mut config = json!({"host": "localhost", "port": self.port});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let entries = vec![entry("e1", "healthcheck-tls.certificate", json!({}))];
        probes.run(&check("healthcheck-tls.tls", config, entries)).await
    }
}

#[tokio::test]
async fn a_trusted_certificate_is_described() {
    let server = Server::start(90).await;
    let report = server.check(true, json!({})).await;
    assert!(report.healthy, "{}", report.result);
    let found = found(&report);
    assert_eq!(found["subject"], "ground");
    assert_eq!(found["issuer"], "ground");
    assert_eq!(found["daysRemaining"], 89);
    assert_eq!(found["valid"], true);
    assert!(found["validTo"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_stranger_is_refused_unless_strangers_are_welcome() {
    let server = Server::start(90).await;
    let report = server.check(false, json!({})).await;
    assert!(!report.healthy);
    assert_eq!(report.result["metadata"]["connected"], false);
    assert!(message(&report).contains("is not trusted"), "{}", message(&report));
    let report = server.check(false, json!({"rejectUnauthorized": false})).await;
    assert!(report.healthy, "{}", report.result);
    assert_eq!(found(&report)["subject"], "ground");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = Server::start(90).await;
    let report = server.check(true, json!({"servername": "other.test"})).await;
    assert!(message(&report).contains("is not trusted"), "{}", message(&report));
}

#[tokio::test]
async fn a_certificate_that_expires_soon_fails_and_is_described() {
    let server = Server::start(10).await;
    let report = server.check(true, json!({})).await;
    assert!(!report.healthy);
    assert!(message(&report).contains("expires in 9 days"), "{}", message(&report));
    assert_eq!(found(&report)["daysRemaining"], 9);
    assert!(server.check(true, json!({"minDaysUntilExpiry": 5})).await.healthy);
}

#[tokio::test]
async fn a_peer_without_tls_and_one_that_never_answers_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let probes = Probes::new(Settings::default()).unwrap();
    let config = json!({"host": "127.0.0.1", "port": port, "timeout": 300});
    let began = Instant::now();
    let report = probes.run(&check("tls", config.clone(), vec![])).await;
    assert!(message(&report).contains("the TLS handshake"), "{}", message(&report));
    assert!(began.elapsed() < Duration::from_secs(5));
    drop(listener);
    let report = probes.run(&check("tls", config, vec![])).await;
    assert!(message(&report).contains("could not connect"), "{}", message(&report));
}

//! TLS from the agent to the server, with a certificate of our own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use groundcontrol_testkit::server::{Agent, Api, Server, Site, Socket, eventually};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::StatusCode;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A certificate authority, and a certificate for `localhost` that it signed, as files.
pub(super) struct Certificates {
    pub(super) ca: PathBuf,
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

pub(super) fn certificates(folder: &Path) -> Certificates {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names, no fault");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key can be made");
    let authority =
        CertifiedIssuer::self_signed(authority, authority_key).expect("it signs itself");
    let key = KeyPair::generate().expect("a key can be made");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let params = CertificateParams::new(names).expect("the names are good");
    let cert = params.signed_by(&key, &authority).expect("the authority signs");
    let file = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    };
    Certificates {
        ca: file("ca.pem", authority.pem()),
        cert: file("cert.pem", cert.pem()),
        key: file("key.pem", key.serialize_pem()),
    }
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

/// Whom a client trusts who has the authority's file.
fn trusting(ca: &Path) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(ca).expect("the file holds a certificate");
    roots.add(authority).expect("the certificate is good");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS has safe versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn secure() -> (Site, Certificates, Server, Api) {
    let site = Site::new();
    let files = certificates(site.folder());
    let flags = ["--tls-cert", text(&files.cert), "--tls-key", text(&files.key)];
    let server = site.serve_with(&flags).await;
    let client = reqwest::Client::builder().use_preconfigured_tls(trusting(&files.ca)).no_proxy();
    let api = site.api(&server).with_client(client.build().expect("a client can be built"));
    (site, files, server, api)
}

#[tokio::test]
async fn an_agent_with_the_authoritys_file_connects_over_tls() {
    let (site, files, server, api) = secure().await;
    assert!(server.url().starts_with("https://"), "{}", server.url());
    let satellite = api.create(&site).await;
    let url = server.url().replace("127.0.0.1", "localhost");
    let trusting = ["--ca-file", text(&files.ca)];
    let agent = Agent::start_with(&site, &url, &satellite, &trusting);
    eventually("the agent is online", async || {
        (api.status(&satellite.id).await == "online").then_some(())
    })
    .await;
    assert_eq!(agent.stop().await, Some(0));
}

#[tokio::test]
async fn an_agent_that_does_not_know_the_authority_sends_no_token() {
    let (site, _files, server, api) = secure().await;
    let satellite = api.create(&site).await;
    let agent = Agent::start(&site, server.url(), &satellite);
    eventually("the agent says why it cannot connect", async || {
        agent.logged().contains("TLS").then_some(())
    })
    .await;
    let path = format!("/api/v1/satellites/{}/connection", satellite.id);
    assert_eq!(api.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_satellite_speaks_the_same_protocol_over_tls() {
    let (site, files, server, api) = secure().await;
    let satellite = api.create(&site).await;
    let address = server.url().trim_start_matches("https://");
    let tcp = TcpStream::connect(address).await.expect("the server listens");
    let name = ServerName::try_from("localhost").expect("it is a name");
    let connector = TlsConnector::from(Arc::new(trusting(&files.ca)));
    let tls = connector.connect(name, tcp).await.expect("TLS is agreed on");
    let mut socket = Socket::upgrade(tls, "localhost").await.expect("the upgrade works");
    let welcome = socket.authenticate(&satellite).await;
    assert_eq!(welcome["satelliteId"], satellite.id);
    socket.close().await;
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_served_without_a_restart() {
    let (_site, files, server, api) = secure().await;
    let renewed = tempfile::tempdir().expect("a folder can be made");
    let new = certificates(renewed.path());
    // The key first: a pair that does not fit is not taken, and the old one stays.
    std::fs::copy(&new.key, &files.key).expect("the key can be replaced");
    std::fs::copy(&new.cert, &files.cert).expect("the certificate can be replaced");
    let address = server.url().trim_start_matches("https://").to_owned();
    let connector = TlsConnector::from(Arc::new(trusting(&new.ca)));
    eventually("the new certificate is served", async || {
        let tcp = TcpStream::connect(&address).await.ok()?;
        let name = ServerName::try_from("localhost").ok()?;
        connector.connect(name, tcp).await.ok().map(drop)
    })
    .await;
    drop(api);
}

#[tokio::test]
async fn plain_http_on_a_tls_port_gets_no_answer() {
    let (_site, _files, server, api) = secure().await;
    let plain = Api::new(&server.url().replace("https://", "http://"), "none");
    assert!(plain.request(reqwest::Method::GET, "/healthz").send().await.is_err());
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
}

//! Webhooks end to end: a real pod, and a real receiver over HTTP that verifies what it is told.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundcontrol_testkit::server::{Api, Satellite, Server, Site, Socket, eventually};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::StatusCode;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::tls::{certificates, text};

/// A request as it was received.
#[derive(Clone)]
pub(crate) struct Received {
    headers: HeaderMap,
    body: Bytes,
    at: Instant,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("a header is text")
    }

    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    fn seq(&self) -> u64 {
        self.event()["seq"].as_u64().expect("an event has a seq")
    }

    /// Whether `secret` signed it, by the letter of Standard Webhooks.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("the prefix"));
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.expect("base64")).expect("any key");
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{at}.").as_bytes());
        mac.update(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

/// A receiver that answers with the status that a test sets.
pub(crate) struct Receiver {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::over(None).await
    }

    /// Over TLS where it is given a way to speak it.
    async fn over(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let status = Arc::new(AtomicU16::new(200));
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let (answer, log) = (status.clone(), received.clone());
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (tls, answer, log) = (tls.clone(), answer.clone(), log.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, answer, log).await,
                        Some(tls) => {
                            let stream = tls.accept(stream).await;
                            serve(stream.expect("it is trusted"), answer, log).await;
                        }
                    }
                });
            }
        });
        Self { address, status, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    pub(crate) async fn received(&self, count: usize) -> Vec<Received> {
        eventually("the receiver is told", async || {
            let all = self.all();
            (all.len() >= count).then_some(all)
        })
        .await
    }
}

async fn serve<S>(stream: S, answer: Arc<AtomicU16>, log: Arc<Mutex<Vec<Received>>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (answer, log) = (answer.clone(), log.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes());
            let body = body.unwrap_or_default();
            let (headers, at) = (head.headers, Instant::now());
            log.lock().expect("no panic").push(Received { headers, body, at });
            let status = answer.load(Ordering::SeqCst);
            let answer = Response::builder().status(status);
            Ok::<_, Infallible>(answer.body(Full::new(Bytes::from("noted"))).expect("an answer"))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    // A server that is stopped leaves its connections as they are.
    drop(connection.serve_connection(TokioIo::new(stream), service).await);
}

pub(crate) const ALLOW: &[&str] = &["--webhook-allow", "127.0.0.0/8"];

pub(crate) async fn site() -> (Site, Server, Api) {
    let site = Site::with_lasting_port();
    let server = site.serve_with(ALLOW).await;
    let api = site.api(&server);
    (site, server, api)
}

/// Makes a webhook and answers its path and its secret.
pub(crate) async fn make(site: &Site, api: &Api, body: &Value) -> (String, String) {
    let made = api.post("/api/v1/webhooks", body).await.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    site.keep_secret(&secret);
    let id = made["webhook"]["id"].as_str().expect("an id");
    (format!("/api/v1/webhooks/{id}"), secret)
}

/// A satellite that came and left so many times: two events each time.
async fn restless(server: &Server, api: &Api, satellite: &Satellite, times: usize) {
    for _ in 0..times {
        Socket::visit(server, api, satellite).await;
    }
}

#[tokio::test]
async fn e3_events_arrive_in_order_signed_and_as_cloud_events() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    let headers = json!({"x-team": "hidden-header-value"});
    site.keep_secret("hidden-header-value");
    let body = json!({"name": "all", "url": receiver.url(), "headers": headers});
    let (path, secret) = make(&site, &api, &body).await;
    let satellites = [api.create(&site).await, api.create(&site).await];
    for satellite in &satellites {
        restless(&server, &api, satellite, 3).await;
    }
    let received = receiver.received(12).await;
    let mut seqs: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in &received {
        assert!(request.is_signed_by(&secret), "{:?}", request.headers);
        assert_eq!(request.header("content-type"), "application/cloudevents+json");
        assert_eq!(request.header("x-team"), "hidden-header-value");
        let event = request.event();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(request.header("webhook-id"), event["id"]);
        let whose = event["contextkey"].as_str().expect("a key").to_owned();
        seqs.entry(whose).or_default().push(request.seq());
    }
    assert_eq!(seqs.len(), 2);
    assert!(seqs.values().all(|seqs| *seqs == [1, 2, 3, 4, 5, 6]), "{seqs:?}");
    let shown = api.get(&path).await.expect(StatusCode::OK);
    assert_eq!(shown["headerNames"], json!(["x-team"]));
    assert!(!shown.to_string().contains("hidden") && !shown.to_string().contains("whsec_"));
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_and_those_behind_it_wait() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    receiver.answer(500);
    let body = json!({"name": "all", "url": receiver.url()});
    let (path, _) = make(&site, &api, &body).await;
    let satellite = api.create(&site).await;
    restless(&server, &api, &satellite, 1).await;
    let failed = receiver.received(1).await;
    assert_eq!(failed[0].seq(), 1);
    let waiting = eventually("the failure is logged", async || {
        let listed = api.get(&format!("{path}/deliveries?state=waiting")).await;
        let items = listed.expect(StatusCode::OK)["items"].as_array().cloned()?;
        let first = items.iter().find(|item| item["seq"] == 1)?.clone();
        (first["attempts"] == 1).then_some(first)
    })
    .await;
    assert_eq!(
        (&waiting["last"]["status"], &waiting["last"]["response"]),
        (&json!(500), &json!("noted"))
    );
    receiver.answer(200);
    let received = receiver.received(3).await;
    let seqs: Vec<u64> = received.iter().map(Received::seq).collect();
    assert_eq!(seqs, [1, 1, 2]);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
}

#[tokio::test]
async fn a_paused_webhook_is_told_nothing_and_then_everything() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    let body = json!({"name": "all", "url": receiver.url(), "active": false});
    let (path, _) = make(&site, &api, &body).await;
    let satellite = api.create(&site).await;
    restless(&server, &api, &satellite, 2).await;
    let test = api.post(&format!("{path}/test"), &json!({})).await.expect(StatusCode::OK);
    assert_eq!(test["accepted"], true);
    let told = receiver.received(1).await;
    assert!(told[0].header("webhook-id").starts_with("test:"));
    api.patch(&path, &json!({"active": true})).await.expect(StatusCode::OK);
    let received = receiver.received(5).await;
    assert_eq!(received[1..].iter().map(Received::seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_pauses_its_webhook() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    receiver.answer(410);
    let (path, _) = make(&site, &api, &json!({"name": "all", "url": receiver.url()})).await;
    let satellite = api.create(&site).await;
    restless(&server, &api, &satellite, 1).await;
    let paused = eventually("the webhook is paused", async || {
        let shown = api.get(&path).await.expect(StatusCode::OK);
        (shown["active"] == false).then_some(shown)
    })
    .await;
    assert_eq!(paused["pausedReason"], "gone");
}

#[tokio::test]
async fn what_was_delivered_is_delivered_again_when_asked() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    let (path, _) = make(&site, &api, &json!({"name": "all", "url": receiver.url()})).await;
    let satellite = api.create(&site).await;
    restless(&server, &api, &satellite, 1).await;
    receiver.received(2).await;
    eventually("both are logged as delivered", async || {
        let listed = api.get(&format!("{path}/deliveries?state=delivered")).await;
        let count = listed.expect(StatusCode::OK)["items"].as_array()?.len();
        (count == 2).then_some(())
    })
    .await;
    let event = format!("{}:2", satellite.id);
    let again = api.post(&format!("{path}/redeliver"), &json!({"eventId": event})).await;
    assert_eq!(again.expect(StatusCode::OK)["deliveries"], 1);
    assert_eq!(receiver.received(3).await[2].header("webhook-id"), event);
    let since = json!({"since": "2020-01-01T00:00:00Z"});
    let again = api.post(&format!("{path}/redeliver"), &since).await;
    assert_eq!(again.expect(StatusCode::OK)["deliveries"], 2);
    let received = receiver.received(5).await;
    assert_eq!(received[3..].iter().map(Received::seq).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_private_target_is_refused_unless_it_is_allowed() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    for url in [receiver.url(), format!("http://[::ffff:127.0.0.1]:{port}/")] {
        let refused = api.post("/api/v1/webhooks", &json!({"name": "a", "url": url})).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["/url"])
        );
    }
    // A name is judged by where it leads when it is dialled.
    let body = json!({"name": "a", "url": format!("http://localhost:{port}/")});
    let (path, _) = make(&site, &api, &body).await;
    let test = api.post(&format!("{path}/test"), &json!({})).await.expect(StatusCode::OK);
    assert_eq!(test["accepted"], false);
    let why = test["error"].as_str().expect("an error");
    assert!(why.contains("not a public address"), "{why}");
    assert!(receiver.all().is_empty());
}

#[tokio::test]
async fn events_reach_a_webhook_although_the_pod_is_killed_before_they_are_taken() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    receiver.answer(500);
    let (_, secret) = make(&site, &api, &json!({"name": "all", "url": receiver.url()})).await;
    let satellite = api.create(&site).await;
    restless(&server, &api, &satellite, 2).await;
    receiver.received(1).await;
    server.kill().await;
    receiver.answer(200);
    let _server = site.serve_with(ALLOW).await;
    let received = eventually("all four events are taken", async || {
        let all = receiver.all();
        let last = all.last()?.seq();
        (last == 4).then_some(all)
    })
    .await;
    let mut seqs: Vec<u64> = received.iter().map(Received::seq).collect();
    seqs.dedup();
    assert_eq!(seqs, [1, 2, 3, 4]);
    assert!(received.iter().all(|request| request.is_signed_by(&secret)));
}

/// Prints how long an edge takes to a receiver, and how many are delivered in a second.
#[tokio::test]
async fn an_edge_arrives_soon() {
    let (site, server, api) = site().await;
    let receiver = Receiver::start().await;
    make(&site, &api, &json!({"name": "all", "url": receiver.url()})).await;
    let satellite = api.create(&site).await;
    let mut took = Vec::new();
    for round in 1..=10 {
        let began = Instant::now();
        let socket = Socket::connect(&server, &satellite).await;
        let received = receiver.received(2 * round - 1).await;
        took.push(received[2 * round - 2].at - began);
        socket.close().await;
        receiver.received(2 * round).await;
    }
    took.sort_unstable();
    println!("from dialling to a webhook's arrival: median {:?}, most {:?}", took[5], took[9]);
    assert!(took[5] < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_receiver_of_a_private_authority_is_told_once_the_server_is_given_its_file() {
    let site = Site::with_lasting_port();
    let files = certificates(site.folder());
    let chain = CertificateDer::from_pem_file(&files.cert).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(&files.key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS has safe versions")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("they belong together");
    let receiver = Receiver::over(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let flags = [ALLOW, &["--webhook-ca-file", text(&files.ca)]].concat();
    let server = site.serve_with(&flags).await;
    let api = site.api(&server);
    let url = format!("https://localhost:{}/hook", receiver.address.port());
    let (_, secret) = make(&site, &api, &json!({"name": "private", "url": url})).await;
    let satellite = api.create(&site).await;
    restless(&server, &api, &satellite, 1).await;
    assert!(receiver.received(1).await[0].is_signed_by(&secret));
}

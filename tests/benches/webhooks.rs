//! Deliveries to one webhook in a second, beside a bare HTTP client that sends the same signed
//! bodies to the same receiver in the same run.
//!
//! `cargo bench -p groundcontrol-testkit`, for SQLite and PostgreSQL, or with either's name behind
//! `--` for one; `SATELLITES` (2000) and `EVENTS` of each (5) set how much there is to tell. The
//! receiver answers 200 at once. PostgreSQL is a private server that flushes as one in earnest does.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::collections::{BTreeSet, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use groundcontrol::pod::{GroundControl, WebhookPorts};
use groundcontrol_core::automation::{
    ContentMode, EventFilter, Health, KeptSecret, Notice, SigningSecret, Webhook, WebhookHeaders,
    WebhookId,
};
use groundcontrol_core::connection::{Command, Decision, Event, EventKind, Origin, decide};
use groundcontrol_core::limits::WEBHOOK_REQUESTS;
use groundcontrol_core::ports::{
    EdgeWrite, EventEncoder as _, Guard, NewSatellite, SatelliteStore as _, WebhookStore as _,
};
use groundcontrol_core::satellite::{
    HashedToken, PodName, ReportedAgent, Satellite, SatelliteId, SessionId, Tags, Token, TokenHash,
    TokenId,
};
use groundcontrol_core::time::Millis;
use groundcontrol_database::{DatabaseStore, Options};
use groundcontrol_http::CloudEvents;
use groundcontrol_memory::MemoryBroadcast;
use groundcontrol_testpostgres::Server;
use groundcontrol_webhooks::{Targets, WebhookClient, WebhookSettings, signature};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

type Failed = Box<dyn std::error::Error>;

const SETTLE: Millis = Millis::new(250);
/// A run that takes this long is none.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let number = |name: &str, default: u64| {
        let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
        given.unwrap_or(default)
    };
    let (satellites, events) = (number("SATELLITES", 2_000), number("EVENTS", 5));
    let wanted = |name: &str| {
        let names = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
        let named: Vec<_> = names.collect();
        named.is_empty() || named.iter().any(|named| named == name)
    };
    if wanted("sqlite") {
        println!("SQLite");
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite://{}", folder.path().join("bench.db").display());
        engine(&url, satellites, events).await?;
    }
    if wanted("postgresql") {
        println!("PostgreSQL");
        let server = Server::durable();
        engine(&server.url(), satellites, events).await?;
    }
    Ok(())
}

/// The figures of one engine.
async fn engine(url: &str, satellites: u64, events: u64) -> Result<(), Failed> {
    let store = DatabaseStore::open(url, Options::default()).await?;
    let mut receiver = Receiver::start().await?;
    let webhook = webhook(&store, &receiver)?;
    let ids = create(&store, satellites).await?;
    store.create_webhook(webhook.clone()).await?;
    for _ in 0..events {
        connect(&store, &ids).await?;
    }
    let count = usize::try_from(satellites * events)?;
    let told = happened(&store).await?;
    assert_eq!(told.len(), count, "events in the store");
    let began = Instant::now();
    bare(&webhook, told).await?;
    let yardstick = report("a bare client, as many at once (yardstick)", count, began.elapsed());
    assert_eq!(receiver.distinct(count).await?, count, "the bare client's requests");
    receiver.forget();
    let began = Instant::now();
    let pod = pod(&store).await?;
    let requests = receiver.distinct(count).await?;
    let what = format!("deliveries to one webhook, of {satellites} satellites");
    let rate = report(&what, count, began.elapsed());
    println!("  {:.0} % of the yardstick, {} doubles", 100.0 * rate / yardstick, requests - count);
    pod.drain().await;
    store.close().await;
    Ok(())
}

fn report(what: &str, count: usize, took: Duration) -> f64 {
    let rate = count as f64 / took.as_secs_f64();
    println!("{what}: {count} in {took:.1?}, {rate:.0}/s");
    rate
}

/// Answers 200 at once, and knows by their ids what it was told.
struct Receiver {
    url: String,
    ids: Arc<Mutex<HashSet<String>>>,
    /// How many different ones it was told, and how many requests there were.
    counts: watch::Sender<(usize, usize)>,
}

impl Receiver {
    async fn start() -> Result<Self, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let (ids, counts) = (Arc::<Mutex<HashSet<String>>>::default(), watch::Sender::default());
        let receiver = Self { url, ids: ids.clone(), counts: counts.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (ids, counts) = (ids.clone(), counts.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (ids, counts) = (ids.clone(), counts.clone());
                    async move {
                        let id = request.headers().get("webhook-id").cloned();
                        drop(request.into_body().collect().await);
                        let id = id.and_then(|id| id.to_str().map(str::to_owned).ok());
                        let distinct = {
                            let ids = &mut ids.lock();
                            ids.extend(id);
                            ids.len()
                        };
                        counts.send_modify(|counts| *counts = (distinct, counts.1 + 1));
                        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(receiver)
    }

    /// Waits until it was told so many different events; answers how many requests it took.
    async fn distinct(&self, count: usize) -> Result<usize, Failed> {
        let mut counts = self.counts.subscribe();
        let told = counts.wait_for(|(distinct, _)| *distinct >= count);
        Ok(tokio::time::timeout(PATIENCE, told).await??.1)
    }

    fn forget(&mut self) {
        self.ids.lock().clear();
        self.counts.send_replace((0, 0));
    }
}

fn webhook(store: &DatabaseStore, receiver: &Receiver) -> Result<Webhook, Failed> {
    Ok(Webhook {
        id: WebhookId(Uuid::from_u128(1)),
        name: "bench".parse()?,
        url: receiver.url.parse()?,
        filter: EventFilter {
            events: BTreeSet::from([EventKind::Connected]),
            ..EventFilter::default()
        },
        headers: WebhookHeaders::default(),
        mode: ContentMode::Structured,
        alerts_only: false,
        secrets: vec![KeptSecret { secret: SigningSecret::new([7; 32]), expires_at: None }],
        health: Health::default(),
        created_at: store.clock().now(),
    })
}

async fn create(store: &DatabaseStore, count: u64) -> Result<Vec<SatelliteId>, Failed> {
    let now = store.clock().now();
    let new = |number: u64| -> Result<NewSatellite, Failed> {
        let id = Uuid::from_u128(u128::from(number) << 64 | 1);
        let mut random = [0; 32];
        random[..8].copy_from_slice(&number.to_be_bytes());
        let satellite = Satellite {
            id: SatelliteId(id),
            name: format!("satellite {number}").parse()?,
            region: "eu".parse()?,
            tags: Tags::default(),
            own_threshold: None,
            enabled: true,
            agent: ReportedAgent::default(),
            managed_by: None,
            created_at: now,
        };
        let hash = TokenHash::of(&Token::for_satellite(random));
        Ok(NewSatellite {
            satellite,
            token: HashedToken { id: TokenId(id), hash, expires_at: None },
        })
    };
    let all = (1..=count).map(new).collect::<Result<Vec<_>, _>>()?;
    let ids = all.iter().map(|new| new.satellite.id).collect();
    try_join_all(all.into_iter().map(|new| store.create(new))).await?;
    Ok(ids)
}

/// Lets each connect once more: an event of each.
async fn connect(store: &DatabaseStore, ids: &[SatelliteId]) -> Result<(), Failed> {
    let now = store.clock().now();
    let mut writes = Vec::new();
    for read in join_all(ids.iter().map(|id| store.snapshot(*id))).await {
        let read = read?.ok_or("no such satellite")?;
        let command = Command::Connect {
            session: SessionId(Uuid::from_u128(u128::from(read.record.epoch.0) + 1)),
            token: TokenId(read.satellite.0),
            seen_epoch: read.record.epoch,
            credential_version: read.credential_version,
        };
        let decision = decide(&read.record, &command, &read.context(now, SETTLE));
        let Decision::Record(change) = decision else { return Err(format!("{decision:?}").into()) };
        let origin = Origin { pod: PodName::new("bench"), actor: None, remote_address: None };
        writes.push(EdgeWrite { read, change, guard: Guard::Credential, origin, now });
    }
    store.record_edges(writes).await?;
    Ok(())
}

/// All that there is to tell.
async fn happened(store: &DatabaseStore) -> Result<Vec<Event>, Failed> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.events_after(cursor, 1_000).await?;
        let Some(last) = page.last() else { return Ok(all) };
        cursor = Some(last.cursor);
        let events = page.iter().filter_map(|event| Event::derive(&event.recorded));
        all.extend(events.filter(|event| event.kind() == EventKind::Connected));
    }
}

/// Sends all of it, signed and as many at once as a webhook gets, and does nothing else.
async fn bare(webhook: &Webhook, events: Vec<Event>) -> Result<(), Failed> {
    let client = reqwest::Client::builder().use_preconfigured_tls(tls()?).no_proxy().build()?;
    let request = |event: Event| -> Result<reqwest::Request, Failed> {
        let (id, seconds) = (event.id(), event.occurred_at().as_millis() / 1_000);
        let encoded = CloudEvents.encode(&Notice::Event(event), webhook.mode)?;
        let signed = signature(&webhook.secrets[0].secret, &id, seconds, &encoded.body);
        let request = client.post(webhook.url.as_str()).body(encoded.body);
        let request = request.header("content-type", encoded.content_type);
        let request = request.header("webhook-id", id).header("webhook-signature", signed);
        Ok(request.header("webhook-timestamp", seconds).build()?)
    };
    let requests = events.into_iter().map(request).collect::<Result<Vec<_>, _>>()?;
    let sent = stream::iter(requests.into_iter().map(|request| client.execute(request)));
    let answers = sent.buffer_unordered(WEBHOOK_REQUESTS).map_err(Failed::from);
    answers.try_for_each(|answer| async move { Ok(answer.error_for_status().map(drop)?) }).await
}

/// A pod that finds the webhook with everything still to tell.
async fn pod(store: &DatabaseStore) -> Result<GroundControl, Failed> {
    let shared = Arc::new(store.clone());
    let targets = Targets::allowing(vec!["127.0.0.0/8".parse()?]);
    let settings = WebhookSettings { targets, ..WebhookSettings::default() };
    let sender = Arc::new(WebhookClient::new(Arc::new(CloudEvents), tls()?, settings)?);
    let broadcast = Arc::new(MemoryBroadcast::default());
    let ports = WebhookPorts { store: shared.clone(), sender };
    let builder = GroundControl::builder(shared.clone(), shared, store.clock(), broadcast);
    Ok(builder.webhooks(ports).start().await?)
}

/// Trusts nobody: what is said here is said in the clear.
fn tls() -> Result<rustls::ClientConfig, Failed> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

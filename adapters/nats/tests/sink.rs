//! Events on a subject of NATS keep the promises of their port, whoever vouches for them.

mod common;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_trait::async_trait;
use common::{deadline, settings, within};
use futures_util::StreamExt as _;
use groundcontrol_core::automation::{ContentMode, Notice};
use groundcontrol_core::conformance::{self, Fixture, Outcome, Report, SinkAdapter};
use groundcontrol_core::connection::{Event, RegionLoss};
use groundcontrol_core::ports::{
    EncodedEvent, EventCursor, EventEncoder, EventSink, SinkError, SinkEvent, SinkName,
};
use groundcontrol_core::satellite::{PodName, Seq};
use groundcontrol_core::time::{Millis, Timestamp};
use groundcontrol_nats::{NatsSink, SinkSubject};
use groundcontrol_testnats::{Place, Server, Stop};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// Writes an event as its id.
struct Plain;

impl EventEncoder for Plain {
    fn encode(&self, notice: &Notice, _: ContentMode) -> Result<EncodedEvent, String> {
        let body = notice.id().into_bytes();
        Ok(EncodedEvent { content_type: "text/plain", attributes: Vec::new(), body })
    }
}

/// A sink, and somebody who listens on its subject.
struct Heard {
    sink: NatsSink,
    heard: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl EventSink for Heard {
    fn name(&self) -> SinkName {
        self.sink.name()
    }

    async fn take(&self, events: &[SinkEvent]) -> Result<(), SinkError> {
        self.sink.take(events).await
    }
}

#[async_trait]
impl SinkAdapter for Heard {
    async fn arrived(&self, count: usize) -> Vec<String> {
        let enough = async {
            while self.heard.lock().await.len() < count {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = timeout(Duration::from_secs(20), enough).await;
        self.heard.lock().await.clone()
    }
}

async fn sink(place: &Place, jetstream: bool) -> NatsSink {
    let subject = format!("{}.events", place.prefix);
    let to = SinkSubject { subject, jetstream };
    let sink = NatsSink::open(&settings(place), to, Arc::new(Plain)).await;
    let sink = sink.expect("the settings can be used");
    // The connection is made in the background: a sink that fails is asked again.
    within("the connection", async {
        while sink.take(&[]).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    sink
}

/// Hears all messages of a subject by their ids.
async fn hears(place: &Place) -> Arc<Mutex<Vec<String>>> {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let client = async_nats::connect(place.url.as_str()).await.expect("NATS is there");
    let subject = format!("{}.events", place.prefix);
    let mut messages = client.subscribe(subject).await.expect("a subscription");
    client.flush().await.expect("the subscription is sent");
    // Once this has come back, the server knows of the subscription.
    let pong = client.request(format!("{}.nobody", place.prefix), "".into()).await;
    assert!(pong.is_err(), "nobody answers");
    let log = heard.clone();
    tokio::spawn(async move {
        let _client = client;
        while let Some(message) = messages.next().await {
            let headers = message.headers.unwrap_or_default();
            let id = headers.get("Nats-Msg-Id").map(ToString::to_string).unwrap_or_default();
            assert_eq!(message.payload, id.as_bytes());
            log.lock().await.push(id);
        }
    });
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_plain_subject_it_is_a_sink() {
    let report = conformance::event_sink(|| async {
        let place = Place::make();
        let heard = hears(&place).await;
        let sink = Heard { sink: sink(&place, false).await, heard };
        Fixture::<dyn SinkAdapter>::new(Arc::new(sink)).giving_up_after(deadline)
    })
    .await;
    passed_all(&report);
}

async fn with_stream(place: &Place) {
    let client = async_nats::connect(place.url.as_str()).await.expect("NATS is there");
    let subject = format!("{}.events", place.prefix);
    let config = jetstream::stream::Config {
        name: format!("{}-events", place.prefix),
        subjects: vec![subject],
        ..jetstream::stream::Config::default()
    };
    jetstream::new(client).create_stream(config).await.expect("a stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_subject_that_a_stream_stores_it_is_a_sink() {
    let report = conformance::event_sink(|| async {
        let place = Place::make();
        with_stream(&place).await;
        let heard = hears(&place).await;
        let sink = Heard { sink: sink(&place, true).await, heard };
        Fixture::<dyn SinkAdapter>::new(Arc::new(sink)).giving_up_after(deadline)
    })
    .await;
    passed_all(&report);
}

fn one() -> SinkEvent {
    let loss = RegionLoss {
        region: "eu".parse().expect("a region"),
        seq: Seq(1),
        since: Timestamp::from_millis(1),
        occurred_at: Timestamp::from_millis(2),
        lost: 3,
        total: 4,
        window: Millis::from_secs(60),
        pod: PodName::new("pod"),
    };
    SinkEvent { cursor: EventCursor::default(), event: Event::RegionLoss(loss) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_that_no_stream_stores_is_told_so_where_one_must() {
    let place = Place::make();
    let refused = sink(&place, true).await.take(&[one()]).await.expect_err("no stream");
    assert!(refused.to_string().contains("no stream stored"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_is_away_nothing_is_taken_and_once_it_is_back_it_is() {
    let mut server = Server::start_new();
    let place = Place::on(&server.url());
    let sink = sink(&place, false).await;
    server.stop(Stop::Crash);
    let refused = within("a refusal", async {
        loop {
            if let Err(refused) = sink.take(&[one()]).await {
                return refused;
            }
        }
    })
    .await;
    assert!(refused.to_string().starts_with("events did not reach nats/"), "{refused}");
    server.start();
    within("the connection", async {
        while sink.take(&[one()]).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

fn passed_all(report: &Report) {
    report.assert_passed();
    let skipped = report.cases().iter().any(|case| case.outcome != Outcome::Passed);
    assert!(!skipped, "{report}");
}

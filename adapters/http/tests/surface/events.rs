//! The event stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use groundcontrol_core::connection::{Actor, Status, Transition, TransitionKind};
use groundcontrol_core::ports::{
    Caller, EventCursor, FeedItem, FleetError, MockFleetService, Scope, Signal, StoreError,
};
use groundcontrol_http::dto::StreamMessage;
use groundcontrol_http::{HttpSettings, router};
use http::Method;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;

use crate::packages::willing_packages;
use crate::support::*;

const EVENTS: &str = "/api/v1/events";

fn event(position: u64) -> FeedItem {
    let event = derived(transition(position));
    FeedItem::Event { cursor: EventCursor { commit: 4, position }, event: Box::new(event) }
}

fn removal(previous: bool) -> FeedItem {
    let removed = Transition {
        kind: Some(TransitionKind::Removed),
        cause: None,
        next: None,
        previous: previous.then(state),
        ..transition(3)
    };
    let event = derived(removed);
    FeedItem::Event { cursor: EventCursor { commit: 4, position: 3 }, event: Box::new(event) }
}

fn status_changed() -> FeedItem {
    FeedItem::Signal(Signal::StatusChanged {
        satellite: id(),
        status: Status::Online,
        name: Some("a".parse().unwrap()),
        region: Some("eu".parse().unwrap()),
    })
}

fn feeding(fleet: &mut MockFleetService) -> UnboundedSender<FeedItem> {
    let (sender, receiver): (_, UnboundedReceiver<FeedItem>) = unbounded_channel();
    fleet.expect_events().return_once(move |_| Ok(Box::new(Feed(receiver))));
    sender
}

async fn open(app: Router, path: &str) -> http::Response<Body> {
    let request = request(Method::GET, path).header(AUTHORIZATION, "Bearer satellite.read");
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn follow(fleet: MockFleetService, path: &str) -> Body {
    let response = open(
        router(
            services(fleet, willing_work(), willing_packages(), willing_secrets()),
            HttpSettings::default(),
        ),
        path,
    )
    .await;
    assert_eq!(response.status(), 200);
    response.into_body()
}

/// The next frame as text; none at the end. Fails where neither comes.
async fn next(body: &mut Body) -> Option<String> {
    let frame = timeout(Duration::from_secs(100), body.frame())
        .await
        .unwrap()?
        .unwrap()
        .into_data()
        .unwrap();
    Some(String::from_utf8(frame.to_vec()).unwrap())
}

/// What opens every stream: a comment, and where it stands.
const OPENING: &str = ": connected\nid: 4-2\n\n";

/// What is sent for `items`, after the opening.
async fn sent(items: Vec<FeedItem>, query: &str) -> Vec<String> {
    let mut fleet = fleet();
    let feed = feeding(&mut fleet);
    for item in items {
        feed.send(item).unwrap();
    }
    drop(feed);
    let mut body = follow(fleet, &format!("{EVENTS}{query}")).await;
    assert_eq!(next(&mut body).await.as_deref(), Some(OPENING));
    let mut all = Vec::new();
    while let Some(text) = next(&mut body).await {
        all.push(text);
    }
    all
}

/// The JSON of a frame that has nothing but one `data:` line behind `head`.
#[track_caller]
fn data(frame: &str, head: &str) -> Value {
    let line = frame.strip_prefix(head).and_then(|rest| rest.strip_suffix("\n\n"));
    let line =
        line.and_then(|line| line.strip_prefix("data: ")).unwrap_or_else(|| panic!("{frame}"));
    assert!(!line.contains('\n'), "{frame}");
    serde_json::from_str(line).unwrap()
}

#[tokio::test]
async fn e2_an_event_is_a_cloud_event_with_a_resumable_id() {
    let frames = sent(vec![event(8)], "").await;
    let next = json!({
        "status": "offline", "name": "a", "region": "eu", "lastSeenAt": null,
        "lastEvent": "disconnected", "lastEventAt": "2026-02-02T02:40:10.000Z",
        "cause": "revoked", "seq": 8, "epoch": 3,
    });
    assert_eq!(
        data(&frames[0], "id: 4-8\n"),
        json!({
            "specversion": "1.0", "id": format!("{ID}:8"), "source": format!("/satellites/{ID}"),
            "type": "satellite.disconnected", "subject": "a",
            "time": "2026-02-02T02:40:10.000Z", "datacontenttype": "application/json",
            "contextkey": ID, "seq": 8, "epoch": 3, "cause": "revoked", "actor": "ops",
            "data": {
                "satelliteId": ID, "name": "a", "region": "eu", "status": "offline",
                "lastSeenAt": null, "previous": state_json(), "next": next,
            },
        })
    );
}

#[tokio::test]
async fn t7_a_removal_names_the_satellite_that_was() {
    let frames = sent(vec![removal(true), removal(false)], "").await;
    let removed = data(&frames[0], "id: 4-3\n");
    assert_eq!(removed["type"], "satellite.removed");
    assert_eq!(removed["subject"], "a");
    assert_eq!(removed["data"], json!({"satelliteId": ID, "previous": state_json()}));
    let never_connected = data(&frames[1], "id: 4-3\n");
    assert_eq!(never_connected["data"], json!({"satelliteId": ID, "previous": null}));
    assert!(never_connected.get("subject").is_none() && never_connected.get("cause").is_none());
}

#[tokio::test]
async fn signals_are_plain_json_without_an_id() {
    let config_changed = FeedItem::Signal(Signal::ConfigChanged { satellite: id() });
    let frames = sent(vec![status_changed(), config_changed], "").await;
    assert_eq!(
        data(&frames[0], ""),
        json!({"type": "satellite.status_changed", "satelliteId": ID, "status": "online",
            "name": "a", "region": "eu"})
    );
    let changed = json!({"type": "satellite.config_changed", "satelliteId": ID});
    assert_eq!(data(&frames[1], ""), changed);
}

#[tokio::test]
async fn a_client_in_rust_reads_back_every_message() {
    let config_changed = FeedItem::Signal(Signal::ConfigChanged { satellite: id() });
    let items = vec![event(8), removal(true), status_changed(), config_changed];
    for frame in sent(items, "").await {
        let line = frame.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let message: StreamMessage = serde_json::from_str(line).unwrap();
        let again: Value = serde_json::to_value(message).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(line).unwrap());
    }
}

#[tokio::test]
async fn a_client_hears_only_the_types_and_the_satellite_that_it_asked_for() {
    let items = || vec![event(8), status_changed(), removal(true)];
    let count = async |query: &str| sent(items(), query).await.len();
    assert_eq!(count("?types=satellite.removed,satellite.disconnected").await, 2);
    assert_eq!(count("?types=satellite.status_changed").await, 1);
    assert_eq!(count(&format!("?satelliteId={ID}")).await, 3);
    assert_eq!(count(&format!("?satelliteId={UNKNOWN}")).await, 0);
}

#[tokio::test]
async fn a_filter_that_nobody_knows_is_refused() {
    let answer = get(fleet(), "/api/v1/events?types=satellite.lost&satelliteId=x&typ=y").await;
    assert_eq!(answer.faults(), ["?types", "?satelliteId", "?typ"]);
}

#[tokio::test]
async fn the_stream_goes_on_behind_the_event_that_the_client_names() {
    let ways = [
        ("/api/v1/events", Some("4-7"), Some(7)),
        ("/api/v1/events?lastEventId=4-7", None, Some(7)),
        ("/api/v1/events?lastEventId=4-9", Some("4-7"), Some(7)),
        ("/api/v1/events", Some(""), None),
        ("/api/v1/events", None, None),
    ];
    for (path, header, position) in ways {
        let mut fleet = fleet();
        let expected = position.map(|position| EventCursor { commit: 4, position });
        fleet
            .expect_events()
            .withf(move |after| *after == expected)
            .return_once(|_| Ok(Box::new(Ended)));
        let mut asking = request(Method::GET, path).header(AUTHORIZATION, "Bearer satellite.read");
        if let Some(header) = header {
            asking = asking.header("last-event-id", header);
        }
        let answer = ask(fleet, asking.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200, "{path} {header:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_event_id_that_nobody_gave_out_is_refused() {
    let asking = request(Method::GET, EVENTS).header(AUTHORIZATION, "Bearer satellite.read");
    let asking = asking.header("last-event-id", "yesterday").body(Body::empty()).unwrap();
    assert_eq!(ask(fleet(), asking).await.faults(), ["Last-Event-ID"]);
    assert_eq!(get(fleet(), "/api/v1/events?lastEventId=").await.faults(), ["?lastEventId"]);
}

#[tokio::test]
async fn the_answer_is_an_event_stream_that_nobody_keeps_or_buffers() {
    let answer = get(willing(), EVENTS).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_says_something_every_fifteen_seconds() {
    let mut fleet = fleet();
    let _feed = feeding(&mut fleet);
    let mut body = follow(fleet, EVENTS).await;
    let started = Instant::now();
    next(&mut body).await;
    assert_eq!(started.elapsed(), Duration::ZERO, "the first bytes come at once");
    for comments in 1..=3 {
        assert_eq!(next(&mut body).await.as_deref(), Some(":\n\n"));
        assert_eq!(started.elapsed(), Duration::from_secs(15 * comments));
    }
}

#[tokio::test]
async fn an_event_is_sent_when_it_happens() {
    let mut fleet = fleet();
    let feed = feeding(&mut fleet);
    let mut body = follow(fleet, EVENTS).await;
    next(&mut body).await;
    feed.send(event(8)).unwrap();
    assert!(next(&mut body).await.unwrap().starts_with("id: 4-8\n"));
}

#[tokio::test]
async fn the_stream_ends_when_the_server_stops() {
    let mut fleet = fleet();
    let feed = feeding(&mut fleet);
    let mut body = follow(fleet, EVENTS).await;
    next(&mut body).await;
    drop(feed);
    assert_eq!(next(&mut body).await, None);
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_within_a_minute_after_its_token_was_revoked() {
    let revoked = Arc::new(AtomicBool::new(false));
    let mut fleet = MockFleetService::new();
    let seen = Arc::clone(&revoked);
    fleet.expect_caller().returning(move |_| {
        let scopes = vec![Scope::SatelliteRead];
        let caller = Caller { actor: Actor("a".into()), scopes };
        Ok(Some(caller).filter(|_| !seen.load(Ordering::Relaxed)))
    });
    let _feed = feeding(&mut fleet);
    let mut body = follow(fleet, EVENTS).await;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(120) {
        assert!(next(&mut body).await.is_some(), "the token is good");
    }
    revoked.store(true, Ordering::Relaxed);
    while next(&mut body).await.is_some() {
        assert!(started.elapsed() <= Duration::from_secs(180), "{:?}", started.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_out_of_reach_ends_nobodys_stream() {
    let asked = AtomicBool::new(false);
    let mut fleet = MockFleetService::new();
    fleet.expect_caller().returning(move |_| {
        let scopes = vec![Scope::SatelliteRead];
        match asked.swap(true, Ordering::Relaxed) {
            false => Ok(Some(Caller { actor: Actor("a".into()), scopes })),
            true => Err(FleetError::Store(StoreError::Unavailable {
                doing: "read the API token",
                detail: "away".into(),
            })),
        }
    });
    let _feed = feeding(&mut fleet);
    let mut body = follow(fleet, EVENTS).await;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(300) {
        assert!(next(&mut body).await.is_some());
    }
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_until_one_ends() {
    let mut fleet = fleet();
    fleet.expect_events().returning(|_| {
        let (sender, receiver) = unbounded_channel();
        std::mem::forget(sender);
        Ok(Box::new(Feed(receiver)))
    });
    let settings = HttpSettings { max_event_streams: 1, ..HttpSettings::default() };
    let services = services(fleet, willing_work(), willing_packages(), willing_secrets());
    let app = router(services, settings);
    let first = open(app.clone(), EVENTS).await;
    assert_eq!(first.status(), 200);
    let second = open(app.clone(), EVENTS).await;
    assert_eq!(
        (second.status().as_u16(), second.headers()["retry-after"].to_str().unwrap()),
        (503, "10")
    );
    drop(first);
    assert_eq!(open(app, EVENTS).await.status(), 200);
}

//! Events and signals as subscribers see them.

use groundcontrol_testkit::server::{EventStream, Site, Socket};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn an_event_is_a_cloud_event_that_names_edge_satellite_and_state() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut stream = EventStream::open(&api, None).await;
    let _socket = Socket::connect(&server, &satellite).await;

    let event = stream.event().await.data;
    let id = &satellite.id;
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "satellite.connected");
    assert_eq!(event["id"], format!("{id}:1"));
    assert_eq!(event["source"], format!("/satellites/{id}"));
    assert_eq!(event["subject"], satellite.name);
    assert_eq!(event["contextkey"], *id);
    assert_eq!((&event["seq"], &event["epoch"]), (&json!(1), &json!(1)));
    assert_eq!(event["cause"], "authenticated");
    assert!(event["time"].is_string());
    let payload = &event["data"];
    assert_eq!(payload["satelliteId"], *id);
    assert_eq!(payload["name"], satellite.name);
    assert_eq!(payload["region"], "test");
    assert_eq!(payload["status"], "online");
    assert!(payload["lastSeenAt"].is_string());
}

#[tokio::test]
async fn a_signal_with_each_edge_and_each_change_tells_pages_to_look_again() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let mut stream = EventStream::open(&api, None).await;
    let satellite = api.create(&site).await;
    let signal = stream.next().await.expect("the stream goes on");
    assert_eq!((signal.kind(), &signal.id), ("satellite.config_changed", &None));
    assert_eq!(signal.data["satelliteId"], satellite.id);

    let _socket = Socket::connect(&server, &satellite).await;
    stream.event().await;
    let signal = stream.next().await.expect("the stream goes on");
    assert_eq!((signal.kind(), &signal.id), ("satellite.status_changed", &None));
    assert_eq!(signal.data["status"], "online");
    assert_eq!(signal.data["name"], satellite.name);
}

#[tokio::test]
async fn every_subscriber_gets_every_event() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut first = EventStream::open(&api, None).await;
    let mut second = EventStream::open(&api, None).await;
    Socket::visit(&server, &api, &satellite).await;
    for stream in [&mut first, &mut second] {
        let numbers = [stream.event().await.seq(), stream.event().await.seq()];
        assert_eq!(numbers, [1, 2]);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_before_its_first_event_resumes_without_a_gap() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let stream = EventStream::open(&api, None).await;
    let position = stream.position().map(str::to_owned);
    drop(stream);
    Socket::visit(&server, &api, &satellite).await;
    let mut stream = EventStream::open(&api, position.as_deref()).await;
    assert_eq!([stream.event().await.seq(), stream.event().await.seq()], [1, 2]);
}

#[tokio::test]
async fn a_stream_resumes_after_the_event_that_it_names() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let satellite = api.create(&site).await;
    let mut stream = EventStream::open(&api, None).await;
    for _ in 0..3 {
        Socket::visit(&server, &api, &satellite).await;
    }
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(stream.event().await.id.expect("an event has an id"));
    }
    for (at, id) in ids.iter().enumerate().take(5) {
        let mut resumed = EventStream::open(&api, Some(id)).await;
        assert_eq!(resumed.event().await.id.as_ref(), ids.get(at + 1));
    }
}

#[tokio::test]
async fn a_last_event_id_that_nobody_gave_out_is_refused() {
    let site = Site::new();
    let server = site.serve().await;
    let api = site.api(&server);
    let request = api.request(Method::GET, "/api/v1/events").header("Last-Event-ID", "yesterday");
    let answer = api.send(request).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.fields(), ["Last-Event-ID"]);
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams() {
    let site = Site::new();
    let server = site.serve().await;
    let mut stream = EventStream::open(&site.api(&server), None).await;
    server.ask_to_stop();
    while stream.next().await.is_some() {}
    assert_eq!(server.ended().await, Some(0));
}

//! `groundcontrol events`, and the stream below it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures_util::{StreamExt as _, stream};

use super::*;
use crate::client::{EventStream, StreamItem};
use crate::command::events::follow;

const ID: &str = "0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f01";
const SILENCE: Duration = Duration::from_millis(200);

fn event(seq: u64) -> String {
    let event = json!({
        "specversion": "1.0", "id": format!("{ID}:{seq}"), "source": format!("/satellites/{ID}"),
        "type": "satellite.disconnected", "subject": "Lima\u{1b}[2J",
        "time": "2026-01-31T11:59:00.000Z", "datacontenttype": "application/json",
        "contextkey": ID, "seq": seq, "epoch": 1, "cause": "client_closed", "actor": "admin",
        "data": {
            "satelliteId": ID, "name": "Lima\u{1b}[2J", "region": "sa", "status": "offline",
            "lastSeenAt": null, "previous": null, "next": {
                "status": "offline", "name": "Lima", "region": "sa", "lastSeenAt": null,
                "seq": seq, "epoch": 1
            }
        }
    });
    format!("id: 0-{seq}\nevent: satellite.disconnected\ndata: {event}\n\n")
}

const SIGNAL: &str = concat!(
    ": keep-alive\n\n",
    r#"data: {"type":"satellite.config_changed","satelliteId":"0a6b5f0e-5d3c-4b8e-9f3a-0f6f6f6f6f01"}"#,
    "\n\ndata: {\"type\":\"satellite.from_the_future\"}\n\n"
);

/// What one request for the stream is answered with.
enum Answer {
    /// This, and then the end.
    Ends(String),
    /// This, and then nothing.
    Hangs(String),
    /// A refusal.
    Refuses(u16),
}

/// Answers one request after another; the last answer again and again. Tells the ids that were
/// resumed after.
async fn server(answers: Vec<Answer>) -> (FakeServer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, answers) = (asked.clone(), Arc::new(answers));
    let answer = move |headers: HeaderMap| {
        let (log, answers) = (log.clone(), answers.clone());
        async move {
            let after = headers.get("last-event-id").map_or("", |id| id.to_str().unwrap());
            let mut log = log.lock().unwrap();
            log.push(after.to_owned());
            let stream = |body| ([("content-type", "text/event-stream")], body).into_response();
            match &answers[(log.len() - 1).min(answers.len() - 1)] {
                Answer::Ends(text) => stream(Body::from(text.clone())),
                Answer::Hangs(text) => {
                    let first = stream::iter([Ok::<_, std::io::Error>(text.clone())]);
                    stream(Body::from_stream(first.chain(stream::pending())))
                }
                Answer::Refuses(status) => problem(*status, json!({"type": "x", "title": "No"})),
            }
        }
    };
    (FakeServer::start(Router::new().route("/api/v1/events", get(answer))).await, asked)
}

fn events(server: &FakeServer, since: Option<&str>) -> EventStream {
    let stream = EventStream::new(server.client.clone(), since.map(str::to_owned));
    stream.with_patience(Duration::from_millis(1), SILENCE)
}

/// What `groundcontrol events` writes until the server refuses.
async fn followed(server: &FakeServer, signals: bool, format: OutputFormat) -> Outcome {
    let (mut console, out, notes) = captured::console(format);
    let ended = follow(&mut events(server, None), signals, &mut console).await;
    Outcome::of(ended, &out, &notes)
}

#[tokio::test]
async fn events_are_lines_with_ids_and_no_terminal_obeys_them() {
    let text = event(1) + SIGNAL + &event(2);
    let (server, _) = server(vec![Answer::Ends(text), Answer::Refuses(401)]).await;
    let outcome = followed(&server, false, OutputFormat::Table).await;
    insta::assert_snapshot!("events", outcome.out);
    assert!(outcome.notes.contains("-- stale: the server ended it"), "{}", outcome.notes);
    assert!(outcome.error().contains("does not accept the API token"));
}

#[tokio::test]
async fn signals_are_shown_where_they_are_asked_for() {
    let (server, _) = server(vec![Answer::Ends(SIGNAL.to_owned()), Answer::Refuses(401)]).await;
    let outcome = followed(&server, true, OutputFormat::Table).await;
    insta::assert_snapshot!("signals", outcome.out);
}

#[tokio::test]
async fn every_line_for_programs_is_an_object_with_the_id_to_resume_after() {
    let text = event(1) + SIGNAL;
    let (server, _) = server(vec![Answer::Ends(text), Answer::Refuses(401)]).await;
    let out = followed(&server, true, OutputFormat::Json).await.out;
    assert!(!out.contains('\u{1b}'));
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["id"], "0-1");
    assert_eq!(lines[0]["data"]["subject"], "Lima\u{1b}[2J");
    assert_eq!(lines[1], json!({"data": {"type": "satellite.config_changed", "satelliteId": ID}}));
    assert_eq!(lines[2], json!({"data": {"type": "satellite.from_the_future"}}));
}

#[tokio::test]
async fn a_broken_stream_is_resumed_after_the_last_event_and_not_after_a_signal() {
    let first = event(1) + &event(2) + SIGNAL;
    let answers = vec![Answer::Ends(first), Answer::Ends(event(3)), Answer::Refuses(403)];
    let (server, asked) = server(answers).await;
    let out = followed(&server, false, OutputFormat::Json).await.out;
    assert_eq!(out.lines().count(), 3);
    assert_eq!(*asked.lock().unwrap(), ["", "0-2", "0-3"]);
}

#[tokio::test]
async fn a_stream_may_begin_after_an_event_of_the_past() {
    let (server, asked) = server(vec![Answer::Hangs(event(8))]).await;
    let mut stream = events(&server, Some("0-7"));
    assert_eq!(stream.next().await.unwrap(), StreamItem::Live { after: Some("0-7".into()) });
    assert!(matches!(stream.next().await.unwrap(), StreamItem::Message { id: Some(_), .. }));
    assert_eq!(*asked.lock().unwrap(), ["0-7"]);
}

#[tokio::test]
async fn a_gap_is_admitted_where_nothing_can_be_resumed_after() {
    let empty = || Answer::Ends(String::new());
    let (server, asked) =
        server(vec![empty(), Answer::Ends("id: 0-5\n\n".into()), empty(), Answer::Refuses(403)])
            .await;
    let notes = followed(&server, false, OutputFormat::Table).await.notes;
    let stale: Vec<bool> = notes
        .lines()
        .filter(|l| l.contains("stale"))
        .map(|l| l.contains("no event will be missed"))
        .collect();
    assert_eq!(stale, [false, true, true]);
    assert_eq!(*asked.lock().unwrap(), ["", "", "0-5", "0-5"]);
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_and_one_that_refuses_is_not() {
    let answers = vec![Answer::Refuses(503), Answer::Refuses(429), Answer::Refuses(400)];
    let (server, asked) = server(answers).await;
    let outcome = followed(&server, false, OutputFormat::Table).await;
    assert!(outcome.error.is_some());
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_silent_stream_is_stale_and_is_opened_again() {
    let (server, asked) = server(vec![Answer::Hangs(event(1)), Answer::Hangs(event(2))]).await;
    let mut stream = events(&server, None);
    let mut seen = Vec::new();
    while seen.len() < 5 {
        seen.push(match stream.next().await.unwrap() {
            StreamItem::Live { .. } => "live",
            StreamItem::Message { .. } => "message",
            StreamItem::Stale { why, .. } => {
                assert_eq!(why, "the server fell silent");
                "stale"
            }
        });
    }
    assert_eq!(seen, ["live", "message", "stale", "live", "message"]);
    assert_eq!(*asked.lock().unwrap(), ["", "0-1"]);
}

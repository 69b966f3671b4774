//! What is answered fits what the document says of it: no field is missing, of another type, or
//! undescribed.

use axum::body::Body;
use groundcontrol_core::connection::Status;
use groundcontrol_core::ports::{EventCursor, FeedItem, MockFleetService, Signal};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use crate::schema::*;
use crate::support::*;

async fn document() -> Value {
    get(fleet(), "/openapi.json").await.json()
}

#[tokio::test]
async fn every_json_answer_fits_its_schema() {
    let document = document().await;
    let mut checked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let example = resolve(&document, body).get("example").cloned();
            let asked = path.replace("{id}", ID).replace("{name}", "a");
            let asking = request(method.to_uppercase().parse().unwrap(), &asked)
                .header(AUTHORIZATION, "Bearer admin")
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from(example.unwrap_or_default().to_string()));
            let answer = ask(willing(), asking.unwrap()).await;
            let described = &operation["responses"][answer.status.as_str()];
            assert!(described.is_object(), "{method} {path} {}", answer.status);
            let schema = &described["content"]["application/json"]["schema"];
            if schema.is_object() && path != "/openapi.json" {
                assert_eq!(misfit(&document, schema, &answer.json(), path), None);
                checked += 1;
            }
        }
    }
    assert!(checked >= 13, "{checked}");
}

#[tokio::test]
async fn every_problem_fits_its_schema() {
    let document = document().await;
    let schema = &document["components"]["schemas"]["Problem"];
    for path in ["/nothing", "/api/v1/satellites?x=1"] {
        let answer = get(fleet(), path).await;
        assert_eq!(misfit(&document, schema, &answer.json(), path), None);
    }
}

fn streaming() -> MockFleetService {
    let (sender, receiver) = unbounded_channel();
    let event = derived(transition(8));
    let (satellite, status) = (id(), Status::Online);
    let (name, region) = ("a".parse().ok(), "eu".parse().ok());
    for item in [
        FeedItem::Event { cursor: EventCursor::default(), event: Box::new(event) },
        FeedItem::Event { cursor: EventCursor::default(), event: Box::new(region_loss()) },
        FeedItem::Signal(Signal::StatusChanged { satellite, status, name, region }),
        FeedItem::Signal(Signal::ConfigChanged { satellite }),
    ] {
        sender.send(item).unwrap();
    }
    let mut fleet = fleet();
    fleet.expect_events().return_once(|_| Ok(Box::new(Feed(receiver))));
    fleet
}

#[tokio::test]
async fn every_message_of_the_stream_fits_its_schema() {
    let document = document().await;
    let schema = &document["components"]["schemas"]["StreamMessage"];
    let answer = get(streaming(), "/api/v1/events").await;
    let messages: Vec<Value> = answer
        .text()
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    assert_eq!(messages.len(), 4);
    for message in messages {
        assert_eq!(misfit(&document, schema, &message, ""), None);
    }
}

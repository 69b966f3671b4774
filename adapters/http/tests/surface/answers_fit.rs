//! What is answered fits what the document says of it: no field is missing, of another type, or
//! undescribed.

use axum::body::Body;
use groundcontrol_core::connection::{SatelliteEvent, Status};
use groundcontrol_core::ports::{EventCursor, FeedItem, MockFleetService, Signal};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use crate::support::*;

/// What keeps `value` from fitting `schema`; none when it fits.
fn misfit(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let schema = resolve(document, schema);
    if let Some(any) = schema.get("oneOf").and_then(Value::as_array) {
        let misfits: Vec<_> =
            any.iter().map_while(|one| misfit(document, one, value, at)).collect();
        return (misfits.len() == any.len()).then(|| misfits.join(" and "));
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        return Some(format!("{at}: {value} is none of {allowed:?}"));
    }
    // Opaque parts may be any JSON.
    if schema.get("type").is_none() && schema.get("properties").is_none() {
        return None;
    }
    if !is_of_type(value, &schema["type"]) {
        return Some(format!("{at}: {value} is no {}", schema["type"]));
    }
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(n, item)| misfit(document, &schema["items"], item, &format!("{at}/{n}"))),
        Value::Object(fields) => {
            let required = schema["required"].as_array().into_iter().flatten();
            let mut names = required.map(|name| name.as_str().unwrap());
            if let Some(missing) = names.find(|name| !fields.contains_key(*name)) {
                return Some(format!("{at}: {missing} is missing"));
            }
            fields.iter().find_map(|(name, field)| {
                let at = format!("{at}/{name}");
                let of = schema["properties"].get(name).or(schema.get("additionalProperties"));
                match of.filter(|of| of.is_object()) {
                    Some(of) => misfit(document, of, field, &at),
                    None => Some(format!("{at} is not described")),
                }
            })
        }
        _ => None,
    }
}

fn is_of_type(value: &Value, kind: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| is_of_type(value, kind)),
        Value::String(kind) => match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            _ => false,
        },
        _ => false,
    }
}

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
            let asking = request(method.to_uppercase().parse().unwrap(), &path.replace("{id}", ID))
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
    let event = SatelliteEvent::derive(&transition(8)).unwrap();
    let (satellite, status) = (id(), Status::Online);
    let (name, region) = ("a".parse().ok(), "eu".parse().ok());
    for item in [
        FeedItem::Event { cursor: EventCursor::default(), event: Box::new(event) },
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
    assert_eq!(messages.len(), 3);
    for message in messages {
        assert_eq!(misfit(&document, schema, &message, ""), None);
    }
}

//! The catalogue of triggers, and that what is sent fits the schemas that it promises.

use std::collections::BTreeSet;

use groundcontrol_core::connection::{
    ConnectionState, Event, EventKind, LifecycleEvent, Transition, TransitionKind,
};
use groundcontrol_http::dto::CloudEvent;
use serde_json::{Value, json};

use crate::schema::*;
use crate::support::*;

const TRIGGERS: &str = "/api/v1/triggers";

async fn catalogue() -> Vec<Value> {
    let answer = get(fleet(), TRIGGERS).await.json();
    answer["items"].as_array().unwrap().clone()
}

/// Every event that can be sent: each edge with and without a state before it, a removal with and
/// without one, and states with nothing that may be absent; the loss of a region.
fn every_event() -> Vec<Event> {
    let sparse = |state: ConnectionState| ConnectionState {
        last_seen_at: None,
        last_event: None,
        last_event_at: None,
        cause: None,
        ..state
    };
    let kinds = LifecycleEvent::ALL.iter().map(|edge| TransitionKind::Edge(*edge));
    let mut events = Vec::new();
    for kind in kinds.chain([TransitionKind::Removed]) {
        let removed = kind == TransitionKind::Removed;
        for previous in [None, Some(state()), Some(sparse(state()))] {
            for next in [state(), sparse(state())] {
                let next = (!removed).then_some(next);
                let cause = if removed { None } else { transition(8).cause };
                let kind = Some(kind);
                let transition =
                    Transition { kind, cause, previous: previous.clone(), next, ..transition(8) };
                events.push(derived(transition));
            }
        }
    }
    events.push(region_loss());
    events
}

#[tokio::test]
async fn the_catalogue_lists_every_event_once_in_its_order() {
    let ids: Vec<_> = catalogue().await.iter().map(|trigger| trigger["id"].clone()).collect();
    let events: Vec<_> = EventKind::ALL.iter().map(|event| json!(event.name())).collect();
    assert_eq!(ids, events);
}

#[tokio::test]
async fn a_trigger_says_what_a_person_and_a_program_need() {
    let lost = catalogue().await.swap_remove(2);
    let words = ["id", "displayName", "category", "icon", "contextKey"];
    assert_eq!(
        words.map(|word| lost[word].clone()),
        [
            "satellite.heartbeat_lost",
            "Satellite Heartbeat Lost",
            "Satellites",
            "SatelliteDish",
            "satelliteId"
        ]
    );
    assert!(lost["description"].as_str().unwrap().contains("silent"));
}

#[tokio::test]
async fn every_payload_that_can_be_sent_fits_its_triggers_schema() {
    let catalogue = catalogue().await;
    let mut fitted = BTreeSet::new();
    for event in every_event() {
        let sent = json!(CloudEvent::from(&event));
        let trigger = catalogue.iter().find(|trigger| trigger["id"] == sent["type"]).unwrap();
        let schema = &trigger["payloadSchema"];
        assert_eq!(misfit(schema, schema, &sent["data"], "/data"), None, "{}", sent["type"]);
        assert!(sent["data"][trigger["contextKey"].as_str().unwrap()].is_string());
        fitted.insert(sent["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(fitted.len(), catalogue.len());
}

#[tokio::test]
async fn a_payload_without_what_its_schema_demands_does_not_fit() {
    let connected = catalogue().await.swap_remove(0);
    let schema = &connected["payloadSchema"];
    let event = derived(transition(8));
    let whole = json!(CloudEvent::from(&event))["data"].clone();
    for field in ["satelliteId", "name", "region", "status", "lastSeenAt"] {
        let mut lacking = whole.clone();
        lacking.as_object_mut().unwrap().remove(field);
        assert!(misfit(schema, schema, &lacking, "").is_some(), "{field}");
    }
}

#[tokio::test]
async fn every_schema_stands_alone_and_names_its_dialect() {
    for trigger in catalogue().await {
        let schema = &trigger["payloadSchema"];
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let text = schema.to_string();
        assert!(!text.contains("#/components/"), "{text}");
        for reference in text.split("\"$ref\":\"").skip(1) {
            let pointer = reference.split('"').next().unwrap().strip_prefix('#').unwrap();
            assert!(schema.pointer(pointer).is_some(), "{pointer}");
        }
    }
}

#[tokio::test]
async fn the_catalogue_takes_no_parameters() {
    assert_eq!(get(fleet(), "/api/v1/triggers?limit=1").await.faults(), ["?limit"]);
}

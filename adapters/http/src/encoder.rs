//! Events written down for others than the event stream: the same CloudEvents.

use groundcontrol_core::automation::ContentMode;
use groundcontrol_core::connection::SatelliteEvent;
use groundcontrol_core::ports::{EncodedEvent, EventEncoder};
use serde_json::Value;

use crate::dto::CloudEvent;

/// Attributes that the binary form says otherwise: the payload is the body, and its type the
/// body's.
const NOT_ATTRIBUTES: &[&str] = &["data", "datacontenttype"];

/// Writes events exactly as the event stream does.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloudEvents;

impl EventEncoder for CloudEvents {
    fn encode(&self, event: &SatelliteEvent, mode: ContentMode) -> Result<EncodedEvent, String> {
        let written = CloudEvent::from(event);
        match mode {
            ContentMode::Structured => Ok(EncodedEvent {
                content_type: "application/cloudevents+json",
                attributes: Vec::new(),
                body: serde_json::to_vec(&written).map_err(|why| why.to_string())?,
            }),
            ContentMode::Binary => Ok(EncodedEvent {
                content_type: "application/json",
                attributes: attributes(&written)?,
                body: serde_json::to_vec(&written.data).map_err(|why| why.to_string())?,
            }),
        }
    }
}

fn attributes(event: &CloudEvent) -> Result<Vec<(String, String)>, String> {
    let Value::Object(fields) = serde_json::to_value(event).map_err(|why| why.to_string())? else {
        return Err("an event is no JSON object".to_owned());
    };
    let said = fields.into_iter().filter(|(name, _)| !NOT_ATTRIBUTES.contains(&name.as_str()));
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(said.map(|(name, value)| (name, text(value))).collect())
}

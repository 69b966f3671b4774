//! Events written down for others than the event stream: the same CloudEvents.

use groundcontrol_core::automation::{ContentMode, Notice};
use groundcontrol_core::ports::{EncodedEvent, EventEncoder};
use serde::Serialize;
use serde_json::Value;

use crate::dto::{AlertEvent, CloudEvent};

/// Attributes that the binary form says otherwise: the payload is the body, and its type the
/// body's.
const NOT_ATTRIBUTES: &[&str] = &["data", "datacontenttype"];

/// Writes events exactly as the event stream does, and alerts in the same form.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloudEvents;

impl EventEncoder for CloudEvents {
    fn encode(&self, notice: &Notice, mode: ContentMode) -> Result<EncodedEvent, String> {
        match notice {
            Notice::Event(event) => {
                let written = CloudEvent::from(event);
                encoded(&written, &written.data, mode)
            }
            Notice::Alert(alert) => {
                let written = AlertEvent::from(alert);
                encoded(&written, &written.data, mode)
            }
        }
    }
}

fn encoded(
    whole: &impl Serialize,
    data: &impl Serialize,
    mode: ContentMode,
) -> Result<EncodedEvent, String> {
    match mode {
        ContentMode::Structured => Ok(EncodedEvent {
            content_type: "application/cloudevents+json",
            attributes: Vec::new(),
            body: serde_json::to_vec(whole).map_err(|why| why.to_string())?,
        }),
        ContentMode::Binary => Ok(EncodedEvent {
            content_type: "application/json",
            attributes: attributes(whole)?,
            body: serde_json::to_vec(data).map_err(|why| why.to_string())?,
        }),
    }
}

fn attributes(event: &impl Serialize) -> Result<Vec<(String, String)>, String> {
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

//! Triggers, with the JSON Schema of what they carry, which is made from the types that carry it.

use groundcontrol_core::automation as core;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::event::{EdgeData, RegionLossData, RemovedData};
use super::opaque::Opaque;
use super::word::EventType;

/// The dialect that schemas of payloads are written in.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Where a document of the API keeps shared schemas, …
const COMPONENTS: &str = "#/components/schemas/";
/// … and where a schema that stands alone does.
const DEFINITIONS: &str = "#/$defs/";

/// An event that automations can start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// The type of the event.
    pub id: EventType,
    /// What people call it.
    pub display_name: String,
    /// When it happens.
    pub description: String,
    /// What it is listed under.
    pub category: String,
    /// The name of its icon in the lucide set.
    pub icon: String,
    /// The field of the payload that tells apart what it happens to.
    pub context_key: String,
    /// The JSON Schema (2020-12) of the event's `data`; it stands alone.
    pub payload_schema: Opaque,
}

impl From<&core::Trigger> for Trigger {
    fn from(trigger: &core::Trigger) -> Self {
        Self {
            id: EventType(trigger.event),
            display_name: trigger.display_name.to_owned(),
            description: trigger.description.to_owned(),
            category: trigger.category.to_owned(),
            icon: trigger.icon.to_owned(),
            context_key: trigger.context_key.name().to_owned(),
            payload_schema: payload_schema(trigger.payload),
        }
    }
}

fn payload_schema(payload: core::PayloadKind) -> Opaque {
    let schema = match payload {
        core::PayloadKind::Edge => standing_alone::<EdgeData>(),
        core::PayloadKind::Removal => standing_alone::<RemovedData>(),
        core::PayloadKind::RegionLoss => standing_alone::<RegionLossData>(),
    };
    Opaque::from_value(&schema)
}

/// The schema of `T` with all that it refers to.
fn standing_alone<T: ToSchema>() -> Value {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let parts: Map<String, Value> =
        parts.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    let mut whole = Map::from_iter([("$schema".to_owned(), json!(DIALECT))]);
    if let Value::Object(own) = json!(T::schema()) {
        whole.extend(own);
    }
    if !parts.is_empty() {
        whole.insert("$defs".to_owned(), Value::Object(parts));
    }
    let mut whole = Value::Object(whole);
    refer_within(&mut whole);
    whole
}

/// Makes references to components of the API's document such to definitions of this one.
fn refer_within(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(reference) if name == "$ref" => {
                        *reference = reference.replacen(COMPONENTS, DEFINITIONS, 1);
                    }
                    value => refer_within(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer_within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

//! JSON that is kept as it came.

use std::fmt;

use groundcontrol_core::assignment::Json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema, schema};

/// Any JSON, to the letter: spacing, order and spelling of numbers included. Printing it shows its
/// size only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Opaque(Box<RawValue>);

impl Opaque {
    /// The JSON in `text`; an error where it is not exactly one JSON value.
    pub fn new(text: &str) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.to_owned()).map(Self)
    }

    /// The JSON of `value`.
    pub(crate) fn from_value(value: &serde_json::Value) -> Self {
        Self::new(&value.to_string()).unwrap_or_else(|_| Self(RawValue::NULL.to_owned()))
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.get().trim_start().starts_with('{')
    }
}

impl From<&Opaque> for Json {
    fn from(opaque: &Opaque) -> Self {
        Self::trusted(opaque.get())
    }
}

impl From<&Json> for Opaque {
    /// What is stored was JSON when it was taken; what is not any more is shown as null.
    fn from(json: &Json) -> Self {
        Self::new(json.as_str()).unwrap_or_else(|_| Self(RawValue::NULL.to_owned()))
    }
}

impl PartialEq for Opaque {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Opaque {}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} bytes)", self.get().len())
    }
}

impl PartialSchema for Opaque {
    fn schema() -> RefOr<Schema> {
        schema::ObjectBuilder::new()
            .schema_type(schema::SchemaType::AnyValue)
            .description(Some("Any JSON, kept as it came."))
            .into()
    }
}

impl ToSchema for Opaque {}

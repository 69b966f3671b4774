//! What a satellite is told to run.

use serde::{Deserialize, Serialize};

use super::lenient;
use super::opaque::Opaque;

/// One health check that a satellite runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// The configuration; with the system it names the assignment.
    pub config_id: String,
    /// The system that is checked.
    pub system_id: String,
    /// How to connect to it.
    pub strategy_id: String,
    /// The strategy's settings, kept as they came.
    pub config: Opaque,
    /// What to look at once connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collectors: Option<Vec<Collector>>,
    /// Seconds from run to run.
    #[serde(deserialize_with = "lenient::integer")]
    pub interval_seconds: u64,
    /// The configuration's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_name: Option<String>,
    /// The system's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_name: Option<String>,
    /// What an operator wrote about the system.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::kept")]
    pub system_metadata: Option<Opaque>,
    /// Where the system runs; one run for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<Environment>>,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collector {
    /// The entry's id, unique in its assignment.
    pub id: String,
    /// What kind of collector it is.
    pub collector_id: String,
    /// Its settings, kept as they came.
    pub config: Opaque,
    /// What must be true of what it finds. The server judges; agents need not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertions: Option<Vec<Assertion>>,
}

/// What must be true of one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assertion {
    /// The field.
    pub field: String,
    /// Where in the field, RFC 9535.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_path: Option<String>,
    /// How it is compared.
    pub operator: String,
    /// With what.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::kept")]
    pub value: Option<Opaque>,
}

/// One environment of a system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What an operator wrote about it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::kept")]
    pub fields: Option<Opaque>,
}

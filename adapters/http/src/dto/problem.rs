//! Errors on the wire (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, as a URI: `urn:groundcontrol:problem:` and a short name.
    #[serde(rename = "type")]
    #[schema(example = "urn:groundcontrol:problem:invalid")]
    pub kind: String,
    /// The kind in words, always the same for the same `type`.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What went wrong this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// The fields at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// Where: a JSON pointer (RFC 6901) into the request's body, such as `/tags/env`; for a query
    /// parameter `?` and its name, such as `?cursor`; for a header its name.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

//! What the probes answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer of a probe that has nothing to complain about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Probe {
    /// `ok` or `ready`.
    #[schema(example = "ok")]
    pub status: String,
}

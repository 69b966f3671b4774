//! The documents: `apiVersion: groundcontrol.dev/v1`, and four kinds.

use std::collections::BTreeMap;

use groundcontrol_http::dto::{Collector, Selector};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The only version of documents.
pub(super) const API_VERSION: &str = "groundcontrol.dev/v1";

#[derive(Deserialize, ToSchema)]
pub(super) enum ApiVersion {
    #[serde(rename = "groundcontrol.dev/v1")]
    V1,
}

/// A satellite. It gets no token from here: `groundcontrol satellites rotate-token` makes one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Satellite {
    #[allow(dead_code)]
    api_version: ApiVersion,
    #[allow(dead_code)]
    kind: SatelliteKind,
    pub(super) metadata: Labelled,
    pub(super) spec: SatelliteSpec,
}

#[derive(Deserialize, ToSchema)]
pub(super) enum SatelliteKind {
    Satellite,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Labelled {
    /// Unique among all satellites: 1–200 characters, no control characters.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) name: String,
    /// Its tags, all of them. At most 64; keys of 1–63, values of up to 255 characters.
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SatelliteSpec {
    /// Where it runs: 1–200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) region: String,
    /// How long it may be silent before it counts as offline, such as `90s`: two heartbeat
    /// intervals to 7 days; absent for the server's default.
    #[serde(default)]
    #[schema(nullable = false, example = "90s")]
    pub(super) offline_threshold: Option<String>,
}

/// Something that checks are run against.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct System {
    #[allow(dead_code)]
    api_version: ApiVersion,
    #[allow(dead_code)]
    kind: SystemKind,
    pub(super) metadata: Named,
    #[serde(default)]
    pub(super) spec: SystemSpec,
}

#[derive(Deserialize, ToSchema)]
pub(super) enum SystemKind {
    System,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Named {
    /// Unique among all of its kind: 1–200 characters, no control characters.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) name: String,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SystemSpec {
    /// What is to be known about it, sent along with the work.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) metadata: Map<String, Value>,
}

/// A way to check a system. Exactly one of `interval` and `intervalSeconds`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Check {
    #[allow(dead_code)]
    api_version: ApiVersion,
    #[allow(dead_code)]
    kind: CheckKind,
    pub(super) metadata: Named,
    pub(super) spec: CheckSpec,
}

#[derive(Deserialize, ToSchema)]
pub(super) enum CheckKind {
    Check,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CheckSpec {
    /// How an agent connects.
    #[schema(min_length = 1, max_length = 200, example = "healthcheck-http.http")]
    pub(super) strategy_id: String,
    /// The strategy's settings.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) config: Map<String, Value>,
    /// What to look at once connected. At most 100.
    #[serde(default)]
    pub(super) collectors: Vec<Collector>,
    /// From run to run, such as `60s` or `5m`: whole seconds, up to a day.
    #[serde(default)]
    #[schema(nullable = false, example = "60s")]
    pub(super) interval: Option<String>,
    /// The same in seconds: 1 to 86,400.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 86_400)]
    pub(super) interval_seconds: Option<u64>,
}

/// Which satellites run a check against a system. Exactly one of `satellites` and `selector`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Assignment {
    #[allow(dead_code)]
    api_version: ApiVersion,
    #[allow(dead_code)]
    kind: AssignmentKind,
    pub(super) metadata: Named,
    pub(super) spec: AssignmentSpec,
}

#[derive(Deserialize, ToSchema)]
pub(super) enum AssignmentKind {
    Assignment,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AssignmentSpec {
    /// The check, by its name.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) check: String,
    /// The system, by its name.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) system: String,
    /// These satellites, by their names. At most 10,000.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(super) satellites: Option<Vec<String>>,
    /// Whoever is selected. An empty one selects every satellite.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(super) selector: Option<Selector>,
}

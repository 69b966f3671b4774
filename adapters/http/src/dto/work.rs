//! What satellites run: systems, checks, assignments.

use std::collections::BTreeMap;

use groundcontrol_core::assignment::{self as core, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::opaque::Opaque;
use super::word::{Instant, Manager};

/// Something that checks are run against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// Its id.
    pub id: Uuid,
    /// Unique among all systems.
    #[schema(example = "Web shop")]
    pub name: String,
    /// What an operator wrote about it: one object, sent along with the work.
    pub metadata: Opaque,
    /// What made it and keeps it; absent where a person did, or a program that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub managed_by: Option<Manager>,
    /// When it was made.
    pub created_at: Instant,
}

/// Makes a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "Web shop", "metadata": {"owner": "shop team"}}))]
pub struct CreateSystem {
    /// 1–200 characters, no control characters, unique.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// One object; empty where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub metadata: Option<Opaque>,
    /// What makes it and will keep it; absent for a person. Only what `gitops` made does it remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub managed_by: Option<Manager>,
}

/// Changes a system; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "Shop"}))]
pub struct UpdateSystem {
    /// 1–200 characters, no control characters, unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// One object, in place of the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub metadata: Option<Opaque>,
}

/// A way to check a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Its id, which satellites know as `configId`.
    pub id: Uuid,
    /// Unique among all checks.
    #[schema(example = "Shop answers")]
    pub name: String,
    /// How an agent connects.
    #[schema(example = "healthcheck-http.http")]
    pub strategy_id: String,
    /// The strategy's settings: one object, not looked into.
    pub config: Opaque,
    /// What to look at once connected.
    pub collectors: Vec<Collector>,
    /// Seconds from run to run.
    pub interval_seconds: u32,
    /// What made it and keeps it; absent where a person did, or a program that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub managed_by: Option<Manager>,
    /// When it was made.
    pub created_at: Instant,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Collector {
    /// The entry's id, unique in its check.
    #[schema(min_length = 1, max_length = 200)]
    pub id: String,
    /// What kind of collector it is.
    #[schema(min_length = 1, max_length = 200, example = "healthcheck-http.request")]
    pub collector_id: String,
    /// Its settings: one object, not looked into.
    pub config: Opaque,
    /// What must be true of what it finds; judged when a result arrives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertions: Vec<Assertion>,
}

/// What must be true of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assertion {
    /// The field.
    #[schema(min_length = 1, max_length = 200, example = "statusCode")]
    pub field: String,
    /// Where in the field, RFC 9535.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub json_path: Option<String>,
    /// How it is compared.
    #[schema(min_length = 1, max_length = 200, example = "equals")]
    pub operator: String,
    /// With what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Opaque>,
}

/// Makes a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "Shop answers", "strategyId": "healthcheck-http.http",
    "config": {"url": "https://shop.example/"}, "intervalSeconds": 60
}))]
pub struct CreateCheck {
    /// 1–200 characters, no control characters, unique.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// 1–200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub strategy_id: String,
    /// One object; empty where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub config: Option<Opaque>,
    /// At most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub collectors: Vec<Collector>,
    /// 1 to 86,400.
    #[schema(minimum = 1, maximum = 86_400)]
    pub interval_seconds: u64,
    /// What makes it and will keep it; absent for a person. Only what `gitops` made does it remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub managed_by: Option<Manager>,
}

/// Changes a check; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"intervalSeconds": 30}))]
pub struct UpdateCheck {
    /// 1–200 characters, no control characters, unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// 1–200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub strategy_id: Option<String>,
    /// One object, in place of the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub config: Option<Opaque>,
    /// In place of all old ones. At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub collectors: Option<Vec<Collector>>,
    /// 1 to 86,400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 86_400)]
    pub interval_seconds: Option<u64>,
}

/// Which satellites run a check against a system: exactly one of `satelliteIds` and `selector`
/// is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// Its id.
    pub id: Uuid,
    /// The check.
    pub check_id: Uuid,
    /// The system.
    pub system_id: Uuid,
    /// These satellites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub satellite_ids: Option<Vec<Uuid>>,
    /// Whoever is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub selector: Option<Selector>,
    /// What made it and keeps it; absent where a person did, or a program that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub managed_by: Option<Manager>,
    /// When it was made.
    pub created_at: Instant,
}

/// Satellites by region and tags; both must fit. An empty one selects every satellite. Who is
/// tagged later is selected from then on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"region": "eu-central", "tags": "tier in (edge, core), !lab"}))]
pub struct Selector {
    /// Exactly this region; any, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub region: Option<String>,
    /// Terms that must all hold: `key`, `!key`, `key = value`, `key != value`, `key in (a, b)`,
    /// `key notin (a, b)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub tags: Option<String>,
}

/// Makes an assignment. Exactly one of `satelliteIds` and `selector`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "checkId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
    "systemId": "0b9d1c9c-4d0e-4a34-9a4e-5f7a2f3c1d2e",
    "selector": {"tags": "tier in (edge, core), !lab"}
}))]
pub struct CreateAssignment {
    /// The check.
    pub check_id: Uuid,
    /// The system.
    pub system_id: Uuid,
    /// These satellites, at most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub satellite_ids: Option<Vec<Uuid>>,
    /// Whoever is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub selector: Option<Selector>,
    /// What makes it and will keep it; absent for a person. Only what `gitops` made does it remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub managed_by: Option<Manager>,
}

/// Changes an assignment; what is absent stays. `satelliteIds` takes the place of a selector, and
/// the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"selector": {"region": "eu-central"}}))]
pub struct UpdateAssignment {
    /// The check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub check_id: Option<Uuid>,
    /// The system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub system_id: Option<Uuid>,
    /// These satellites, at most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub satellite_ids: Option<Vec<Uuid>>,
    /// Whoever is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub selector: Option<Selector>,
}

/// What operators allow scripts to do: one object, relayed to satellites as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"network": {"allow": ["shop.example"]}}))]
pub struct SandboxPolicy(pub BTreeMap<String, Opaque>);

impl From<&core::System> for System {
    fn from(system: &core::System) -> Self {
        Self {
            id: system.id.0,
            name: system.name.to_string(),
            metadata: (&system.metadata).into(),
            managed_by: system.managed_by.map(Manager),
            created_at: Instant(system.created_at),
        }
    }
}

impl From<&core::Check> for Check {
    fn from(check: &core::Check) -> Self {
        Self {
            id: check.id.0,
            name: check.name.to_string(),
            strategy_id: check.strategy.to_string(),
            config: (&check.config).into(),
            collectors: check.collectors.as_slice().iter().map(Into::into).collect(),
            interval_seconds: check.interval.seconds(),
            managed_by: check.managed_by.map(Manager),
            created_at: Instant(check.created_at),
        }
    }
}

impl From<&core::Collector> for Collector {
    fn from(collector: &core::Collector) -> Self {
        let assertion = |assertion: &core::Assertion| Assertion {
            field: assertion.field.clone(),
            json_path: assertion.json_path.clone(),
            operator: assertion.operator.clone(),
            value: assertion.value.as_ref().map(Into::into),
        };
        Self {
            id: collector.id.clone(),
            collector_id: collector.collector_id.clone(),
            config: (&collector.config).into(),
            assertions: collector.assertions.iter().map(assertion).collect(),
        }
    }
}

impl From<&Collector> for core::Collector {
    fn from(collector: &Collector) -> Self {
        let assertion = |assertion: &Assertion| core::Assertion {
            field: assertion.field.clone(),
            json_path: assertion.json_path.clone(),
            operator: assertion.operator.clone(),
            value: assertion.value.as_ref().map(Into::into),
        };
        Self {
            id: collector.id.clone(),
            collector_id: collector.collector_id.clone(),
            config: (&collector.config).into(),
            assertions: collector.assertions.iter().map(assertion).collect(),
        }
    }
}

impl From<&core::Assignment> for Assignment {
    fn from(assignment: &core::Assignment) -> Self {
        let (satellite_ids, selector) = match &assignment.target {
            Target::Satellites(ids) => (Some(ids.iter().map(|id| id.0).collect()), None),
            Target::Selected(selector) => (None, Some(selector.into())),
        };
        Self {
            id: assignment.id.0,
            check_id: assignment.check.0,
            system_id: assignment.system.0,
            satellite_ids,
            selector,
            managed_by: assignment.managed_by.map(Manager),
            created_at: Instant(assignment.created_at),
        }
    }
}

impl From<&core::Selector> for Selector {
    fn from(selector: &core::Selector) -> Self {
        let tags = Some(selector.tags.to_string()).filter(|text| !text.is_empty());
        Self { region: selector.region.as_ref().map(ToString::to_string), tags }
    }
}

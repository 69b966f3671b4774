//! Rules without code.

use groundcontrol_core::automation as core;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::webhook::EventFilter;
use super::word::Instant;

/// When something about a satellite lasts, a webhook is told, and told again when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its id.
    pub id: Uuid,
    /// Unique among all rules.
    #[schema(example = "Lost for five minutes")]
    pub name: String,
    /// Whether it does anything.
    pub active: bool,
    /// What it watches for. `events` may name `satellite.heartbeat_lost` and
    /// `satellite.disconnected`; the former alone where none is named.
    pub filter: EventFilter,
    /// How many seconds it must last before the webhook is told.
    #[schema(maximum = 604_800)]
    pub lasts_seconds: u64,
    /// How many seconds it must be over before the webhook is told so. What comes back before is
    /// the same alert.
    #[schema(maximum = 86_400)]
    pub steady_seconds: u64,
    /// Where the loss of a region is suspected, the webhook is told of that instead of each of its
    /// satellites.
    pub region_instead: bool,
    /// Who is told.
    pub webhook_id: Uuid,
    /// When it was made. It watches for what happens from then on.
    pub created_at: Instant,
}

/// Makes a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "Lost for five minutes", "lastsSeconds": 300, "steadySeconds": 120,
    "filter": {"region": "eu-central"}, "regionInstead": true,
    "webhookId": "018f3f2e-7c55-7d3a-9f52-8a3c7bd2a101"
}))]
pub struct CreateRule {
    /// 1–200 characters, no control characters, unique.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Who is told.
    pub webhook_id: Uuid,
    /// What it watches for; all satellites that fall silent where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub filter: Option<EventFilter>,
    /// How many seconds it must last before the webhook is told; absent or 0: it is told at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 604_800)]
    pub lasts_seconds: Option<u64>,
    /// How many seconds it must be over before the webhook is told so; absent or 0: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 86_400)]
    pub steady_seconds: Option<u64>,
    /// True: of a region whose loss is suspected the webhook is told instead of its satellites. Not
    /// where the filter picks satellites, tags or causes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub region_instead: Option<bool>,
    /// False: it is made paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

/// Changes a rule; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"active": false}))]
pub struct UpdateRule {
    /// 1–200 characters, no control characters, unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Who is told from now on; that an alert is over is told to whom it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub webhook_id: Option<Uuid>,
    /// In place of the whole old one; alerts that are there stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub filter: Option<EventFilter>,
    /// As when it is made; alerts that are there keep their time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 604_800)]
    pub lasts_seconds: Option<u64>,
    /// As when it is made; alerts that are there keep their time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 86_400)]
    pub steady_seconds: Option<u64>,
    /// As when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub region_instead: Option<bool>,
    /// False pauses it: what it told of is told to be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

impl From<&core::Rule> for Rule {
    fn from(rule: &core::Rule) -> Self {
        Self {
            id: rule.id.0,
            name: rule.name.to_string(),
            active: rule.active,
            filter: (&rule.filter).into(),
            lasts_seconds: rule.lasts.get() / 1_000,
            steady_seconds: rule.steady.get() / 1_000,
            region_instead: rule.region_instead,
            webhook_id: rule.webhook.0,
            created_at: Instant(rule.created_at),
        }
    }
}

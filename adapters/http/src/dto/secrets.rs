//! Secrets: their names, and who got which. A value goes in and never comes out.

use groundcontrol_core::secrets as core;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::word::{Instant, Secret};

/// A secret, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretEntry {
    /// Its name: what configurations refer to as `${{ secrets.NAME }}`.
    pub name: String,
}

/// The value of a secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"value": "correct horse battery staple"}))]
pub struct PutSecret {
    /// Up to 64 KiB of text. It is never shown again.
    pub value: Secret,
}

/// What sealing again did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resealed {
    /// How many secrets were sealed under another key than the current one.
    pub resealed: u64,
}

/// One answer to a satellite that asked for secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretDelivery {
    /// Who asked.
    pub satellite_id: Uuid,
    /// The check, in the satellite's words.
    pub config_id: String,
    /// The collector whose environment it is, in the satellite's words; absent: what is inside the
    /// configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub collector_id: Option<String>,
    /// The run, in the satellite's words.
    pub run_id: String,
    /// The names of the secrets that the place refers to.
    pub names: Vec<String>,
    /// Whether they were delivered: all, or none.
    pub delivered: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
    /// When.
    pub at: Instant,
    /// The pod that answered.
    pub pod: String,
}

impl From<&core::SecretName> for SecretEntry {
    fn from(name: &core::SecretName) -> Self {
        Self { name: name.to_string() }
    }
}

impl From<&core::StoredDelivery> for SecretDelivery {
    fn from(stored: &core::StoredDelivery) -> Self {
        let delivery = &stored.delivery;
        Self {
            satellite_id: delivery.satellite.0,
            config_id: delivery.place.config_id.clone(),
            collector_id: delivery.place.collector_id.clone(),
            run_id: delivery.run_id.clone(),
            names: delivery.names.iter().map(ToString::to_string).collect(),
            delivered: delivery.error.is_none(),
            error: delivery.error.clone(),
            at: delivery.at.into(),
            pod: delivery.pod.to_string(),
        }
    }
}

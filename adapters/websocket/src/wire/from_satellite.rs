//! What satellites say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient;
use super::opaque::{Opaque, SecretText};
use super::parse::messages;

messages! {
    /// A message from a satellite to Ground Control.
    FromSatellite<'a> {
        /// First of all: who it is.
        Authenticate(Authenticate) = "authenticate",
        /// It is alive.
        Heartbeat(Heartbeat<'a>) = "heartbeat",
        /// One run of a health check.
        Result(RunResult<'a>) = "result",
        /// The agent lacks a strategy, or cannot load it.
        StrategyError(StrategyError) = "strategy_error",
        /// Where the agent's script packages stand.
        ScriptPackageSyncState(ScriptPackageSyncState) = "script_package_sync_state",
        /// Asks for the entries of a lockfile.
        RequestScriptPackageManifest(RequestScriptPackageManifest) =
            "request_script_package_manifest",
        /// Asks for one content-addressed blob.
        RequestScriptPackageBlob(RequestScriptPackageBlob) = "request_script_package_blob",
        /// Asks for the secret environment of one of its own collectors.
        RequestRunSecrets(RequestRunSecrets) = "request_run_secrets",
        /// Asks for the secrets that its own configuration refers to.
        RequestConfigSecrets(RequestConfigSecrets) = "request_config_secrets",
        /// Items for the handler of a kind; always acknowledged.
        TelemetryBatch(TelemetryBatch) = "telemetry_batch",
        /// A status for the handler of a kind; not acknowledged.
        CapabilityStatus(CapabilityMessage) = "capability_status",
        /// Asks the handler of a kind for one secret.
        CapabilitySecretRequest(CapabilitySecretRequest) = "capability_secret_request",
        /// What configuration it now runs. Our addition.
        ConfigApplied(ConfigApplied) = "config_applied",
    }
}

/// See [`FromSatellite::Authenticate`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authenticate {
    /// The satellite's UUID.
    pub client_id: String,
    /// Its token.
    pub token: SecretText,
    /// What the agent can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
}

/// See [`FromSatellite::Heartbeat`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat<'a> {
    /// The agent's version.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// Whole seconds since the agent started.
    #[serde(deserialize_with = "lenient::seconds")]
    pub uptime_seconds: u64,
    /// What the agent can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
}

/// See [`FromSatellite::Result`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult<'a> {
    /// The assignment's configuration.
    #[serde(borrow)]
    pub config_id: Cow<'a, str>,
    /// The assignment's system.
    #[serde(borrow)]
    pub system_id: Cow<'a, str>,
    /// How it went.
    pub status: RunStatus,
    /// Milliseconds that the run took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Details, kept as they came.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::kept")]
    pub result: Option<Opaque>,
    /// When the run began, RFC 3339.
    #[serde(borrow)]
    pub executed_at: Cow<'a, str>,
    /// The assignment's environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// Unique per satellite: the agent wants to be sure, and is answered with `result_ack`. Our
    /// addition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_id: Option<String>,
}

/// How a run of a health check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// As it should.
    Healthy,
    /// It failed.
    Unhealthy,
    /// Something between the two.
    Degraded,
}

/// See [`FromSatellite::StrategyError`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StrategyError {
    /// The strategy.
    pub strategy_id: String,
    /// What is wrong.
    pub message: String,
}

/// See [`FromSatellite::ScriptPackageSyncState`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptPackageSyncState {
    /// The lockfile that it is about; null: none.
    pub lockfile_hash: Option<String>,
    /// How far it got.
    pub status: PackageStatus,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// How far an agent got with its script packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageStatus {
    /// Not begun.
    Pending,
    /// Under way.
    Syncing,
    /// Installed.
    Ready,
    /// Failed.
    Error,
}

/// See [`FromSatellite::RequestScriptPackageManifest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestScriptPackageManifest {
    /// Which lockfile.
    pub lockfile_hash: String,
}

/// See [`FromSatellite::RequestScriptPackageBlob`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestScriptPackageBlob {
    /// The blob's key.
    pub integrity: String,
}

/// See [`FromSatellite::RequestRunSecrets`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRunSecrets {
    /// Names the request.
    pub request_id: String,
    /// The assignment.
    pub config_id: String,
    /// The collector's entry id, or its collector id.
    pub collector_id: String,
    /// The run.
    pub run_id: String,
}

/// See [`FromSatellite::RequestConfigSecrets`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestConfigSecrets {
    /// Names the request.
    pub request_id: String,
    /// The assignment.
    pub config_id: String,
    /// The run.
    pub run_id: String,
}

/// See [`FromSatellite::TelemetryBatch`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelemetryBatch {
    /// Names the batch on this connection.
    pub batch_id: String,
    /// Whose items.
    pub kind: String,
    /// The items.
    pub payload: Opaque,
    /// How many items the agent dropped before, by group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped_by_group: Option<BTreeMap<String, f64>>,
}

/// See [`FromSatellite::CapabilityStatus`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityMessage {
    /// Whose status.
    pub kind: String,
    /// The status.
    pub payload: Opaque,
}

/// See [`FromSatellite::CapabilitySecretRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilitySecretRequest {
    /// Names the request.
    pub request_id: String,
    /// Whose secret.
    pub kind: String,
    /// Which one.
    pub payload: Opaque,
}

/// See [`FromSatellite::ConfigApplied`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigApplied {
    /// The revision of `authenticated` or `config_updated`.
    #[serde(deserialize_with = "lenient::integer")]
    pub revision: u64,
}

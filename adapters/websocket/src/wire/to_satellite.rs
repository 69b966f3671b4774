//! What Ground Control says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::assignment::Assignment;
use super::lenient;
use super::opaque::{Opaque, SecretText};
use super::parse::messages;

messages! {
    /// A message from Ground Control to a satellite.
    ToSatellite {
        /// Accepted.
        Authenticated(Authenticated) = "authenticated",
        /// Refused; the socket is closed next.
        AuthFailed(AuthFailed) = "auth_failed",
        /// Replaces the configuration.
        ConfigUpdated(ConfigUpdated) = "config_updated",
        /// Stop; the socket is closed next.
        Shutdown(Shutdown) = "shutdown",
        /// The script packages may have changed.
        RefreshScriptPackages(RefreshScriptPackages) = "refresh_script_packages",
        /// The entries of a lockfile.
        ScriptPackageManifest(ScriptPackageManifest) = "script_package_manifest",
        /// One blob.
        ScriptPackageBlob(ScriptPackageBlob) = "script_package_blob",
        /// Answers `request_run_secrets`.
        RunSecrets(RunSecrets) = "run_secrets",
        /// Answers `request_config_secrets`.
        ConfigSecrets(ConfigSecrets) = "config_secrets",
        /// Replaces the policy that came with `authenticated`.
        SandboxPolicy(SandboxPolicy) = "sandbox_policy",
        /// What became of a telemetry batch.
        TelemetryAck(TelemetryAck) = "telemetry_ack",
        /// Settings for the handler of a kind.
        CapabilityConfig(CapabilityConfig) = "capability_config",
        /// Answers `capability_secret_request`.
        CapabilitySecretResponse(CapabilitySecretResponse) = "capability_secret_response",
        /// What became of a result that carried a `resultId`. Our addition.
        ResultAck(ResultAck) = "result_ack",
    }
}

/// See [`ToSatellite::Authenticated`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authenticated {
    /// The satellite's UUID.
    pub satellite_id: String,
    /// All that it shall run.
    pub assignments: Vec<Assignment>,
    /// Absent: this server distributes no packages, or could not look just now. Null: none are
    /// installed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::nullable"
    )]
    pub script_packages_lockfile_hash: Option<Option<String>>,
    /// What an operator allows scripts to do.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::kept")]
    pub sandbox_policy: Option<Opaque>,
    /// Grows with every change of the configuration. Our addition.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_integer"
    )]
    pub revision: Option<u64>,
    /// Milliseconds between heartbeats. Our addition.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_integer"
    )]
    pub heartbeat_interval_ms: Option<u64>,
}

/// See [`ToSatellite::AuthFailed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthFailed {
    /// Why.
    pub reason: String,
}

/// See [`ToSatellite::ConfigUpdated`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigUpdated {
    /// All that the satellite shall run from now on.
    pub assignments: Vec<Assignment>,
    /// As in [`Authenticated`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::nullable"
    )]
    pub script_packages_lockfile_hash: Option<Option<String>>,
    /// As in [`Authenticated`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_integer"
    )]
    pub revision: Option<u64>,
}

/// See [`ToSatellite::Shutdown`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shutdown {
    /// Why.
    pub reason: String,
}

/// See [`ToSatellite::RefreshScriptPackages`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshScriptPackages {
    /// The lockfile in force.
    pub lockfile_hash: String,
}

/// See [`ToSatellite::ScriptPackageManifest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptPackageManifest {
    /// Which lockfile.
    pub lockfile_hash: String,
    /// Its entries; empty when it is unknown.
    pub entries: Vec<ManifestEntry>,
}

/// One package of a lockfile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestEntry {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The key of its blob.
    pub integrity: String,
    /// SHA-256 of the blob, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob_sha256: Option<String>,
}

/// See [`ToSatellite::ScriptPackageBlob`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptPackageBlob {
    /// The blob's key.
    pub integrity: String,
    /// The blob in base64; null when it is not held.
    pub data: Option<String>,
}

/// See [`ToSatellite::RunSecrets`]. Exactly one of `env` and `error` is present.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunSecrets {
    /// Which request.
    pub request_id: String,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, SecretText>>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// See [`ToSatellite::ConfigSecrets`]. Either values or an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSecrets {
    /// Which request.
    pub request_id: String,
    /// Values by their path in the strategy's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<BTreeMap<String, SecretText>>,
    /// By collector entry: values by their path in its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collectors: Option<BTreeMap<String, BTreeMap<String, SecretText>>>,
    /// Why there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// See [`ToSatellite::SandboxPolicy`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxPolicy {
    /// The policy, as an operator set it.
    pub policy: Opaque,
}

/// See [`ToSatellite::TelemetryAck`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelemetryAck {
    /// Which batch.
    pub batch_id: String,
    /// Items taken.
    #[serde(deserialize_with = "lenient::integer")]
    pub accepted: u64,
    /// Items refused.
    #[serde(deserialize_with = "lenient::integer")]
    pub rejected: u64,
    /// True: send it again later. False: final.
    pub retryable: bool,
}

/// See [`ToSatellite::CapabilityConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityConfig {
    /// Whose settings.
    pub kind: String,
    /// The settings.
    pub payload: Opaque,
}

/// See [`ToSatellite::CapabilitySecretResponse`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilitySecretResponse {
    /// Which request.
    pub request_id: String,
    /// The secret, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::kept")]
    pub payload: Option<Opaque>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// See [`ToSatellite::ResultAck`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultAck {
    /// Which result.
    pub result_id: String,
    /// True: it is stored. False: refused for good.
    pub accepted: bool,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

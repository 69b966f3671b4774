//! Between the messages on the wire and those of the core.

use groundcontrol_core::packages::SyncStatus;
use groundcontrol_core::run::RunStatus;
use groundcontrol_core::satellite::Token;
use groundcontrol_core::session::{Message, Reply, RunResult, ScriptPackageSyncState, Unreadable};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::wire::{
    self, AuthFailed, CapabilitySecretResponse, FromSatellite, PackageStatus, ParseError,
    RefreshScriptPackages, ResultAck, Shutdown, TelemetryAck, ToSatellite,
};
use super::{answer, relay};

impl From<&ParseError> for Unreadable {
    fn from(error: &ParseError) -> Self {
        match error {
            ParseError::UnknownType(_) => Self::UnknownType,
            ParseError::NoMessage { .. } | ParseError::Malformed { .. } => Self::Malformed,
        }
    }
}

impl<'a> From<FromSatellite<'a>> for Message<'a> {
    fn from(message: FromSatellite<'a>) -> Self {
        match message {
            FromSatellite::Authenticate(said) => Self::Authenticate {
                token: Token::from(&said.token),
                client_id: said.client_id,
                capabilities: said.capabilities,
            },
            FromSatellite::Heartbeat(said) => {
                Self::Heartbeat { version: said.version, capabilities: said.capabilities }
            }
            FromSatellite::Result(said) => Self::Result(RunResult {
                config_id: said.config_id,
                system_id: said.system_id,
                status: match said.status {
                    wire::RunStatus::Healthy => RunStatus::Healthy,
                    wire::RunStatus::Unhealthy => RunStatus::Unhealthy,
                    wire::RunStatus::Degraded => RunStatus::Degraded,
                },
                latency_ms: said.latency_ms,
                result: said.result.map(Into::into),
                executed_at: said.executed_at,
                environment_id: said.environment_id,
                result_id: said.result_id,
            }),
            FromSatellite::StrategyError(said) => {
                Self::StrategyError { strategy_id: said.strategy_id, message: said.message }
            }
            FromSatellite::ScriptPackageSyncState(said) => {
                Self::ScriptPackageSyncState(ScriptPackageSyncState {
                    lockfile_hash: said.lockfile_hash,
                    status: match said.status {
                        PackageStatus::Pending => SyncStatus::Pending,
                        PackageStatus::Syncing => SyncStatus::Syncing,
                        PackageStatus::Ready => SyncStatus::Ready,
                        PackageStatus::Error => SyncStatus::Error,
                    },
                    error_message: said.error_message,
                })
            }
            FromSatellite::RequestScriptPackageManifest(said) => {
                Self::RequestScriptPackageManifest { lockfile_hash: said.lockfile_hash }
            }
            FromSatellite::RequestScriptPackageBlob(said) => {
                Self::RequestScriptPackageBlob { integrity: said.integrity }
            }
            FromSatellite::RequestRunSecrets(said) => Self::RequestRunSecrets {
                request_id: said.request_id,
                config_id: said.config_id,
                collector_id: said.collector_id,
                run_id: said.run_id,
            },
            FromSatellite::RequestConfigSecrets(said) => Self::RequestConfigSecrets {
                request_id: said.request_id,
                config_id: said.config_id,
                run_id: said.run_id,
            },
            FromSatellite::TelemetryBatch(said) => Self::TelemetryBatch {
                batch_id: said.batch_id,
                kind: said.kind,
                payload: said.payload.into(),
            },
            FromSatellite::CapabilityStatus(said) => {
                Self::CapabilityStatus { kind: said.kind, payload: said.payload.into() }
            }
            FromSatellite::CapabilitySecretRequest(said) => Self::CapabilitySecretRequest {
                request_id: said.request_id,
                kind: said.kind,
                payload: said.payload.into(),
            },
            FromSatellite::ConfigApplied(said) => Self::ConfigApplied { revision: said.revision },
        }
    }
}

/// A reply as the text of its frame.
pub(crate) fn text_of(reply: Reply) -> Utf8Bytes {
    let message = match reply {
        Reply::Authenticated(welcome) => return relay::authenticated(&welcome).into(),
        Reply::ConfigUpdated(configured) => return relay::config_updated(&configured).into(),
        Reply::SandboxPolicy(policy) => return relay::sandbox_policy(&policy).into(),
        Reply::Answer(answer) => return answer::text_of(answer),
        Reply::RefreshPackages(lockfile) => {
            let lockfile_hash = lockfile.to_string();
            ToSatellite::RefreshScriptPackages(RefreshScriptPackages { lockfile_hash })
        }
        Reply::AuthFailed { reason } => {
            ToSatellite::AuthFailed(AuthFailed { reason: reason.to_owned() })
        }
        Reply::Shutdown { reason } => ToSatellite::Shutdown(Shutdown { reason: reason.to_owned() }),
        Reply::ResultAck { result_id, accepted, reason } => ToSatellite::ResultAck(ResultAck {
            result_id,
            accepted,
            reason: reason.map(str::to_owned),
        }),
        Reply::CapabilitySecret { request_id, error } => {
            ToSatellite::CapabilitySecretResponse(CapabilitySecretResponse {
                request_id,
                payload: None,
                error: Some(error),
            })
        }
        Reply::TelemetryAck { batch_id, accepted, rejected, retryable } => {
            ToSatellite::TelemetryAck(TelemetryAck { batch_id, accepted, rejected, retryable })
        }
    };
    message.to_text().into()
}

//! Between the messages on the wire and those of the core.

use std::borrow::Cow;

use groundcontrol_core::ports::Welcome;
use groundcontrol_core::satellite::Token;
use groundcontrol_core::session::{Message, Reply, RunResult, Unreadable};

use super::wire::{
    AuthFailed, Authenticated, CapabilitySecretResponse, ConfigSecrets, FromSatellite,
    PackageStatus, ParseError, ResultAck, RunSecrets, ScriptPackageBlob, ScriptPackageManifest,
    Shutdown, TelemetryAck, ToSatellite,
};

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
                result_id: said.result_id.map(Cow::Owned),
            }),
            FromSatellite::StrategyError(said) => {
                Self::StrategyError { strategy_id: said.strategy_id, message: said.message }
            }
            FromSatellite::ScriptPackageSyncState(said) => Self::ScriptPackageSyncState {
                lockfile_hash: said.lockfile_hash,
                status: match said.status {
                    PackageStatus::Pending => "pending",
                    PackageStatus::Syncing => "syncing",
                    PackageStatus::Ready => "ready",
                    PackageStatus::Error => "error",
                },
                error_message: said.error_message,
            },
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

impl From<Reply> for ToSatellite {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Authenticated(welcome) => Self::Authenticated(authenticated(&welcome)),
            Reply::AuthFailed { reason } => {
                Self::AuthFailed(AuthFailed { reason: reason.to_owned() })
            }
            Reply::Shutdown { reason } => Self::Shutdown(Shutdown { reason: reason.to_owned() }),
            Reply::ResultAck { result_id, accepted, reason } => Self::ResultAck(ResultAck {
                result_id,
                accepted,
                reason: reason.map(str::to_owned),
            }),
            Reply::RunSecrets { request_id, error } => {
                Self::RunSecrets(RunSecrets { request_id, env: None, error: Some(error) })
            }
            Reply::ConfigSecrets { request_id, error } => Self::ConfigSecrets(ConfigSecrets {
                request_id,
                strategy: None,
                collectors: None,
                error: Some(error),
            }),
            Reply::CapabilitySecret { request_id, error } => {
                Self::CapabilitySecretResponse(CapabilitySecretResponse {
                    request_id,
                    payload: None,
                    error: Some(error),
                })
            }
            Reply::TelemetryAck { batch_id, accepted, rejected, retryable } => {
                Self::TelemetryAck(TelemetryAck { batch_id, accepted, rejected, retryable })
            }
            Reply::EmptyManifest { lockfile_hash } => {
                Self::ScriptPackageManifest(ScriptPackageManifest {
                    lockfile_hash,
                    entries: Vec::new(),
                })
            }
            Reply::NoBlob { integrity } => {
                Self::ScriptPackageBlob(ScriptPackageBlob { integrity, data: None })
            }
        }
    }
}

fn authenticated(welcome: &Welcome) -> Authenticated {
    Authenticated {
        satellite_id: welcome.session.satellite.to_string(),
        heartbeat_interval_ms: Some(welcome.heartbeat_interval.get()),
        ..Authenticated::default()
    }
}

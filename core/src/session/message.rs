//! What a satellite says and what it is answered, as plain values. JSON that the server only
//! keeps stays the text it came as.

use std::borrow::Cow;

use super::request::{Answer, ScriptPackageSyncState};
use crate::assignment::{Configured, Json};
use crate::packages::LockfileHash;
use crate::ports::Welcome;
use crate::run::RunStatus;
use crate::satellite::Token;

/// A message from a satellite that was understood.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// Who it claims to be.
    Authenticate {
        /// The satellite's id, as it came.
        client_id: String,
        /// Its token.
        token: Token,
        /// What the agent can do.
        capabilities: Option<Vec<String>>,
    },
    /// It is alive.
    Heartbeat {
        /// The agent's version.
        version: Cow<'a, str>,
        /// What the agent can do.
        capabilities: Option<Vec<String>>,
    },
    /// One run of a health check.
    Result(RunResult<'a>),
    /// The agent lacks a strategy, or cannot load it.
    StrategyError {
        /// The strategy.
        strategy_id: String,
        /// What is wrong with it.
        message: String,
    },
    /// Where the agent's script packages stand.
    ScriptPackageSyncState(ScriptPackageSyncState),
    /// Asks for the entries of a lockfile.
    RequestScriptPackageManifest {
        /// Which lockfile.
        lockfile_hash: String,
    },
    /// Asks for one blob.
    RequestScriptPackageBlob {
        /// Its key.
        integrity: String,
    },
    /// Asks for the secret environment of a collector.
    RequestRunSecrets {
        /// Names the request.
        request_id: String,
        /// The assignment.
        config_id: String,
        /// The collector.
        collector_id: String,
        /// The run.
        run_id: String,
    },
    /// Asks for the secrets inside a configuration.
    RequestConfigSecrets {
        /// Names the request.
        request_id: String,
        /// The assignment.
        config_id: String,
        /// The run.
        run_id: String,
    },
    /// Items for the handler of `kind`.
    TelemetryBatch {
        /// Names the batch on this connection.
        batch_id: String,
        /// Whose items.
        kind: String,
        /// The items, as JSON.
        payload: Box<str>,
    },
    /// A status for the handler of `kind`.
    CapabilityStatus {
        /// Whose status.
        kind: String,
        /// The status, as JSON.
        payload: Box<str>,
    },
    /// Asks the handler of `kind` for a secret.
    CapabilitySecretRequest {
        /// Names the request.
        request_id: String,
        /// Whose secret.
        kind: String,
        /// Which one, as JSON.
        payload: Box<str>,
    },
    /// What configuration the agent now runs.
    ConfigApplied {
        /// Its revision.
        revision: u64,
    },
}

/// One run of a health check, as an agent reports it.
#[derive(Clone, Debug)]
pub struct RunResult<'a> {
    /// The assignment's configuration.
    pub config_id: Cow<'a, str>,
    /// The assignment's system.
    pub system_id: Cow<'a, str>,
    /// How it went.
    pub status: RunStatus,
    /// Milliseconds that it took.
    pub latency_ms: Option<f64>,
    /// Details, as JSON.
    pub result: Option<Box<str>>,
    /// When it began, as it came.
    pub executed_at: Cow<'a, str>,
    /// The system's environment.
    pub environment_id: Option<String>,
    /// Present when the agent wants to be sure; unique per satellite.
    pub result_id: Option<String>,
}

/// A message to a satellite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Accepted.
    Authenticated(Welcome),
    /// What it shall run from now on.
    ConfigUpdated(Configured),
    /// Which packages its scripts shall import from now on.
    RefreshPackages(LockfileHash),
    /// What its scripts may do from now on.
    SandboxPolicy(Json),
    /// Refused.
    AuthFailed {
        /// Why.
        reason: &'static str,
    },
    /// Stop.
    Shutdown {
        /// Why.
        reason: &'static str,
    },
    /// What became of a result with an id.
    ResultAck {
        /// Which result.
        result_id: String,
        /// False: refused for good.
        accepted: bool,
        /// Why it was refused.
        reason: Option<&'static str>,
    },
    /// What it asked for.
    Answer(Answer),
    /// Answers a request to a capability's handler.
    CapabilitySecret {
        /// Which request.
        request_id: String,
        /// Why there is none.
        error: String,
    },
    /// What became of a batch.
    TelemetryAck {
        /// Which batch.
        batch_id: String,
        /// Items taken.
        accepted: u64,
        /// Items refused.
        rejected: u64,
        /// Whether it shall be sent again later.
        retryable: bool,
    },
}

impl Message<'_> {
    /// The answer of a server that lacks the capability which this message needs; none where the
    /// message is not answered, or needs no capability.
    pub(super) fn unserved(self) -> Option<Reply> {
        match self {
            Self::CapabilitySecretRequest { request_id, kind, .. } => {
                Some(Reply::CapabilitySecret {
                    request_id,
                    error: format!(
                        "No secret resolver for capability \"{kind}\" on this core instance."
                    ),
                })
            }
            Self::TelemetryBatch { batch_id, .. } => {
                Some(Reply::TelemetryAck { batch_id, accepted: 0, rejected: 0, retryable: false })
            }
            Self::Authenticate { .. }
            | Self::Heartbeat { .. }
            | Self::Result(_)
            | Self::StrategyError { .. }
            | Self::ScriptPackageSyncState(_)
            | Self::RequestScriptPackageManifest { .. }
            | Self::RequestScriptPackageBlob { .. }
            | Self::RequestRunSecrets { .. }
            | Self::RequestConfigSecrets { .. }
            | Self::CapabilityStatus { .. }
            | Self::ConfigApplied { .. } => None,
        }
    }
}

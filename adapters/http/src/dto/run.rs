//! Runs of checks.

use groundcontrol_core::run as core;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::opaque::Opaque;
use super::word::{Instant, RunStatus};

/// One run of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The satellite that ran it; absent where Ground Control itself says that none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub satellite_id: Option<Uuid>,
    /// What that was called, and where it was: `name (region)`. `ground-control` where no assigned
    /// satellite was online for an interval.
    #[schema(example = "Frankfurt 1 (eu-central)")]
    pub source: String,
    /// The check.
    pub config_id: Uuid,
    /// The system.
    pub system_id: Uuid,
    /// The system's environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub environment_id: Option<String>,
    /// How it went: the worse of what the agent said and what the assertions make of it.
    pub status: RunStatus,
    /// Milliseconds that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub latency_ms: Option<f64>,
    /// Details, as the agent sent them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Opaque>,
    /// The first assertion that failed: `{entryId, field, operator, expected, actual, reason}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_assertion: Option<Opaque>,
    /// When it began, by the agent's clock.
    pub executed_at: Instant,
    /// When it was received.
    pub received_at: Instant,
}

/// What an agent said of a strategy that it lacks, or cannot load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StrategyError {
    /// The strategy.
    pub strategy_id: String,
    /// What is wrong with it.
    pub message: String,
    /// When it said so last.
    pub at: Instant,
}

impl From<&core::StoredRun> for Run {
    fn from(stored: &core::StoredRun) -> Self {
        let run = &stored.run;
        Self {
            satellite_id: stored.satellite.map(|satellite| satellite.0),
            source: stored.source.clone(),
            config_id: run.check.0,
            system_id: run.system.0,
            environment_id: run.environment.clone(),
            status: RunStatus(run.status),
            latency_ms: run.latency_ms,
            result: run.result.as_ref().map(Into::into),
            failed_assertion: stored.failed.as_ref().map(Into::into),
            executed_at: Instant(run.executed_at),
            received_at: Instant(stored.received_at),
        }
    }
}

impl From<&core::StrategyError> for StrategyError {
    fn from(error: &core::StrategyError) -> Self {
        Self {
            strategy_id: error.strategy.clone(),
            message: error.message.clone(),
            at: Instant(error.at),
        }
    }
}

//! Which reported runs count.

use super::message::RunResult;
use crate::assignment::{CheckId, Configuration, Json, SystemId};
use crate::limits::{MAX_NAME_CHARS, MAX_RUN_DETAILS, MAX_STRATEGY_ERROR_CHARS};
use crate::run::ReportedRun;
use crate::time::Timestamp;

const NOT_ASSIGNED: &str = "not in this satellite's assignments";
const NO_TIME: &str = "executedAt is no RFC 3339 date and time";
const TOO_LARGE: &str = "result is larger than 1 MiB";
const LONG_NAME: &str = "resultId or environmentId is longer than 200 characters";

/// A run that does not count, for good.
pub(super) struct Refused {
    pub(super) result_id: Option<String>,
    pub(super) reason: &'static str,
}

/// A run counts only for a pair of check and system in what the satellite was told to run.
pub(super) fn judged(
    configuration: Option<&Configuration>,
    said: RunResult<'_>,
) -> Result<ReportedRun, Refused> {
    let refused = |result_id, reason| Err(Refused { result_id, reason });
    let pair = said.config_id.parse::<CheckId>().ok().zip(said.system_id.parse::<SystemId>().ok());
    let assigned = |(check, system)| {
        configuration.is_some_and(|configuration| configuration.find(check, system).is_some())
    };
    let Some((check, system)) = pair.filter(|pair| assigned(*pair)) else {
        return refused(said.result_id, NOT_ASSIGNED);
    };
    let Ok(executed_at) = said.executed_at.parse::<Timestamp>() else {
        return refused(said.result_id, NO_TIME);
    };
    if said.result.as_ref().is_some_and(|details| details.len() > MAX_RUN_DETAILS) {
        return refused(said.result_id, TOO_LARGE);
    }
    let names = [said.environment_id.as_ref(), said.result_id.as_ref()];
    if names.into_iter().flatten().any(|name| name.chars().count() > MAX_NAME_CHARS) {
        return refused(said.result_id, LONG_NAME);
    }
    Ok(ReportedRun {
        check,
        system,
        environment: said.environment_id,
        status: said.status,
        latency_ms: said.latency_ms.filter(|latency| latency.is_finite()),
        result: said.result.map(|details| Json::trusted(std::sync::Arc::from(details))),
        executed_at,
        result_id: said.result_id,
    })
}

/// A strategy's name, cut to its limit.
pub(super) fn named(strategy: &str) -> String {
    cut(strategy, MAX_NAME_CHARS)
}

/// What an agent says of a strategy, cut to its limit.
pub(super) fn said(message: &str) -> String {
    cut(message, MAX_STRATEGY_ERROR_CHARS)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

//! Which reported runs count.

use super::message::RunResult;
use crate::assignment::{CheckId, Configuration, Json, SystemId};
use crate::limits::{MAX_NAME_CHARS, MAX_RUN_DETAILS, MAX_STRATEGY_ERROR_CHARS};
use crate::run::ReportedRun;
use crate::satellite::text::check_value;
use crate::time::Timestamp;

const NOT_ASSIGNED: &str = "not in this satellite's assignments";
const NO_TIME: &str = "executedAt is no RFC 3339 date and time";
const TOO_LARGE: &str = "result is larger than 1 MiB";
const BAD_NAME: &str =
    "resultId or environmentId is longer than 200 characters or holds a control character";

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
    // PostgreSQL keeps no NUL: one such name would hold up all runs that are kept with it.
    if names.into_iter().flatten().any(|name| check_value(name, MAX_NAME_CHARS).is_err()) {
        return refused(said.result_id, BAD_NAME);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::assignment::{Assigned, Check, Collectors, Interval, System};
    use crate::run::RunStatus;

    const ID: &str = "00000000-0000-0000-0000-000000000001";
    const OTHER: &str = "00000000-0000-0000-0000-000000000002";

    /// Check 1 of system 1.
    fn told() -> Configuration {
        let (id, created_at) = (Uuid::from_u128(1), Timestamp::from_millis(0));
        let check = Check {
            id: CheckId(id),
            name: "c".parse().unwrap(),
            strategy: "s".parse().unwrap(),
            config: Json::empty_object(),
            collectors: Collectors::default(),
            interval: Interval::new(60).unwrap(),
            managed_by: None,
            created_at,
        };
        let metadata = Json::empty_object();
        let system = System {
            id: SystemId(id),
            name: "s".parse().unwrap(),
            metadata,
            managed_by: None,
            created_at,
        };
        Configuration::new(vec![Assigned { check: Arc::new(check), system: Arc::new(system) }])
    }

    fn run() -> RunResult<'static> {
        RunResult {
            config_id: ID.into(),
            system_id: ID.into(),
            status: RunStatus::Degraded,
            latency_ms: Some(1.5),
            result: Some("{}".into()),
            executed_at: "1970-01-01T00:00:01Z".into(),
            environment_id: Some("e".into()),
            result_id: Some("r".into()),
        }
    }

    fn reason(said: RunResult<'_>) -> Option<&'static str> {
        judged(Some(&told()), said).err().map(|refused| refused.reason)
    }

    #[test]
    fn a_run_that_counts_is_kept_as_it_was_told() {
        let id = Uuid::from_u128(1);
        let kept = ReportedRun {
            check: CheckId(id),
            system: SystemId(id),
            environment: Some("e".into()),
            status: RunStatus::Degraded,
            latency_ms: Some(1.5),
            result: Some(Json::empty_object()),
            executed_at: Timestamp::from_millis(1_000),
            result_id: Some("r".into()),
        };
        assert_eq!(judged(Some(&told()), run()).ok(), Some(kept));
    }

    #[test]
    fn only_the_assigned_pair_counts_and_nothing_where_nothing_was_told() {
        assert_eq!(reason(RunResult { config_id: OTHER.into(), ..run() }), Some(NOT_ASSIGNED));
        assert_eq!(reason(RunResult { system_id: OTHER.into(), ..run() }), Some(NOT_ASSIGNED));
        assert_eq!(reason(RunResult { system_id: "s".into(), ..run() }), Some(NOT_ASSIGNED));
        let untold = judged(None, run()).err().map(|refused| refused.reason);
        assert_eq!(untold, Some(NOT_ASSIGNED));
    }

    #[test]
    fn details_count_up_to_their_limit() {
        let with = |bytes: usize| RunResult { result: Some("x".repeat(bytes).into()), ..run() };
        assert_eq!(reason(with(MAX_RUN_DETAILS)), None);
        assert_eq!(reason(with(MAX_RUN_DETAILS + 1)), Some(TOO_LARGE));
    }

    #[test]
    fn names_count_up_to_their_limit_in_characters() {
        let long = |chars: usize| Some("é".repeat(chars));
        let (fits, too_long) = (long(MAX_NAME_CHARS), long(MAX_NAME_CHARS + 1));
        assert_eq!(reason(RunResult { result_id: fits.clone(), ..run() }), None);
        assert_eq!(reason(RunResult { environment_id: fits, ..run() }), None);
        assert_eq!(reason(RunResult { result_id: too_long.clone(), ..run() }), Some(BAD_NAME));
        assert_eq!(reason(RunResult { environment_id: too_long, ..run() }), Some(BAD_NAME));
    }

    #[test]
    fn names_with_control_characters_do_not_count() {
        let nul = || Some("a\0".to_owned());
        assert_eq!(reason(RunResult { result_id: nul(), ..run() }), Some(BAD_NAME));
        assert_eq!(reason(RunResult { environment_id: nul(), ..run() }), Some(BAD_NAME));
    }

    #[test]
    fn a_latency_that_is_no_number_is_not_kept() {
        let kept = judged(Some(&told()), RunResult { latency_ms: Some(f64::NAN), ..run() });
        assert_eq!(kept.ok().map(|run| run.latency_ms), Some(None));
    }

    #[test]
    fn what_is_said_of_a_strategy_is_cut_to_its_limits_and_stays_on_one_line() {
        assert_eq!(named("a\nb"), "a b");
        assert_eq!(said("a\u{1b}b\n"), "a b ");
        assert_eq!(named(&"é".repeat(5_000)).chars().count(), MAX_NAME_CHARS);
        assert_eq!(said(&"é".repeat(5_000)).chars().count(), MAX_STRATEGY_ERROR_CHARS);
    }
}

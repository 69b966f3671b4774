//! An assignment as this agent runs it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::limits::MAX_INTERVAL_SECONDS;
use groundcontrol_websocket::wire::{Assignment, Opaque};

/// Names an assignment: configuration and system.
pub(crate) type Key = (String, String);

/// What is run. Two that are equal are the same work: names and assertions are the server's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) config_id: String,
    pub(crate) system_id: String,
    pub(crate) strategy: String,
    pub(crate) config: Opaque,
    pub(crate) collectors: Vec<Collector>,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Collector {
    pub(crate) id: String,
    pub(crate) collector: String,
    pub(crate) config: Opaque,
}

/// All that is wanted. Of two assignments with one key the last counts.
pub(crate) fn wanted(assignments: Vec<Assignment>) -> BTreeMap<Key, (Duration, Arc<Job>)> {
    assignments.into_iter().map(job).collect()
}

fn job(assignment: Assignment) -> (Key, (Duration, Arc<Job>)) {
    let Assignment { config_id, system_id, strategy_id, config, collectors, .. } = assignment;
    let key = (config_id.clone(), system_id.clone());
    let seconds = assignment.interval_seconds.clamp(1, u64::from(MAX_INTERVAL_SECONDS));
    let collectors = collectors.unwrap_or_default().into_iter().map(|entry| Collector {
        id: entry.id,
        collector: entry.collector_id,
        config: entry.config,
    });
    let collectors = collectors.collect();
    let job = Job { config_id, system_id, strategy: strategy_id, config, collectors };
    (key, (Duration::from_secs(seconds), Arc::new(job)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(more: &str) -> Assignment {
        let text = format!(
            r#"{{"configId":"c","systemId":"s","strategyId":"http","config":{{"a":1}},"intervalSeconds":60{more}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_new_name_or_assertion_is_no_other_work() {
        let collector = r#""id":"e","collectorId":"request","config":{}"#;
        let plain = assignment(&format!(r#","collectors":[{{{collector}}}]"#));
        let judged = assignment(&format!(
            r#","configName":"n","collectors":[{{{collector},"assertions":[{{"field":"f","operator":"exists"}}]}}]"#
        ));
        assert_eq!(job(plain.clone()), job(judged));
        assert_ne!(job(plain), job(assignment("")));
    }

    #[test]
    fn an_interval_is_a_second_to_a_day() {
        for (asked, seconds) in [(0, 1), (1, 1), (86_400, 86_400), (u64::MAX, 86_400)] {
            let assignment = Assignment { interval_seconds: asked, ..assignment("") };
            assert_eq!(job(assignment).1.0, Duration::from_secs(seconds));
        }
    }
}

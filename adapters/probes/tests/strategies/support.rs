//! Checks as tests write them.

use std::collections::BTreeMap;

use groundcontrol_probes::{Check, Config, Entry, Probes, Report, Settings};
use serde_json::Value;

pub(crate) fn probes() -> Probes {
    Probes::new(Settings::default()).unwrap()
}

pub(crate) fn check(strategy: &str, config: Value, collectors: Vec<Entry>) -> Check {
    Check { strategy: strategy.into(), config: Config::new(config), collectors, hidden: vec![] }
}

pub(crate) fn entry(id: &str, collector: &str, config: Value) -> Entry {
    Entry {
        id: id.into(),
        collector: collector.into(),
        config: Config::new(config),
        secret_env: BTreeMap::new(),
    }
}

/// Runs a check with one collector, `e1`.
pub(crate) async fn run(strategy: &str, config: Value, collector: &str, its: Value) -> Report {
    probes().run(&check(strategy, config, vec![entry("e1", collector, its)])).await
}

/// What the collector `e1` found.
pub(crate) fn found(report: &Report) -> &Value {
    &report.result["metadata"]["collectors"]["e1"]
}

/// What failed, as the report's message says.
pub(crate) fn message(report: &Report) -> &str {
    report.result["message"].as_str().unwrap_or_default()
}

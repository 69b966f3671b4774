//! What a run of a check found, as a `result` message carries it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::mask::Masker;
use super::strategy::Finding;

/// Bytes of the longest result as JSON. Longer texts are cut until it fits.
const MAX_RESULT: usize = 512 * 1024;

/// What a run found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Whether the connection and all collectors worked.
    pub healthy: bool,
    /// Milliseconds that the whole run took.
    pub latency_ms: f64,
    /// `{status, latencyMs, message?, metadata: {connected, connectionTimeMs?, collectors?, error?}}`
    pub result: Value,
}

/// What a run found, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// How long it took to connect, once connected.
    pub(crate) connected: Option<Duration>,
    /// What failed before any collector ran.
    pub(crate) error: Option<String>,
    /// Entry, collector, finding.
    pub(crate) findings: Vec<(String, String, Finding)>,
}

impl Report {
    /// The report of a check that could not be run at all.
    pub fn not_run(why: &str) -> Self {
        let draft = Draft { error: Some(why.to_owned()), ..Draft::default() };
        draft.report(Duration::ZERO, &Masker::new([].iter()))
    }

    /// `healthy` or `unhealthy`.
    pub fn status(&self) -> &'static str {
        status(self.healthy)
    }
}

impl Draft {
    pub(crate) fn report(self, took: Duration, masker: &Masker<'_>) -> Report {
        let failed = self.findings.iter().filter(|(_, _, finding)| finding.error.is_some()).count();
        let healthy = self.error.is_none() && failed == 0;
        let latency_ms = millis(took);
        let mut result = json!({
            "status": status(healthy),
            "latencyMs": latency_ms,
            "metadata": { "connected": self.connected.is_some() },
        });
        if let Some(message) = self.message(failed) {
            result["message"] = message.into();
        }
        let metadata = &mut result["metadata"];
        if let Some(connected) = self.connected {
            metadata["connectionTimeMs"] = millis(connected).into();
        }
        if let Some(error) = self.error {
            metadata["error"] = error.into();
        }
        if !self.findings.is_empty() {
            metadata["collectors"] = collectors(self.findings);
        }
        masker.value(&mut result["message"]);
        masker.value(&mut result["metadata"]);
        if result["message"].is_null()
            && let Some(fields) = result.as_object_mut()
        {
            fields.remove("message");
        }
        fit(&mut result, MAX_RESULT);
        Report { healthy, latency_ms, result }
    }

    /// The first thing that failed, in a sentence.
    fn message(&self, failed: usize) -> Option<String> {
        if let Some(error) = &self.error {
            return Some(error.clone());
        }
        let first = self.findings.iter().find_map(|(_, collector, finding)| {
            finding.error.as_ref().map(|error| format!("{collector}: {error}"))
        })?;
        Some(match failed {
            1 => first,
            more => format!("{first} (and {} more)", more - 1),
        })
    }
}

/// Milliseconds with two decimals.
pub(crate) fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 100_000.0).round() / 100.0
}

fn status(healthy: bool) -> &'static str {
    if healthy { "healthy" } else { "unhealthy" }
}

fn collectors(findings: Vec<(String, String, Finding)>) -> Value {
    let mut shown = Map::new();
    for (entry, collector, finding) in findings {
        let mut fields = finding.fields;
        fields.insert("_collectorId".to_owned(), collector.into());
        if let Some(error) = finding.error {
            fields.insert("error".to_owned(), error.into());
        }
        shown.insert(entry, fields.into());
    }
    shown.into()
}

/// Cuts the longest texts until all is short enough, and says so.
fn fit(result: &mut Value, most: usize) {
    let mut longest = most;
    while longest > 16 && size(result) > most {
        longest /= 2;
        cut(result, longest);
        result["metadata"]["truncated"] = true.into();
    }
}

fn size(value: &Value) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}

fn cut(value: &mut Value, longest: usize) {
    match value {
        Value::String(text) => {
            let end = (0..=longest.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
            text.truncate(end.unwrap_or(0));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, longest)),
        Value::Object(fields) => fields.values_mut().for_each(|field| cut(field, longest)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn draft(findings: &[(&str, Value, Option<&str>)]) -> Draft {
        let findings = findings.iter().map(|(entry, fields, error)| {
            let finding = Finding::of(fields).failed(error.map(str::to_owned));
            (entry.to_string(), "healthcheck-x.y".to_owned(), finding)
        });
        let connected = Some(Duration::from_micros(1_500));
        Draft { connected, error: None, findings: findings.collect() }
    }

    fn report(draft: Draft) -> Report {
        draft.report(Duration::from_micros(12_345), &Masker::new([].iter()))
    }

    #[test]
    fn a_result_has_the_shape_that_the_protocol_gives_it() {
        let report = report(draft(&[("e1", json!({"a": 1}), None)]));
        assert_eq!(
            report.result,
            json!({
                "status": "healthy",
                "latencyMs": 12.35,
                "metadata": {
                    "connected": true,
                    "connectionTimeMs": 1.5,
                    "collectors": {"e1": {"_collectorId": "healthcheck-x.y", "a": 1}},
                },
            })
        );
        assert_eq!((report.healthy, report.status()), (true, "healthy"));
    }

    #[test]
    fn one_failed_collector_makes_a_run_unhealthy_and_is_named() {
        let findings = [("e1", json!({}), None), ("e2", json!({"a": 1}), Some("no"))];
        let report = report(draft(&findings));
        assert!(!report.healthy);
        assert_eq!(report.result["message"], "healthcheck-x.y: no");
        assert_eq!(
            report.result["metadata"]["collectors"]["e2"],
            json!({"_collectorId": "healthcheck-x.y", "a": 1, "error": "no"})
        );
    }

    #[test]
    fn a_run_that_did_not_connect_says_so() {
        let report = Report::not_run("nobody there");
        assert_eq!(
            report.result,
            json!({
                "status": "unhealthy",
                "latencyMs": 0.0,
                "message": "nobody there",
                "metadata": {"connected": false, "error": "nobody there"},
            })
        );
    }

    #[test]
    fn a_result_that_is_too_long_is_cut_and_keeps_its_short_fields() {
        let long = "\u{1}".repeat(900_000);
        let report = report(draft(&[("e1", json!({"body": long, "statusCode": 200}), None)]));
        assert!(size(&report.result) <= MAX_RESULT);
        let entry = &report.result["metadata"]["collectors"]["e1"];
        assert_eq!(entry["statusCode"], 200);
        assert!(!entry["body"].as_str().unwrap().is_empty());
        assert_eq!(report.result["metadata"]["truncated"], true);
    }

    #[test]
    fn nothing_hidden_is_in_a_result() {
        let secret = SecretString::from("hush");
        let mut draft = draft(&[("e1", json!({"a": "say hush"}), Some("hush it"))]);
        draft.error = Some("hush!".into());
        let report = draft.report(Duration::ZERO, &Masker::new([&secret].into_iter()));
        assert!(!report.result.to_string().contains("hush"), "{}", report.result);
    }
}

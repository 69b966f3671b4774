//! What holds of every run, on strategies of the test's own, in paused time.

use std::time::Duration;

use async_trait::async_trait;
use groundcontrol_probes::{Connection, Finding, ProbeError, Probes, Strategy, Task};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{check, entry, message, probes, run};

/// Connects after `connectMs`; `slow` takes `takesMs`, `quick` none.
struct Slow;

#[async_trait]
impl Strategy for Slow {
    fn id(&self) -> &'static str {
        "test.slow"
    }

    fn collectors(&self) -> &'static [&'static str] {
        &["test.quick", "test.waits"]
    }

    async fn connect<'a>(
        &'a self,
        config: &'a Value,
        _task: &Task<'a>,
    ) -> Result<Box<dyn Connection + 'a>, ProbeError> {
        sleep(millis(&config["connectMs"])).await;
        Ok(Box::new(Slow))
    }
}

#[async_trait]
impl Connection for Slow {
    async fn collect(
        &self,
        _collector: &'static str,
        config: &Value,
        _task: &Task<'_>,
    ) -> Result<Finding, ProbeError> {
        sleep(millis(&config["takesMs"])).await;
        Ok(Finding::of(&json!({"done": true})))
    }
}

fn millis(value: &Value) -> Duration {
    Duration::from_millis(value.as_u64().unwrap_or(0))
}

fn slow() -> Probes {
    Probes::none().with(Slow)
}

#[tokio::test(start_paused = true)]
async fn all_collectors_run_at_once() {
    let entries =
        (0..5).map(|n| entry(&n.to_string(), "waits", json!({"takesMs": 1_000}))).collect();
    let began = Instant::now();
    let report = slow().run(&check("slow", json!({"connectMs": 500}), entries)).await;
    assert_eq!(began.elapsed(), Duration::from_millis(1_500));
    assert!(report.healthy);
    assert_eq!(report.latency_ms, 1_500.0);
    assert_eq!(report.result["metadata"]["connectionTimeMs"], 500.0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_comes_ends_with_the_run() {
    let began = Instant::now();
    let report = slow().run(&check("slow", json!({"connectMs": 1e9 as u64}), vec![])).await;
    assert_eq!(began.elapsed(), Duration::from_secs(30));
    assert_eq!(message(&report), "connecting took longer than 30000 ms");
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_never_ends_is_cut_off_and_the_others_are_kept() {
    let entries = vec![
        entry("ends", "quick", json!({})),
        entry("hangs", "waits", json!({"takesMs": 1e9 as u64})),
    ];
    let began = Instant::now();
    let report = slow().run(&check("slow", json!({"timeout": 1_000}), entries)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(3), "the time-out and the grace");
    let collectors = &report.result["metadata"]["collectors"];
    assert_eq!(collectors["ends"]["done"], true);
    assert!(collectors["hangs"]["error"].as_str().unwrap().contains("took longer"));
    assert!(!report.healthy);
}

#[tokio::test]
async fn an_unknown_strategy_is_told_from_one_that_fails() {
    let unsupported = probes().supports("healthcheck-psychic.read", []).unwrap_err();
    assert_eq!(unsupported.strategy, "healthcheck-psychic.read");
    assert!(unsupported.message.contains("healthcheck-http.http"), "{unsupported}");
    let report = probes().run(&check("healthcheck-psychic.read", json!({}), vec![])).await;
    assert!(!report.healthy);
    assert_eq!(report.result["metadata"]["connected"], false);
    assert_eq!(message(&report), unsupported.message);
}

#[tokio::test]
async fn names_are_known_in_full_and_by_their_second_part() {
    for name in ["healthcheck-tcp.tcp", "tcp", "healthcheck-http.http", "http"] {
        assert_eq!(probes().supports(name, []), Ok(()), "{name}");
    }
    for name in ["", "healthcheck-tcp", "healthcheck-tcp.", "TCP", "ttp", "http.http"] {
        assert!(probes().supports(name, []).is_err(), "{name}");
    }
}

#[tokio::test]
async fn an_unknown_collector_fails_alone_and_names_those_that_there_are() {
    let report = run("http", json!({}), "healthcheck-http.guess", json!({})).await;
    assert!(message(&report).contains("it has healthcheck-http.request"), "{}", message(&report));
    assert_eq!(report.result["metadata"]["connected"], true);
}

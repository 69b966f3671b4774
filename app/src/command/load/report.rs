//! What a run showed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::fleet::Tally;
use crate::client::ServerMetrics;

/// The figures of a run. Times are in milliseconds or seconds, as the names say; memory in bytes.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) server: String,
    pub(super) satellites: u64,
    pub(super) authenticated: u64,
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) connect_seconds: f64,
    pub(super) connects_per_second: f64,
    pub(super) connect_latency_ms: Option<Latency>,
    pub(super) hold_seconds: f64,
    pub(super) heartbeats_sent: u64,
    pub(super) heartbeats_per_second: f64,
    pub(super) disconnects: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) work: Option<WorkReport>,
    pub(super) memory: Option<Memory>,
    pub(super) interrupted: bool,
    pub(super) satellites_left: u64,
}

/// What became of work that all of them share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkReport {
    /// Satellites that applied the change.
    pub(super) applied: u64,
    pub(super) change_to_applied_ms: Option<Latency>,
    pub(super) results_acknowledged: u64,
    pub(super) results_per_second: f64,
}

/// A span, of many of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Latency {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

/// The server's resident memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Memory {
    pub(super) before_bytes: f64,
    pub(super) after_bytes: f64,
    pub(super) per_connection_bytes: f64,
}

impl Latency {
    /// Of `latencies`, by nearest rank; none of none.
    pub(super) fn of(mut latencies: Vec<Duration>) -> Option<Self> {
        latencies.sort_unstable();
        let rank = |percent: usize| {
            let rank = (latencies.len() * percent).div_ceil(100).max(1);
            latencies.get(rank - 1).map(|latency| latency.as_secs_f64() * 1_000.0)
        };
        Some(Self { p50: rank(50)?, p99: rank(99)?, max: rank(100)? })
    }
}

impl Memory {
    /// The growth from `before` to `after`, shared by `connections`; none where the server tells
    /// nothing.
    pub(super) fn of(
        before: &ServerMetrics,
        after: &ServerMetrics,
        connections: u64,
    ) -> Option<Self> {
        let (before, after) = (before.resident_bytes()?, after.resident_bytes()?);
        (connections > 0).then(|| Self {
            before_bytes: before,
            after_bytes: after,
            per_connection_bytes: (after - before) / connections as f64,
        })
    }
}

impl Report {
    /// Takes over what was counted.
    pub(super) fn count(&mut self, tally: &Tally) {
        let latencies = std::mem::take(&mut *tally.latencies.lock());
        self.authenticated = latencies.len() as u64;
        self.connect_latency_ms = Latency::of(latencies);
        self.connect_seconds = tally.last_accepted.lock().as_secs_f64();
        self.connects_per_second = per_second(self.authenticated, self.connect_seconds);
        self.failures = tally.failures.lock().clone();
        self.disconnects = tally.disconnects.lock().clone();
    }

    /// Whether every satellite was authenticated and stayed.
    pub(super) fn is_clean(&self) -> bool {
        let all_applied = |work: WorkReport| work.applied == self.authenticated;
        self.authenticated == self.satellites
            && self.disconnects.is_empty()
            && self.work.is_none_or(all_applied)
    }

    /// Labelled lines for people.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![
            row("authenticated", format!("{} of {}", self.authenticated, self.satellites)),
            row(
                "connects",
                format!(
                    "{:.0} a second, {:.2} s in all",
                    self.connects_per_second, self.connect_seconds
                ),
            ),
        ];
        if let Some(Latency { p50, p99, max }) = self.connect_latency_ms {
            let text = format!("p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms");
            rows.push(row("dial to authenticated", text));
        }
        rows.push(row(
            "heartbeats",
            format!(
                "{:.0} a second during {:.1} s ({} sent)",
                self.heartbeats_per_second, self.hold_seconds, self.heartbeats_sent
            ),
        ));
        if let Some(work) = &self.work {
            rows.extend(work.rows(self.authenticated));
        }
        rows.push(row("disconnects", counted(&self.disconnects)));
        if !self.failures.is_empty() {
            rows.push(row("failures", counted(&self.failures)));
        }
        rows.push(row(
            "server memory",
            self.memory.map_or_else(
                || "unknown: the server's /metrics has no process_resident_memory_bytes".to_owned(),
                |memory| {
                    format!(
                        "{:.0} bytes per connection ({:.1} MiB before, {:.1} MiB after)",
                        memory.per_connection_bytes,
                        memory.before_bytes / MIB,
                        memory.after_bytes / MIB
                    )
                },
            ),
        ));
        rows
    }
}

impl WorkReport {
    fn rows(&self, satellites: u64) -> Vec<Vec<String>> {
        let told = format!("applied by {} of {satellites}", self.applied);
        let told = match self.change_to_applied_ms {
            Some(Latency { p50, p99, max }) => {
                format!("{told}: p50 {p50:.1} ms, p99 {p99:.1} ms, last {max:.1} ms")
            }
            None => told,
        };
        let results = format!(
            "{:.0} a second acknowledged ({} in all)",
            self.results_per_second, self.results_acknowledged
        );
        vec![row("change of work", told), row("results", results)]
    }
}

const MIB: f64 = 1024.0 * 1024.0;

pub(super) fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn counted(reasons: &BTreeMap<String, u64>) -> String {
    if reasons.is_empty() {
        return "none".to_owned();
    }
    let each = reasons.iter().map(|(reason, count)| format!("{count} × {reason}"));
    each.collect::<Vec<_>>().join("; ")
}

fn row(label: &str, text: String) -> Vec<String> {
    vec![label.to_owned(), text]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let hundred = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(Latency::of(hundred), Some(Latency { p50: 50.0, p99: 99.0, max: 100.0 }));
        let one = vec![Duration::from_millis(7)];
        assert_eq!(Latency::of(one), Some(Latency { p50: 7.0, p99: 7.0, max: 7.0 }));
        assert_eq!(Latency::of(vec![]), None);
    }

    #[test]
    fn memory_is_unknown_where_the_server_does_not_tell() {
        let tells = ServerMetrics::from("process_resident_memory_bytes 3000\n".to_owned());
        let silent = ServerMetrics::default();
        assert_eq!(Memory::of(&silent, &tells, 1), None);
        let base = ServerMetrics::from("process_resident_memory_bytes 1000\n".to_owned());
        assert_eq!(Memory::of(&base, &tells, 2).map(|m| m.per_connection_bytes), Some(1000.0));
        let told = Report::default().rows().last().unwrap()[1].clone();
        assert!(told.starts_with("unknown"), "{told}");
    }

    #[test]
    fn a_run_whose_work_did_not_reach_all_is_not_clean_and_says_so() {
        let work = WorkReport {
            applied: 1,
            change_to_applied_ms: Some(Latency { p50: 1.0, p99: 1.0, max: 2.5 }),
            results_acknowledged: 30,
            results_per_second: 15.0,
        };
        let report =
            Report { satellites: 2, authenticated: 2, work: Some(work), ..Report::default() };
        assert!(!report.is_clean());
        let work = Some(WorkReport { applied: 2, ..work });
        assert!(Report { work, ..report.clone() }.is_clean());
        let shown = report.rows().concat().join(" ");
        assert!(shown.contains("applied by 1 of 2: p50 1.0 ms"), "{shown}");
        assert!(shown.contains("15 a second acknowledged (30 in all)"), "{shown}");
    }

    #[test]
    fn a_run_with_a_failure_or_a_disconnect_is_not_clean() {
        let clean = Report { satellites: 2, authenticated: 2, ..Report::default() };
        assert!(clean.is_clean());
        assert!(!Report { authenticated: 1, ..clean.clone() }.is_clean());
        let disconnects = [("closed with 1012".to_owned(), 1)].into();
        assert!(!Report { disconnects, ..clean }.is_clean());
    }
}

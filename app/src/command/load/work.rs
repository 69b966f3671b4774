//! Work for a simulated fleet: one assignment that all share, one change of it, and then results, each
//! satellite's next one as soon as the last is acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use groundcontrol_core::time::Timestamp;
use groundcontrol_http::dto::{
    Assignment, Check, CreateAssignment, CreateCheck, CreateSystem, Selector, System, UpdateCheck,
};
use groundcontrol_websocket::wire::{ConfigApplied, FromSatellite, RunResult, RunStatus};
use indicatif::ProgressBar;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::LOOK;
use super::report::{Latency, WorkReport, per_second};
use crate::client::{Client, ClientError};

/// No agent would run the check by itself while a load lasts; what is changed is the interval.
const INTERVAL_SECONDS: u64 = 86_400;
/// The time for a change to reach all.
const APPLIED: Duration = Duration::from_secs(60);

/// What all satellites of a run share, and what they saw of it.
#[derive(Debug)]
pub(super) struct Work {
    check: Check,
    system: System,
    assignment: Assignment,
    changed: Mutex<Option<Instant>>,
    /// From the request that changes it to the word that it was applied, of each satellite.
    applied: Mutex<Vec<Duration>>,
    reporting: watch::Sender<bool>,
    acknowledged: AtomicU64,
}

impl Work {
    /// Makes a check of a system, assigned to all satellites of the run.
    pub(super) async fn make(client: &Client, run: &str) -> Result<Self, ClientError> {
        let name = format!("load-{run}");
        let system = CreateSystem { name: name.clone(), metadata: None, managed_by: None };
        let system: System = client.make(&system).await?;
        let check = CreateCheck {
            name,
            strategy_id: "load".to_owned(),
            config: None,
            collectors: Vec::new(),
            interval_seconds: INTERVAL_SECONDS,
            managed_by: None,
        };
        let check: Check = client.make(&check).await?;
        let assignment = CreateAssignment {
            check_id: check.id,
            system_id: system.id,
            satellite_ids: None,
            selector: Some(Selector { region: None, tags: Some(format!("load in ({run})")) }),
            managed_by: None,
        };
        let assignment: Assignment = client.make(&assignment).await?;
        Ok(Self {
            check,
            system,
            assignment,
            changed: Mutex::default(),
            applied: Mutex::default(),
            reporting: watch::Sender::new(false),
            acknowledged: AtomicU64::new(0),
        })
    }

    /// Removes it again, with its assignment.
    pub(super) async fn remove(&self, client: &Client) -> Result<(), ClientError> {
        client.drop_one::<Check>(self.check.id).await?;
        client.drop_one::<System>(self.system.id).await
    }

    /// Changes it, and waits until `count` satellites applied that.
    pub(super) async fn change(
        &self,
        client: &Client,
        count: usize,
        bar: &ProgressBar,
        stop: &CancellationToken,
    ) -> Result<(), ClientError> {
        let update =
            UpdateCheck { interval_seconds: Some(INTERVAL_SECONDS - 1), ..UpdateCheck::default() };
        let began = Instant::now();
        *self.changed.lock() = Some(began);
        client.change::<Check>(self.check.id, &update).await?;
        while self.applied.lock().len() < count && began.elapsed() < APPLIED {
            if stop.is_cancelled() {
                break;
            }
            bar.set_position(self.applied.lock().len() as u64);
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// From now on all report.
    pub(super) fn report(&self) {
        self.reporting.send_replace(true);
    }

    /// Tells when to report.
    pub(super) fn reporting(&self) -> watch::Receiver<bool> {
        self.reporting.subscribe()
    }

    /// What a satellite says that was ordered something.
    pub(super) fn applied(&self, revision: u64) -> String {
        if let Some(changed) = *self.changed.lock() {
            self.applied.lock().push(changed.elapsed());
        }
        FromSatellite::ConfigApplied(ConfigApplied { revision }).to_text()
    }

    /// One of its results was acknowledged.
    pub(super) fn acknowledged(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    /// A satellite's result with this number.
    pub(super) fn result(&self, number: u64) -> String {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default());
        let result = RunResult {
            config_id: self.check.id.to_string().into(),
            system_id: self.system.id.to_string().into(),
            status: RunStatus::Healthy,
            latency_ms: Some(1.5),
            result: None,
            executed_at: now.to_string().into(),
            environment_id: None,
            result_id: Some(format!("{} {number}", self.assignment.id)),
        };
        FromSatellite::Result(result).to_text()
    }

    /// What was seen, of `seconds` of reporting.
    pub(super) fn seen(&self, seconds: f64) -> WorkReport {
        let applied = std::mem::take(&mut *self.applied.lock());
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        WorkReport {
            applied: applied.len() as u64,
            change_to_applied_ms: Latency::of(applied),
            results_acknowledged: acknowledged,
            results_per_second: per_second(acknowledged, seconds),
        }
    }
}

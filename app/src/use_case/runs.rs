//! Runs of checks: taken at once, judged, kept together, and acknowledged once they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::assignment::Json;
use groundcontrol_core::limits::MAX_RUN_AHEAD;
use groundcontrol_core::ports::{Order, ResultAck, SessionRef, StoreResult};
use groundcontrol_core::run::{ReportedRun, Run, StrategyError, judge};
use groundcontrol_core::satellite::{Satellite, SatelliteId};
use metrics::{counter, gauge, histogram};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use super::prune::{PRUNE_STEP, in_steps};
use crate::json::{self, JsonTools};
use crate::pod::{Pod, Runs, WaitingRun};

/// After a failed write the next one waits this long.
const RETRY: Duration = Duration::from_millis(500);
/// What comes together is kept together: a write waits this long for company.
const GATHER: Duration = Duration::from_millis(20);
/// Acknowledgements that one order to a socket carries.
const ACKS: usize = 64;

const AHEAD: &str = "executedAt is more than a day ahead of this server's time";

impl Pod {
    /// Takes a run at the moment of its receipt. Where too many wait, it is dropped without an
    /// answer: an agent that wants to be sure keeps it, and sends it again.
    pub(crate) fn take_run(&self, session: SessionRef, run: ReportedRun) {
        let Some(runs) = &self.runs else { return };
        let received_at = self.now();
        if run.executed_at > received_at + MAX_RUN_AHEAD {
            counter!("groundcontrol_runs_total", "outcome" => "refused").increment(1);
            if let Some(result_id) = run.result_id {
                let acks = vec![ResultAck { result_id, refused: Some(AHEAD) }];
                self.acknowledge(session, acks);
            }
            return;
        }
        // The session was superseded, or its work was taken away while the run was on its way.
        let told = self.sessions.configured(session);
        let assigned =
            told.and_then(|told| told.configuration.find(run.check, run.system).cloned());
        let Some(assigned) = assigned else { return };
        if !runs.push(WaitingRun { session, run, assigned, received_at }) {
            counter!("groundcontrol_runs_total", "outcome" => "no_room").increment(1);
            debug!(satellite = %session.satellite, "too many runs wait to be kept; one is dropped");
        }
    }

    /// Takes what an agent says of a strategy that it lacks.
    pub(crate) fn take_strategy_error(
        &self,
        session: SessionRef,
        strategy: String,
        message: String,
    ) {
        let Some(runs) = &self.runs else { return };
        let satellite = session.satellite;
        info!(%satellite, strategy, "an agent lacks a strategy");
        runs.push_error(StrategyError { satellite, strategy, message, at: self.now() });
    }

    fn acknowledge(&self, session: SessionRef, acks: Vec<ResultAck>) {
        let order = Order::Acknowledge(acks);
        self.sessions.order(session.satellite, order, |epoch| epoch == session.epoch);
    }

    /// The task that keeps runs.
    pub(crate) async fn keep_runs(self: Arc<Self>) {
        let Some(runs) = &self.runs else { return };
        loop {
            runs.waiting.notified().await;
            sleep(GATHER).await;
            while let Err(error) = self.keep_waiting(runs).await {
                warn!(%error, waiting = runs.len(), "runs wait to be kept; nobody is told that they are");
                sleep(RETRY).await;
            }
        }
    }

    /// Keeps all that wait. What cannot be kept goes on waiting.
    pub(crate) async fn keep_waiting(&self, runs: &Runs) -> StoreResult<()> {
        let errors = runs.take_errors();
        if !errors.is_empty()
            && let Err(error) = runs.ports.sink.record_strategy_errors(&errors).await
        {
            runs.put_back_errors(errors);
            return Err(error);
        }
        loop {
            gauge!("groundcontrol_runs_waiting").set(runs.len() as f64);
            let batch = runs.next();
            if batch.is_empty() {
                return Ok(());
            }
            let begun = Instant::now();
            let count = batch.len();
            let kept = self.judged(&batch).await?;
            runs.ports.sink.record_runs(&kept).await?;
            runs.kept(count);
            counter!("groundcontrol_runs_total", "outcome" => "kept").increment(kept.len() as u64);
            histogram!("groundcontrol_runs_keep_seconds").record(begun.elapsed().as_secs_f64());
            self.acknowledge_kept(batch);
        }
    }

    /// Runs as they are kept; those of satellites that were removed are left out.
    async fn judged(&self, batch: &[WaitingRun]) -> StoreResult<Vec<Run>> {
        let mut ids: Vec<_> = batch.iter().map(|waiting| waiting.session.satellite).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = self.store.get_many(&ids).await?.into_iter();
        let satellites: BTreeMap<SatelliteId, Satellite> =
            found.map(|stored| (stored.satellite.id, stored.satellite)).collect();
        let run = |waiting: &WaitingRun| {
            let satellite = satellites.get(&waiting.session.satellite)?;
            let who = (satellite.id, &satellite.name, &satellite.region);
            let failed = failure(waiting);
            Some(Run::new(who, waiting.run.clone(), failed, waiting.received_at))
        };
        Ok(batch.iter().filter_map(run).collect())
    }

    fn acknowledge_kept(&self, batch: Vec<WaitingRun>) {
        let mut acks: BTreeMap<_, (SessionRef, Vec<ResultAck>)> = BTreeMap::new();
        for WaitingRun { session, run, .. } in batch {
            if let Some(result_id) = run.result_id {
                let key = (session.satellite, session.epoch);
                let (_, acks) = acks.entry(key).or_insert_with(|| (session, Vec::new()));
                acks.push(ResultAck { result_id, refused: None });
            }
        }
        for (session, acks) in acks.into_values() {
            for some in acks.chunks(ACKS) {
                self.acknowledge(session, some.to_vec());
            }
        }
    }

    /// Deletes all runs beyond their retention, in small steps.
    pub(crate) async fn prune_runs(&self) -> StoreResult<()> {
        let Some(runs) = &self.runs else { return Ok(()) };
        let before = self.now().minus(self.timing.run_retention);
        in_steps(|| runs.ports.store.prune_runs(before, PRUNE_STEP)).await?;
        Ok(())
    }
}

/// The first assertion that does not hold of a run, as JSON.
fn failure(waiting: &WaitingRun) -> Option<Json> {
    let collectors = waiting.assigned.check.collectors.as_slice();
    if collectors.iter().all(|collector| collector.assertions.is_empty()) {
        return None;
    }
    let result = waiting.run.result.as_ref().and_then(|json| json::parse(json.as_str()).ok());
    let failed = judge(collectors, result.as_ref(), &JsonTools)?;
    Some(Json::trusted(json::of_failure(&failed)))
}

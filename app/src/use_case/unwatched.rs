//! Checks that no assigned satellite can run are put on record: nobody watching is not healthy.

use groundcontrol_core::ports::{QuietQuery, StoreResult};
use metrics::counter;
use tracing::debug;

use crate::pod::Pod;

/// Quiet checks that are looked at, and runs that are kept, together.
const STEP: usize = 1_000;

impl Pod {
    /// Keeps a run of each check and system that was not run for its interval because no assigned
    /// satellite is online. Reads what is quiet and nothing else, some statements for a thousand
    /// of them; and may be done by any number of pods, as each makes the same runs.
    pub(crate) async fn record_unwatched(&self) -> StoreResult<()> {
        let Some(runs) = &self.runs else { return Ok(()) };
        let now = self.now();
        // A pod that cannot store what it hears cannot say that nobody said anything either.
        let Some(watch) = self.watch.span(now) else { return Ok(()) };
        let mut after = None;
        loop {
            let query = QuietQuery { now, after, limit: STEP };
            let quiet = runs.ports.store.quiet_pairs(&query).await?;
            let due = quiet.iter().filter_map(|pair| pair.unwatched(watch.since, now));
            let due: Vec<_> = due.collect();
            if !due.is_empty() {
                runs.ports.sink.record_runs(&due).await?;
                debug!(checks = due.len(), "no assigned satellite is online");
                counter!("groundcontrol_runs_total", "outcome" => "unwatched")
                    .increment(due.len() as u64);
            }
            match quiet.last() {
                Some(last) if quiet.len() == STEP => after = Some((last.check, last.system)),
                Some(_) | None => return Ok(()),
            }
        }
    }
}

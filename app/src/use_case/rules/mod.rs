//! Rules without code: what lasts is told to webhooks, and that it is over; and the loss of a region
//! is suspected.
//!
//! Any pod applies the rules and all may: each reads how far they have been applied, decides what
//! follows from the next events or from the time, and writes it in one write that holds only while
//! nobody else was quicker. So what waits, waits in the store, and is told once.

mod events;
mod time;
mod draft;
mod manage;

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::automation::AlertKind;
use groundcontrol_core::ports::{Nudge, RuleAdvance, StoreResult};
use metrics::counter;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::pod::{Pod, Rules};

/// Without being told, this often it is looked whether the time of an alert has come.
const POLL: Duration = Duration::from_secs(1);
/// Events, or alerts whose time has come, that are looked at together.
const PAGE: usize = 500;

impl Pod {
    /// The task that applies the rules.
    pub(crate) async fn apply_rules(self: Arc<Self>) {
        let Some(rules) = &self.rules else { return };
        while !self.phase.is_draining() {
            if let Err(error) = self.advance_rules(rules).await {
                warn!(%error, "rules wait to be applied");
                sleep(POLL).await;
            }
            let _ = timeout(POLL, rules.wake.notified()).await;
        }
    }

    /// Goes on until there is nothing to do, or another pod is at it.
    async fn advance_rules(&self, rules: &Rules) -> StoreResult<()> {
        let mut caught_up = false;
        while !self.phase.is_draining() {
            let step = self.next_step(rules, &mut caught_up).await?;
            if step.is_empty() || !rules.ports.store.advance_rules(step.clone()).await? {
                return Ok(());
            }
            self.tell_what_follows(&step);
        }
        Ok(())
    }

    /// What follows from the next events; where there are none, or there were just no more, from
    /// the time: it has its turn also where events keep coming.
    async fn next_step(&self, rules: &Rules, caught_up: &mut bool) -> StoreResult<RuleAdvance> {
        let progress = rules.ports.store.rule_progress().await?;
        let page = match std::mem::take(caught_up) {
            true => Vec::new(),
            false => self.store.events_after(progress.cursor, PAGE).await?,
        };
        if page.is_empty() {
            return self.step_of_time(rules, progress.version).await;
        }
        let step = self.step_of_events(rules, progress.version, &page).await?;
        // The loss of a region is applied before the alerts of its satellites are judged.
        *caught_up = page.len() < PAGE && step.lost.is_empty();
        Ok(step)
    }

    /// Lets others know of what was written.
    fn tell_what_follows(&self, step: &RuleAdvance) {
        for (_, notice) in &step.told {
            let kind = notice.call.kind();
            counter!("groundcontrol_alerts_total", "type" => kind.name()).increment(1);
            let (rule, subject) = (notice.rule_name.as_str(), notice.subject.name());
            let since = notice.since;
            match kind {
                AlertKind::Firing => info!(rule, subject, %since, "an alert fires"),
                AlertKind::Resolved => info!(rule, subject, %since, "an alert is resolved"),
            }
        }
        for loss in &step.lost {
            let region = loss.region.as_str();
            let (lost, total) = (loss.lost, loss.total);
            warn!(region, lost, total, "the loss of a region is suspected");
        }
        if !step.lost.is_empty() {
            self.broadcast.send(Nudge::Events);
        }
        if let (false, Some(webhooks)) = (step.told.is_empty(), &self.webhooks) {
            webhooks.look();
        }
    }
}

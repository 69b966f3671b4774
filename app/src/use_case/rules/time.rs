//! What follows from the time, where no further event is there.

use std::collections::BTreeSet;

use groundcontrol_core::automation::{
    Alert, AlertInput, Assessment, RegionCount, Rule, RuleId, assess,
};
use groundcontrol_core::connection::ContextId;
use groundcontrol_core::ports::{RegionStanding, RuleAdvance, StoreResult};
use groundcontrol_core::satellite::Region;
use groundcontrol_core::time::Timestamp;

use super::PAGE;
use super::draft::Draft;
use crate::pod::{Pod, Rules};

impl Pod {
    pub(super) async fn step_of_time(
        &self,
        rules: &Rules,
        version: u64,
    ) -> StoreResult<RuleAdvance> {
        let (store, now) = (&rules.ports.store, self.now());
        let step = RuleAdvance::at(version, now);
        let lost: Vec<RegionStanding> = store.region_losses(&[]).await?;
        if let Some(region) = self.recovered(rules, &lost).await? {
            return self.step_of_recovery(rules, step, region).await;
        }
        let due = store.due_alerts(now, PAGE).await?;
        if due.is_empty() {
            return Ok(step);
        }
        let all = store.all_rules().await?;
        let told = self.told_of_regions(rules, &lost).await?;
        let mut draft = Draft::new(step, due.clone());
        for alert in due {
            let of_satellite = alert.subject.satellite().is_some();
            let region = (alert.rule, alert.subject.region().clone());
            let region_lost = of_satellite && told.contains(&region);
            change(&mut draft, &all, &alert, AlertInput::Time { now, region_lost });
        }
        Ok(draft.finish())
    }

    /// Which rules have an alert of which of these regions.
    async fn told_of_regions(
        &self,
        rules: &Rules,
        lost: &[RegionStanding],
    ) -> StoreResult<BTreeSet<(RuleId, Region)>> {
        let regions: Vec<_> = lost.iter().map(|one| ContextId::of_region(&one.region)).collect();
        let alerts = rules.ports.store.alerts_about(&regions).await?;
        Ok(alerts.into_iter().map(|alert| (alert.rule, alert.subject.region().clone())).collect())
    }

    /// The first of the regions that were lost and are not any more.
    async fn recovered(
        &self,
        rules: &Rules,
        lost: &[RegionStanding],
    ) -> StoreResult<Option<Region>> {
        let since = lost.iter().filter_map(|one| Some((one.region.clone(), one.lost_since?)));
        let asked: Vec<_> = since.collect();
        if asked.is_empty() {
            return Ok(None);
        }
        let counts = rules.ports.store.region_counts(&asked).await?;
        let settings = rules.ports.region_loss;
        let now = self.now();
        let is_over = |(region, since): &(Region, Timestamp)| {
            let nobody =
                || RegionCount { region: region.clone(), connected: 0, lost: 0, since: None };
            let count = counts.iter().find(|count| count.region == *region);
            let count = count.cloned().unwrap_or_else(nobody);
            // Who does not come back keeps a region lost for as long as it would be suspected anew.
            let settled = now >= *since + settings.window + settings.window;
            assess(true, &count, settings) == Assessment::Recovered
                || settled && assess(false, &count, settings) != Assessment::Suspected
        };
        Ok(asked.into_iter().find(is_over).map(|(region, _)| region))
    }

    /// First all that was held with the region is let go; then the region has recovered.
    async fn step_of_recovery(
        &self,
        rules: &Rules,
        mut step: RuleAdvance,
        region: Region,
    ) -> StoreResult<RuleAdvance> {
        let store = &rules.ports.store;
        let (all, now) = (store.all_rules().await?, step.now);
        let held = store.held_alerts(&region, PAGE).await?;
        if !held.is_empty() {
            let mut draft = Draft::new(step, held.clone());
            for alert in held {
                change(&mut draft, &all, &alert, AlertInput::Released { now });
            }
            return Ok(draft.finish());
        }
        let own = store.alerts_about(&[ContextId::of_region(&region)]).await?;
        step.recovered.push(region);
        let mut draft = Draft::new(step, own.clone());
        for alert in own {
            change(&mut draft, &all, &alert, AlertInput::Back { at: now });
        }
        Ok(draft.finish())
    }
}

/// Something happens to an alert that is there.
fn change(draft: &mut Draft, all: &[Rule], alert: &Alert, input: AlertInput) {
    let context = alert.subject.context();
    if let Some(rule) = all.iter().find(|rule| rule.id == alert.rule) {
        draft.apply(rule, context, input, |_| None);
    }
}

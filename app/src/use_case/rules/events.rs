//! What follows from events.

use std::collections::{BTreeMap, BTreeSet};

use groundcontrol_core::automation::{
    Alert, AlertId, AlertInput, AlertState, AlertSubject, Assessment, Meaning, Rule, assess,
    is_silent,
};
use groundcontrol_core::connection::{Event, RegionLoss};
use groundcontrol_core::ports::{RecordedEvent, RuleAdvance, StoreResult};
use groundcontrol_core::satellite::{Region, SatelliteId, Seq, Tags};
use groundcontrol_core::time::Timestamp;

use super::draft::Draft;
use crate::pod::{Pod, Rules};

type AllTags = BTreeMap<SatelliteId, Tags>;

impl Pod {
    pub(super) async fn step_of_events(
        &self,
        rules: &Rules,
        version: u64,
        page: &[RecordedEvent],
    ) -> StoreResult<RuleAdvance> {
        let mut step = RuleAdvance::at(version, self.now());
        step.reached = page.last().map(|last| last.cursor);
        let events: Vec<Event> =
            page.iter().filter_map(|event| Event::derive(&event.recorded)).collect();
        let silent: BTreeSet<&Region> =
            events.iter().filter(|event| fell_silent(event)).filter_map(Event::region).collect();
        step.lost = self.lost_regions(rules, silent.into_iter().cloned().collect()).await?;
        let all = rules.ports.store.all_rules().await?;
        if all.is_empty() {
            return Ok(step);
        }
        let tags = self.tags_of(&all, &events).await?;
        let contexts: BTreeSet<_> = events.iter().map(Event::context).collect();
        let contexts: Vec<_> = contexts.into_iter().collect();
        let mut draft = Draft::new(step, rules.ports.store.alerts_about(&contexts).await?);
        let none = Tags::default();
        for event in &events {
            let tags = event.satellite().and_then(|id| tags.get(&id)).unwrap_or(&none);
            for rule in &all {
                if let Some(meaning) = rule.meaning(event, tags) {
                    let input = input(meaning, event);
                    draft.apply(rule, event.context(), input, |state| begun(rule, event, state));
                }
            }
        }
        Ok(draft.finish())
    }

    /// The tags of whoever they play a part for.
    async fn tags_of(&self, all: &[Rule], events: &[Event]) -> StoreResult<AllTags> {
        if !all.iter().any(|rule| rule.is_at_work() && rule.needs_tags()) {
            return Ok(AllTags::new());
        }
        let whose: BTreeSet<_> = events.iter().filter_map(Event::satellite).collect();
        let found = self.store.get_many(&whose.into_iter().collect::<Vec<_>>()).await?;
        Ok(found.into_iter().map(|one| (one.satellite.id, one.satellite.tags)).collect())
    }

    /// The regions among `silent` whose loss is suspected from now on.
    async fn lost_regions(
        &self,
        rules: &Rules,
        silent: Vec<Region>,
    ) -> StoreResult<Vec<RegionLoss>> {
        let (settings, now) = (rules.ports.region_loss, self.now());
        if silent.is_empty() || settings.is_off() {
            return Ok(Vec::new());
        }
        let known = rules.ports.store.region_losses(&silent).await?;
        let is_lost = |region: &Region| {
            known.iter().any(|known| known.region == *region && known.lost_since.is_some())
        };
        let since = now.minus(settings.window);
        let asked: Vec<(Region, Timestamp)> = silent
            .into_iter()
            .filter(|region| !is_lost(region))
            .map(|region| (region, since))
            .collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let counts = rules.ports.store.region_counts(&asked).await?;
        let lost = counts
            .into_iter()
            .filter(|count| assess(false, count, settings) == Assessment::Suspected);
        let loss = |count: groundcontrol_core::automation::RegionCount| {
            let before = known.iter().find(|known| known.region == count.region);
            RegionLoss {
                seq: before.map_or(Seq(0), |before| before.seq).next(),
                since: count.since.unwrap_or(now),
                occurred_at: now,
                lost: count.lost,
                total: count.lost.saturating_add(count.connected),
                window: settings.window,
                pod: self.name.clone(),
                region: count.region,
            }
        };
        Ok(lost.map(loss).collect())
    }
}

/// Whether it is the beginning, or the end, of a satellite's silence that nobody announced.
fn fell_silent(event: &Event) -> bool {
    let Event::Satellite(event) = event else { return false };
    event.next.as_ref().is_some_and(|next| is_silent(next.last_event, next.cause))
}

fn input(meaning: Meaning, event: &Event) -> AlertInput {
    match (meaning, event) {
        (Meaning::Broke, _) => AlertInput::Broke { at: event.occurred_at() },
        (Meaning::Back, _) => AlertInput::Back { at: event.occurred_at() },
        (Meaning::Removed, _) => AlertInput::Removed,
        (Meaning::RegionLost, Event::RegionLoss(loss)) => AlertInput::Broke { at: loss.since },
        (Meaning::RegionLost, Event::Satellite(_)) => AlertInput::Broke { at: event.occurred_at() },
    }
}

/// The alert that `event` begins.
fn begun(rule: &Rule, event: &Event, state: AlertState) -> Option<Alert> {
    let (subject, since) = match event {
        Event::Satellite(event) => {
            let last = event.state()?;
            let (name, region) = (last.name.clone(), last.region.clone());
            let id = event.satellite;
            (AlertSubject::Satellite { id, name, region }, event.occurred_at)
        }
        Event::RegionLoss(loss) => (AlertSubject::Region(loss.region.clone()), loss.since),
    };
    let id = AlertId::of(rule.id, event.context(), event.seq());
    Some(Alert { id, rule: rule.id, subject, event: event.kind(), since, state, told: None })
}

//! Rules, their alerts, and regions whose loss is suspected.

use std::collections::BTreeMap;

use async_trait::async_trait;
use groundcontrol_core::automation::{
    Alert, AlertState, RegionCount, Rule, RuleId, WebhookId, is_silent,
};
use groundcontrol_core::connection::{ConnectionRecord, ContextId, LifecycleEvent, Recorded};
use groundcontrol_core::limits::MAX_RULES;
use groundcontrol_core::ports::{
    AlertQuery, RegionStanding, RuleAdvance, RuleProgress, RuleSaved, RuleStore, RuleUpdate,
    StoreResult,
};
use groundcontrol_core::satellite::{Name, Region};
use groundcontrol_core::time::Timestamp;

use super::MemoryStore;
use super::state::State;

/// What is stored of rules.
#[derive(Default)]
pub(super) struct Rules {
    all: BTreeMap<RuleId, Rule>,
    alerts: BTreeMap<(RuleId, ContextId), Kept>,
    regions: BTreeMap<Region, RegionStanding>,
    progress: RuleProgress,
}

struct Kept {
    alert: Alert,
    /// When somebody has to look at it.
    due: Option<Timestamp>,
}

impl Rules {
    /// The rules of a webhook go with it.
    pub(super) fn forget_webhook(&mut self, webhook: WebhookId) {
        self.all.retain(|_, rule| rule.webhook != webhook);
        let Self { all, alerts, .. } = self;
        alerts.retain(|(rule, _), _| all.contains_key(rule));
    }

    fn named(&self, name: &Name) -> Option<RuleId> {
        let mut rules = self.all.values().filter(|rule| !rule.removed);
        rules.find(|rule| rule.name == *name).map(|rule| rule.id)
    }

    fn listed(&self) -> impl Iterator<Item = &Rule> {
        self.all.values().filter(|rule| !rule.removed)
    }

    /// Lets all alerts of a rule be looked at, whenever they were due.
    fn look_at(&mut self, rule: RuleId) {
        for (_, kept) in self.alerts.iter_mut().filter(|((of, _), _)| *of == rule) {
            kept.due = Some(Timestamp::from_millis(0));
        }
    }

    /// A rule that was removed is gone with its last alert.
    fn clear(&mut self) {
        let Self { all, alerts, .. } = self;
        all.retain(|id, rule| !rule.removed || alerts.keys().any(|(of, _)| of == id));
    }

    fn some(&self, wanted: impl Fn(&Kept) -> bool) -> Vec<&Kept> {
        self.alerts.values().filter(|kept| wanted(kept)).collect()
    }
}

fn alerts(kept: Vec<&Kept>, limit: usize) -> Vec<Alert> {
    kept.into_iter().take(limit).map(|kept| kept.alert.clone()).collect()
}

impl State {
    fn count(&self, region: &Region, since: Timestamp) -> Option<RegionCount> {
        let there = self.satellites.values().filter(|row| row.satellite.region == *region);
        let enabled: Vec<_> =
            there.filter(|row| row.satellite.enabled).map(|row| &row.record).collect();
        let is_connected =
            |record: &&&ConnectionRecord| record.last_event == Some(LifecycleEvent::Connected);
        let connected = enabled.iter().filter(is_connected).count();
        let lost = enabled.iter().filter(|record| is_silent(record.last_event, record.last_cause));
        let lost: Vec<_> =
            lost.filter_map(|record| record.last_event_at).filter(|at| *at >= since).collect();
        (connected + lost.len() > 0).then(|| RegionCount {
            region: region.clone(),
            connected: connected as u64,
            lost: lost.len() as u64,
            since: lost.iter().min().copied(),
        })
    }

    fn advance(&mut self, step: RuleAdvance) {
        self.rules.progress.version += 1;
        self.rules.progress.cursor = step.reached.or(self.rules.progress.cursor);
        for key in step.over {
            self.rules.alerts.remove(&key);
        }
        for alert in step.kept.into_iter().filter(|alert| self.rules.all.contains_key(&alert.rule))
        {
            let due = alert.state.due();
            let key = (alert.rule, alert.subject.context());
            self.rules.alerts.insert(key, Kept { alert, due });
        }
        for (webhook, notice) in step.told {
            self.webhooks.tell(webhook, notice, step.now);
        }
        for region in step.recovered {
            if let Some(standing) = self.rules.regions.get_mut(&region) {
                standing.lost_since = None;
            }
        }
        for loss in step.lost {
            let standing = RegionStanding {
                region: loss.region.clone(),
                seq: loss.seq,
                lost_since: Some(loss.since),
            };
            self.rules.regions.insert(loss.region.clone(), standing);
            self.history.append(Recorded::RegionLoss(loss));
        }
        self.rules.clear();
    }
}

#[async_trait]
impl RuleStore for MemoryStore {
    async fn create_rule(&self, new: Rule) -> StoreResult<RuleSaved> {
        let state = &mut *self.state.lock();
        if state.rules.all.contains_key(&new.id) {
            return Ok(RuleSaved::Done);
        }
        if state.rules.named(&new.name).is_some() {
            return Ok(RuleSaved::NameTaken);
        }
        if !state.webhooks.has(new.webhook) {
            return Ok(RuleSaved::NoWebhook);
        }
        if state.rules.listed().count() >= MAX_RULES {
            return Ok(RuleSaved::TooMany);
        }
        state.rules.progress.version += 1;
        state.rules.all.insert(new.id, new);
        Ok(RuleSaved::Done)
    }

    async fn rule(&self, id: RuleId) -> StoreResult<Option<Rule>> {
        Ok(self.state.lock().rules.all.get(&id).filter(|rule| !rule.removed).cloned())
    }

    async fn rules(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Rule>> {
        let state = self.state.lock();
        let mut found: Vec<Rule> = state.rules.listed().cloned().collect();
        found.retain(|rule| after.as_ref().is_none_or(|after| rule.name > *after));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.truncate(limit);
        Ok(found)
    }

    async fn update_rule(&self, id: RuleId, update: RuleUpdate) -> StoreResult<RuleSaved> {
        let state = &mut *self.state.lock();
        let RuleUpdate { name, active, filter, lasts, steady, region_instead, webhook } = update;
        let other = name.as_ref().and_then(|name| state.rules.named(name));
        if webhook.is_some_and(|webhook| !state.webhooks.has(webhook)) {
            return Ok(RuleSaved::NoWebhook);
        }
        let rule = state.rules.all.get_mut(&id).filter(|rule| !rule.removed);
        let Some(rule) = rule else { return Ok(RuleSaved::Gone) };
        if other.is_some_and(|other| other != id) {
            return Ok(RuleSaved::NameTaken);
        }
        let old = rule.clone();
        *rule = Rule {
            name: name.unwrap_or(old.name),
            active: active.unwrap_or(old.active),
            filter: filter.unwrap_or(old.filter),
            lasts: lasts.unwrap_or(old.lasts),
            steady: steady.unwrap_or(old.steady),
            region_instead: region_instead.unwrap_or(old.region_instead),
            webhook: webhook.unwrap_or(old.webhook),
            ..old
        };
        let paused = !rule.active;
        state.rules.progress.version += 1;
        if paused {
            state.rules.look_at(id);
        }
        Ok(RuleSaved::Done)
    }

    async fn remove_rule(&self, id: RuleId) -> StoreResult<bool> {
        let state = &mut *self.state.lock();
        let rule = state.rules.all.get_mut(&id).filter(|rule| !rule.removed);
        let Some(rule) = rule else { return Ok(false) };
        rule.removed = true;
        state.rules.progress.version += 1;
        state.rules.look_at(id);
        state.rules.clear();
        Ok(true)
    }

    async fn all_rules(&self) -> StoreResult<Vec<Rule>> {
        Ok(self.state.lock().rules.all.values().cloned().collect())
    }

    async fn alerts(&self, query: &AlertQuery) -> StoreResult<Vec<Alert>> {
        let state = self.state.lock();
        let place = |alert: &Alert| (alert.since, alert.subject.context());
        let mut found = state.rules.some(|kept| {
            kept.alert.rule == query.rule
                && query.standing.is_none_or(|wanted| kept.alert.state.standing() == wanted)
                && query.after.is_none_or(|after| place(&kept.alert) > after)
        });
        found.sort_by_key(|kept| place(&kept.alert));
        Ok(alerts(found, query.limit))
    }

    async fn rule_progress(&self) -> StoreResult<RuleProgress> {
        Ok(self.state.lock().rules.progress)
    }

    async fn alerts_about(&self, contexts: &[ContextId]) -> StoreResult<Vec<Alert>> {
        let state = self.state.lock();
        let about = |kept: &Kept| contexts.contains(&kept.alert.subject.context());
        Ok(alerts(state.rules.some(about), usize::MAX))
    }

    async fn due_alerts(&self, now: Timestamp, limit: usize) -> StoreResult<Vec<Alert>> {
        let state = self.state.lock();
        let mut due = state.rules.some(|kept| kept.due.is_some_and(|due| due <= now));
        due.sort_by_key(|kept| kept.due);
        Ok(alerts(due, limit))
    }

    async fn held_alerts(&self, region: &Region, limit: usize) -> StoreResult<Vec<Alert>> {
        let state = self.state.lock();
        let held = |kept: &Kept| {
            kept.alert.state == AlertState::Held && kept.alert.subject.region() == region
        };
        Ok(alerts(state.rules.some(held), limit))
    }

    async fn region_losses(&self, regions: &[Region]) -> StoreResult<Vec<RegionStanding>> {
        let state = self.state.lock();
        let wanted = |standing: &&RegionStanding| {
            standing.lost_since.is_some() || regions.contains(&standing.region)
        };
        Ok(state.rules.regions.values().filter(wanted).cloned().collect())
    }

    async fn region_counts(
        &self,
        regions: &[(Region, Timestamp)],
    ) -> StoreResult<Vec<RegionCount>> {
        let state = self.state.lock();
        Ok(regions.iter().filter_map(|(region, since)| state.count(region, *since)).collect())
    }

    async fn advance_rules(&self, step: RuleAdvance) -> StoreResult<bool> {
        let state = &mut *self.state.lock();
        if state.rules.progress.version != step.read {
            return Ok(false);
        }
        state.advance(step);
        Ok(true)
    }
}

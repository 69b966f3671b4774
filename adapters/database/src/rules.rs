//! The port of rules: which call goes where.

use async_trait::async_trait;
use groundcontrol_core::automation::{Alert, RegionCount, Rule, RuleId};
use groundcontrol_core::connection::ContextId;
use groundcontrol_core::ports::{
    AlertQuery, RegionStanding, RuleAdvance, RuleProgress, RuleSaved, RuleStore, RuleUpdate,
    StoreResult,
};
use groundcontrol_core::satellite::{Name, Region};
use groundcontrol_core::time::Timestamp;

use crate::read::rules as read;
use crate::store::{DatabaseStore, doing};
use crate::write::{AdvanceRules, CreateRule, RemoveRule, UpdateRule};

#[async_trait]
impl RuleStore for DatabaseStore {
    async fn create_rule(&self, new: Rule) -> StoreResult<RuleSaved> {
        self.writer().write(CreateRule(new)).await
    }

    async fn rule(&self, id: RuleId) -> StoreResult<Option<Rule>> {
        doing("read a rule", read::rule(self.reader(), id).await)
    }

    async fn rules(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Rule>> {
        doing("list rules", read::rules(self.reader(), after, limit).await)
    }

    async fn update_rule(&self, id: RuleId, update: RuleUpdate) -> StoreResult<RuleSaved> {
        self.writer().write(UpdateRule(id, update)).await
    }

    async fn remove_rule(&self, id: RuleId) -> StoreResult<bool> {
        self.writer().write(RemoveRule(id)).await
    }

    async fn all_rules(&self) -> StoreResult<Vec<Rule>> {
        doing("read all rules", read::all_rules(self.reader()).await)
    }

    async fn alerts(&self, query: &AlertQuery) -> StoreResult<Vec<Alert>> {
        doing("list alerts", read::alerts(self.reader(), query).await)
    }

    async fn rule_progress(&self) -> StoreResult<RuleProgress> {
        doing("read how far rules have been applied", read::progress(self.reader()).await)
    }

    async fn alerts_about(&self, contexts: &[ContextId]) -> StoreResult<Vec<Alert>> {
        if contexts.is_empty() {
            return Ok(Vec::new());
        }
        doing("read alerts", read::about(self.reader(), contexts).await)
    }

    async fn due_alerts(&self, now: Timestamp, limit: usize) -> StoreResult<Vec<Alert>> {
        doing("read alerts that are due", read::due(self.reader(), now, limit).await)
    }

    async fn held_alerts(&self, region: &Region, limit: usize) -> StoreResult<Vec<Alert>> {
        doing("read alerts that are held", read::held(self.reader(), region, limit).await)
    }

    async fn region_losses(&self, regions: &[Region]) -> StoreResult<Vec<RegionStanding>> {
        doing("read which regions are lost", read::region_losses(self.reader(), regions).await)
    }

    async fn region_counts(
        &self,
        regions: &[(Region, Timestamp)],
    ) -> StoreResult<Vec<RegionCount>> {
        if regions.is_empty() {
            return Ok(Vec::new());
        }
        doing("count a region's satellites", read::region_counts(self.reader(), regions).await)
    }

    async fn advance_rules(&self, step: RuleAdvance) -> StoreResult<bool> {
        self.writer().write(AdvanceRules(step)).await
    }
}

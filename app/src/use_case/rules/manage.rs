//! The port that operators' adapters call about rules.

use async_trait::async_trait;
use groundcontrol_core::automation::{Alert, Rule, RuleId, WebhookId};
use groundcontrol_core::limits::MAX_RULES;
use groundcontrol_core::ports::{
    AlertQuery, FieldError, FleetError, RuleRequest, RuleSaved, RuleService, RuleUpdate,
};
use groundcontrol_core::satellite::Name;

use crate::pod::{GroundControl, Rules};

const RULE: &str = "rule";

impl GroundControl {
    fn rules_or_not(&self) -> Result<&Rules, FleetError> {
        self.pod.rules.as_ref().ok_or(FleetError::NotOffered { what: "rules" })
    }

    /// Refuses to take a webhook from a rule that tells it.
    pub(crate) async fn check_unused(&self, webhook: WebhookId) -> Result<(), FleetError> {
        let Some(rules) = &self.pod.rules else { return Ok(()) };
        let all = rules.ports.store.all_rules().await?;
        let user = all.into_iter().find(|rule| rule.webhook == webhook && !rule.removed);
        match user {
            None => Ok(()),
            Some(rule) => Err(FleetError::InUse { what: "webhook", by: RULE, name: rule.name }),
        }
    }
}

fn saved(saved: RuleSaved, name: Option<Name>) -> Result<(), FleetError> {
    let invalid = |pointer: &str, detail: String| {
        let pointer = pointer.to_owned();
        Err(FleetError::Invalid(vec![FieldError { pointer, detail }]))
    };
    match saved {
        RuleSaved::Done => Ok(()),
        RuleSaved::Gone => Err(FleetError::NotFound { what: RULE }),
        RuleSaved::NameTaken => {
            let name = name.map(|name| name.to_string()).unwrap_or_default();
            Err(FleetError::NameTaken { what: RULE, name })
        }
        RuleSaved::NoWebhook => invalid("/webhookId", "is no webhook's id".to_owned()),
        RuleSaved::TooMany => invalid("", format!("there are {MAX_RULES} rules; remove one first")),
    }
}

#[async_trait]
impl RuleService for GroundControl {
    async fn create_rule(&self, request: RuleRequest) -> Result<Rule, FleetError> {
        let rules = self.rules_or_not()?;
        let RuleRequest { name, active, filter, lasts, steady, region_instead, webhook } = request;
        let rule = Rule {
            id: RuleId(self.pod.new_id()?),
            name: name.clone(),
            active,
            removed: false,
            filter,
            lasts,
            steady,
            region_instead,
            webhook,
            created_at: self.pod.now(),
        };
        saved(rules.ports.store.create_rule(rule.clone()).await?, Some(name))?;
        Ok(rule)
    }

    async fn rule(&self, id: RuleId) -> Result<Rule, FleetError> {
        let found = self.rules_or_not()?.ports.store.rule(id).await?;
        found.ok_or(FleetError::NotFound { what: RULE })
    }

    async fn rules(&self, after: Option<Name>, limit: usize) -> Result<Vec<Rule>, FleetError> {
        Ok(self.rules_or_not()?.ports.store.rules(after, limit).await?)
    }

    async fn update_rule(&self, id: RuleId, update: RuleUpdate) -> Result<Rule, FleetError> {
        let rules = self.rules_or_not()?;
        let name = update.name.clone();
        saved(rules.ports.store.update_rule(id, update).await?, name)?;
        rules.look();
        self.rule(id).await
    }

    async fn remove_rule(&self, id: RuleId) -> Result<(), FleetError> {
        let rules = self.rules_or_not()?;
        match rules.ports.store.remove_rule(id).await? {
            true => {
                rules.look();
                Ok(())
            }
            false => Err(FleetError::NotFound { what: RULE }),
        }
    }

    async fn alerts(&self, query: AlertQuery) -> Result<Vec<Alert>, FleetError> {
        self.rule(query.rule).await?;
        Ok(self.rules_or_not()?.ports.store.alerts(&query).await?)
    }
}

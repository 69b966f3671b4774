//! What operators ask about rules.

use async_trait::async_trait;

use super::fleet::FleetError;
use super::rule_store::{AlertQuery, RuleUpdate};
use crate::automation::{Alert, EventFilter, Rule, RuleId, WebhookId};
use crate::satellite::Name;
use crate::time::Millis;

/// Implemented by the app, called by the adapters that operators and programs talk to.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RuleService: Send + Sync {
    /// Makes a rule.
    async fn create_rule(&self, request: RuleRequest) -> Result<Rule, FleetError>;

    /// One rule.
    async fn rule(&self, id: RuleId) -> Result<Rule, FleetError>;

    /// At most `limit` rules whose name comes after `after`, ordered by name.
    async fn rules(&self, after: Option<Name>, limit: usize) -> Result<Vec<Rule>, FleetError>;

    /// Changes a rule.
    async fn update_rule(&self, id: RuleId, update: RuleUpdate) -> Result<Rule, FleetError>;

    /// Removes a rule; what it told of is told to be over.
    async fn remove_rule(&self, id: RuleId) -> Result<(), FleetError>;

    /// The alerts of a rule that match, those first that began first.
    async fn alerts(&self, query: AlertQuery) -> Result<Vec<Alert>, FleetError>;
}

/// A rule to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRequest {
    /// Its name.
    pub name: Name,
    /// False: it is made paused.
    pub active: bool,
    /// What it watches for.
    pub filter: EventFilter,
    /// How long it must last.
    pub lasts: Millis,
    /// How long it must be over.
    pub steady: Millis,
    /// Whether regions are told of instead of their satellites.
    pub region_instead: bool,
    /// Who is told.
    pub webhook: WebhookId,
}

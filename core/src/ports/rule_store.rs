//! Rules, the alerts that follow from them, and the regions whose loss is suspected.

use async_trait::async_trait;

use super::{EventCursor, StoreResult};
use crate::automation::{
    Alert, AlertNotice, AlertStanding, EventFilter, RegionCount, Rule, RuleId, WebhookId,
};
use crate::connection::{ContextId, RegionLoss};
use crate::satellite::{Name, Region, Seq};
use crate::time::{Millis, Timestamp};

/// Rules, and one durable place in the order of all events up to which they have been applied.
///
/// Any pod applies them and all may: what follows from some events, or from the time, is written
/// by one conditional write that moves the *version*. Who finds that another was quicker reads
/// again. Every promise below has a case in `conformance::rule_store`.
///
/// * **Durable**: what was answered is stored, also after a crash.
/// * **Together**: the place, alerts, what webhooks are told, and the events of regions are written
///   in one write, or nothing is.
/// * **Once**: of writes that name the same version one succeeds, and makes no two deliveries of
///   the same notice.
///
/// May fail: any call.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RuleStore: Send + Sync {
    /// Makes a rule, unless there are [`MAX_RULES`](crate::limits::MAX_RULES) already.
    async fn create_rule(&self, new: Rule) -> StoreResult<RuleSaved>;

    /// One rule; none where it was removed.
    async fn rule(&self, id: RuleId) -> StoreResult<Option<Rule>>;

    /// At most `limit` rules whose name comes after `after`, ordered by name, by its bytes. None
    /// that was removed.
    async fn rules(&self, after: Option<Name>, limit: usize) -> StoreResult<Vec<Rule>>;

    /// Changes a rule: all fields that are `Some`, or nothing. Where it is paused, its alerts are
    /// due at once.
    async fn update_rule(&self, id: RuleId, update: RuleUpdate) -> StoreResult<RuleSaved>;

    /// Marks a rule as removed and lets its alerts be due at once; false where there is none. Its
    /// name is free from then on.
    async fn remove_rule(&self, id: RuleId) -> StoreResult<bool>;

    /// All rules, also those that are paused, and those that were removed and have alerts.
    async fn all_rules(&self) -> StoreResult<Vec<Rule>>;

    /// The alerts of a rule that match, those first that began first.
    async fn alerts(&self, query: &AlertQuery) -> StoreResult<Vec<Alert>>;

    /// How far the rules have been applied.
    async fn rule_progress(&self) -> StoreResult<RuleProgress>;

    /// The alerts about any of `contexts`, of all rules.
    async fn alerts_about(&self, contexts: &[ContextId]) -> StoreResult<Vec<Alert>>;

    /// At most `limit` alerts that are due at `now`, those first that are due longest.
    async fn due_alerts(&self, now: Timestamp, limit: usize) -> StoreResult<Vec<Alert>>;

    /// At most `limit` alerts that are held and about satellites of `region`.
    async fn held_alerts(&self, region: &Region, limit: usize) -> StoreResult<Vec<Alert>>;

    /// The regions whose loss is suspected, with all of `regions` that ever were.
    async fn region_losses(&self, regions: &[Region]) -> StoreResult<Vec<RegionStanding>>;

    /// How regions are: who is connected, and who fell silent since the moment given with each, and
    /// is ([`is_silent`](crate::automation::is_silent)). Satellites that are disabled do not count. A region without any is left out.
    async fn region_counts(&self, regions: &[(Region, Timestamp)])
    -> StoreResult<Vec<RegionCount>>;

    /// Writes what follows, where the version is still the one that was read; false, and nothing,
    /// where it is not. Deliveries of webhooks that are gone are left out, and so are alerts of
    /// rules that are.
    async fn advance_rules(&self, step: RuleAdvance) -> StoreResult<bool>;
}

/// What became of a change to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSaved {
    /// It is stored.
    Done,
    /// Another rule has the name.
    NameTaken,
    /// There is no such rule.
    Gone,
    /// There is no such webhook.
    NoWebhook,
    /// There are as many as there may be.
    TooMany,
}

/// A change to a rule; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleUpdate {
    /// The new name.
    pub name: Option<Name>,
    /// Paused, or active again.
    pub active: Option<bool>,
    /// What it watches for.
    pub filter: Option<EventFilter>,
    /// How long it must last. Alerts that are there keep their time.
    pub lasts: Option<Millis>,
    /// How long it must be over.
    pub steady: Option<Millis>,
    /// Whether regions are told of instead of their satellites.
    pub region_instead: Option<bool>,
    /// Who is told.
    pub webhook: Option<WebhookId>,
}

/// Which alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertQuery {
    /// Of this rule.
    pub rule: RuleId,
    /// Only those that stand so.
    pub standing: Option<AlertStanding>,
    /// Only those that come after this one in the list: when it began, and what it is about.
    pub after: Option<(Timestamp, ContextId)>,
    /// At most this many.
    pub limit: usize,
}

/// How far the rules have been applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleProgress {
    /// Moves with every write.
    pub version: u64,
    /// The last event that was applied; none before the first.
    pub cursor: Option<EventCursor>,
}

/// A region whose loss is, or was, suspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionStanding {
    /// Which region.
    pub region: Region,
    /// The number of its last loss.
    pub seq: Seq,
    /// Since when it is lost; none: it has recovered.
    pub lost_since: Option<Timestamp>,
}

/// What follows from some events, or from the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleAdvance {
    /// The version that was read.
    pub read: u64,
    /// The last event that was applied; none: no further one was.
    pub reached: Option<EventCursor>,
    /// Alerts as they are now, in place of what was stored about the same of the same rule.
    pub kept: Vec<Alert>,
    /// Alerts that are no more.
    pub over: Vec<(RuleId, ContextId)>,
    /// What webhooks are told.
    pub told: Vec<(WebhookId, AlertNotice)>,
    /// Losses of regions, to be recorded as events.
    pub lost: Vec<RegionLoss>,
    /// Regions that have recovered.
    pub recovered: Vec<Region>,
    /// When all this is.
    pub now: Timestamp,
}

impl RuleAdvance {
    /// Nothing, as read at a version.
    pub fn at(read: u64, now: Timestamp) -> Self {
        Self {
            read,
            reached: None,
            kept: Vec::new(),
            over: Vec::new(),
            told: Vec::new(),
            lost: Vec::new(),
            recovered: Vec::new(),
            now,
        }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.reached.is_none()
            && self.kept.is_empty()
            && self.over.is_empty()
            && self.told.is_empty()
            && self.lost.is_empty()
            && self.recovered.is_empty()
    }
}

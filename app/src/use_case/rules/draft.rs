//! What follows for alerts, while it is put together.

use std::collections::{BTreeMap, BTreeSet};

use groundcontrol_core::automation::{
    Alert, AlertInput, AlertNotice, AlertState, Rule, RuleId, after,
};
use groundcontrol_core::connection::ContextId;
use groundcontrol_core::ports::RuleAdvance;

/// Alerts as they were read, and as they will be.
pub(super) struct Draft {
    step: RuleAdvance,
    known: BTreeMap<(RuleId, ContextId), Alert>,
    touched: BTreeSet<(RuleId, ContextId)>,
}

impl Draft {
    /// Of alerts that were read.
    pub(super) fn new(step: RuleAdvance, read: impl IntoIterator<Item = Alert>) -> Self {
        let key = |alert: &Alert| (alert.rule, alert.subject.context());
        let known = read.into_iter().map(|alert| (key(&alert), alert)).collect();
        Self { step, known, touched: BTreeSet::new() }
    }

    /// Something happens to the alert of `rule` about `context`; `begin` makes it, where it begins.
    /// It is written whether it changed or not, and so is when it is to be looked at next.
    pub(super) fn apply(
        &mut self,
        rule: &Rule,
        context: ContextId,
        input: AlertInput,
        begin: impl FnOnce(AlertState) -> Option<Alert>,
    ) {
        let key = (rule.id, context);
        let known = self.known.get(&key).cloned();
        let follows = after(rule, known.as_ref().map(|alert| alert.state), input);
        let mut told = known.as_ref().and_then(|alert| alert.told);
        if let (Some(alert), Some(call)) = (&known, follows.call) {
            let notice = AlertNotice::of(rule, alert, call, self.step.now);
            // Who was told that it fires is told that it is over, whoever the rule tells since.
            let whom = *told.get_or_insert(rule.webhook);
            self.step.told.push((whom, notice));
        }
        let next = match (known, follows.next) {
            (Some(alert), Some(state)) => Some(Alert { state, told, ..alert }),
            (None, Some(state)) => begin(state),
            (Some(_), None) => None,
            (None, None) => return,
        };
        self.touched.insert(key);
        match next {
            Some(alert) => drop(self.known.insert(key, alert)),
            None => drop(self.known.remove(&key)),
        }
    }

    /// All of it.
    pub(super) fn finish(mut self) -> RuleAdvance {
        for key in self.touched {
            match self.known.remove(&key) {
                Some(alert) => self.step.kept.push(alert),
                None => self.step.over.push(key),
            }
        }
        self.step
    }
}

//! The cases of [`RuleStore`](crate::ports::RuleStore).

mod bench;
mod rules;
mod alerts;
mod regions;

use super::RuleAdapter;
use super::runner::Case;

pub(super) fn cases() -> Vec<Case<dyn RuleAdapter>> {
    let mut cases = rules::cases();
    cases.extend(alerts::cases());
    cases.extend(regions::cases());
    cases
}

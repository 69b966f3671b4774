//! Which cases a fault must fail: those, and no others.

use std::collections::BTreeSet;
use std::fmt::Debug;

use groundcontrol_core::conformance::{Outcome, Report};

/// Rules and names of cases.
pub(crate) type Named = &'static [(&'static str, &'static str)];

/// Panics unless exactly the `expected` cases failed, each under its rule, and said what they
/// saw; answers their names.
pub(crate) fn check(
    report: &Report,
    fault: &impl Debug,
    expected: Named,
) -> BTreeSet<&'static str> {
    let failed: BTreeSet<_> = report.failed().map(|case| (case.rule, case.name)).collect();
    assert_eq!(failed, expected.iter().copied().collect(), "{fault:?}\n{report}");
    for case in report.failed() {
        assert!(matches!(&case.outcome, Outcome::Failed(seen) if !seen.is_empty()), "{case:?}");
    }
    let skipped = report.cases().iter().any(|case| matches!(case.outcome, Outcome::Skipped(_)));
    assert!(!skipped, "{fault:?}\n{report}");
    failed.into_iter().map(|(_, name)| name).collect()
}

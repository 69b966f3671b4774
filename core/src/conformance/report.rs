//! What a suite found.

use std::fmt;

/// The outcome of every case of one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    suite: &'static str,
    cases: Vec<CaseReport>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseReport {
    /// What it says of the adapter, as a sentence with underscores.
    pub name: &'static str,
    /// The rule or property that it holds, or the promise of the port.
    pub rule: &'static str,
    /// Whether it does.
    pub outcome: Outcome,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The adapter keeps the promise.
    Passed,
    /// It does not; what was seen.
    Failed(String),
    /// The fixture cannot do what the case needs; what that is.
    Skipped(&'static str),
}

impl Report {
    pub(super) fn new(suite: &'static str, cases: Vec<CaseReport>) -> Self {
        Self { suite, cases }
    }

    /// Every case, in the order in which they ran.
    pub fn cases(&self) -> &[CaseReport] {
        &self.cases
    }

    /// The cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| matches!(case.outcome, Outcome::Failed(_)))
    }

    /// Whether no case failed.
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// Panics with the report where a case failed.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.passed(), "the adapter breaks promises of its port\n{self}");
    }
}

impl fmt::Display for Report {
    /// A table with a line for each case, and one for what was seen where it failed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&CaseReport) -> &str| {
            self.cases.iter().map(|case| text(case).chars().count()).max().unwrap_or(0)
        };
        let (names, rules) = (width(|case| case.name), width(|case| case.rule));
        for CaseReport { name, rule, outcome } in &self.cases {
            let word = match outcome {
                Outcome::Passed => "passed",
                Outcome::Failed(_) => "FAILED",
                Outcome::Skipped(_) => "skipped",
            };
            writeln!(f, "{word:<7}  {rule:<rules$}  {name:<names$}")?;
            match outcome {
                Outcome::Passed => {}
                Outcome::Failed(seen) => writeln!(f, "         saw: {seen}")?,
                Outcome::Skipped(needs) => writeln!(f, "         needs: {needs}")?,
            }
        }
        let skipped = self.cases.iter().filter(|c| matches!(c.outcome, Outcome::Skipped(_)));
        let (all, failed, skipped) = (self.cases.len(), self.failed().count(), skipped.count());
        write!(f, "{}: {all} cases, {failed} failed, {skipped} skipped", self.suite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcome: Outcome) -> Report {
        Report::new("clock", vec![CaseReport { name: "it_ticks", rule: "P11", outcome }])
    }

    #[test]
    fn a_failed_case_shows_what_was_seen() {
        let text = report(Outcome::Failed("a jump".into())).to_string();
        assert_eq!(
            text,
            "FAILED   P11  it_ticks\n         saw: a jump\nclock: 1 cases, 1 failed, 0 skipped"
        );
    }

    #[test]
    #[should_panic(expected = "it_ticks")]
    fn asserting_a_failed_report_panics_with_the_name_of_the_case() {
        report(Outcome::Failed("a jump".into())).assert_passed();
    }

    #[test]
    fn a_skipped_case_is_no_failure_and_says_what_it_needs() {
        let skipped = report(Outcome::Skipped("a second clock"));
        skipped.assert_passed();
        assert!(skipped.to_string().contains("needs: a second clock"));
    }
}

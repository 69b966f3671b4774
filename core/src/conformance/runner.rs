//! Runs cases, each on a fresh adapter, and lets none of them end the suite.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture, Either};

use super::{CaseReport, Fixture, Outcome, Report};

/// A promise of the port `P`, as code.
pub(super) struct Case<P: ?Sized> {
    name: &'static str,
    rule: &'static str,
    steps: Vec<Step<P>>,
}

type Step<P> = for<'a> fn(&'a mut Fixture<P>) -> BoxFuture<'a, Seen>;

/// Nothing remarkable, or what ended the case.
pub(super) type Seen<T = ()> = Result<T, Fault>;

/// Why a case did not pass.
#[derive(Debug)]
pub(super) enum Fault {
    /// What was seen instead of what was promised.
    Seen(String),
    /// What the fixture lacks.
    Needs(&'static str),
}

/// Characters of a value that a fault shows.
const SHOWN: usize = 300;
/// Characters of them that come before the first difference.
const SHOWN_BEFORE: usize = 100;

impl Fault {
    /// Two values that should be the same: all of both where they are short, or else what is
    /// around the first difference.
    pub(super) fn differ(
        what: fmt::Arguments<'_>,
        seen: &dyn fmt::Debug,
        expected: &dyn fmt::Debug,
    ) -> Self {
        let (seen, expected) = (format!("{seen:?}"), format!("{expected:?}"));
        let same = seen.chars().zip(expected.chars()).take_while(|(a, b)| a == b).count();
        let is_short = seen.len().max(expected.len()) <= SHOWN;
        let start = if is_short { 0 } else { same.saturating_sub(SHOWN_BEFORE) };
        let shown = |text: &str| {
            let part: String = text.chars().skip(start).take(SHOWN).collect();
            let before = if start > 0 { "…" } else { "" };
            let after = if start + SHOWN < text.chars().count() { "…" } else { "" };
            format!("{before}{part}{after}")
        };
        Self::Seen(format!("{what}: {} instead of {}", shown(&seen), shown(&expected)))
    }
}

impl<E: std::error::Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Seen(error.to_string())
    }
}

impl<P: ?Sized> Case<P> {
    pub(super) fn new(name: &'static str, rule: &'static str, run: Step<P>) -> Self {
        Self { name, rule, steps: vec![run] }
    }

    /// The same case with `step` after it, on the same adapter.
    pub(super) fn then(mut self, step: Step<P>) -> Self {
        self.steps.push(step);
        self
    }
}

/// Cases by their functions: `cases!["T1" a_first_connect_is_recorded, …]`.
macro_rules! cases {
    ($($rule:literal $case:ident),+ $(,)?) => {
        vec![$(
            $crate::conformance::runner::Case::new(
                stringify!($case),
                $rule,
                |fixture| Box::pin($case(fixture)),
            )
        ),+]
    };
}

/// Ends the case unless the condition holds; the rest is what was seen.
macro_rules! ensure {
    ($condition:expr, $($seen:tt)+) => {
        if !$condition {
            return Err($crate::conformance::runner::Fault::Seen(format!($($seen)+)));
        }
    };
}

/// Ends the case unless both are the same; the rest says what they are.
macro_rules! same {
    ($seen:expr, $expected:expr, $($what:tt)+) => {
        match (&$seen, &$expected) {
            (seen, expected) if *seen == *expected => {}
            (seen, expected) => {
                return Err($crate::conformance::runner::Fault::differ(
                    format_args!($($what)+),
                    &seen,
                    &expected,
                ));
            }
        }
    };
}

pub(super) async fn run<P: ?Sized, T: Into<Fixture<P>>>(
    suite: &'static str,
    cases: Vec<Case<P>>,
    make: impl AsyncFn() -> T,
) -> Report {
    let mut reports = Vec::with_capacity(cases.len());
    for Case { name, rule, steps } in cases {
        let case = async {
            let mut fixture = make().await.into();
            for step in steps {
                within_limit(&mut fixture, step).await?;
            }
            Ok(())
        };
        let outcome = match AssertUnwindSafe(case).catch_unwind().await {
            Ok(Ok(())) => Outcome::Passed,
            Ok(Err(Fault::Seen(seen))) => Outcome::Failed(seen),
            Ok(Err(Fault::Needs(needs))) => Outcome::Skipped(needs),
            Err(panic) => Outcome::Failed(format!("a panic: {}", message(panic.as_ref()))),
        };
        reports.push(CaseReport { name, rule, outcome });
    }
    Report::new(suite, reports)
}

async fn within_limit<P: ?Sized>(fixture: &mut Fixture<P>, step: Step<P>) -> Seen {
    let Some(limit) = fixture.limit() else { return step(fixture).await };
    match future::select(step(fixture), limit).await {
        Either::Left((seen, _)) => seen,
        Either::Right(((), _)) => {
            Err(Fault::Seen("nothing: the case did not end in time".to_owned()))
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "without a message",
    }
}

/// Lets whatever runs at the same time go on.
pub(super) async fn give_way() {
    let mut gave_way = false;
    future::poll_fn(|context| match std::mem::replace(&mut gave_way, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differ(seen: &str, expected: &str) -> String {
        match Fault::differ(format_args!("text"), &seen, &expected) {
            Fault::Seen(seen) => seen,
            Fault::Needs(_) => panic!("not a difference"),
        }
    }

    #[test]
    fn short_values_that_differ_are_shown_whole() {
        assert_eq!(differ("a", "b"), r#"text: "a" instead of "b""#);
    }

    #[test]
    fn of_long_values_what_is_around_the_first_difference_is_shown() {
        let same = "=".repeat(1_000);
        let shown = differ(&format!("{same}é{same}"), &format!("{same}b"));
        assert!(shown.contains("=é=") && shown.contains("=b\""), "{shown}");
        assert!(shown.chars().count() < 2 * SHOWN + 40, "{shown}");
    }
}

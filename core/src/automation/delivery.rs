//! One event on its way to one webhook: what becomes of it after each attempt.
//!
//! Pending → delivered | retry at | dead. Both functions are pure; chance is an argument.

use crate::connection::named;
use crate::limits::WEBHOOK_FAILING_BEFORE_PAUSE;
use crate::time::{Millis, Timestamp};

/// The waits between attempts: after the first attempt the first, and so on; after the last wait
/// one more attempt is made. All of them together are three days.
pub const BACK_OFF: [Millis; 15] = [
    Millis::from_secs(5),
    Millis::from_secs(25),
    Millis::from_secs(90),
    Millis::from_secs(300),
    Millis::from_secs(900),
    Millis::from_secs(1_800),
    Millis::from_secs(3_600),
    Millis::from_secs(2 * 3_600),
    Millis::from_secs(4 * 3_600),
    Millis::from_secs(8 * 3_600),
    Millis::from_secs(10 * 3_600),
    Millis::from_secs(11 * 3_600),
    Millis::from_secs(11 * 3_600),
    Millis::from_secs(12 * 3_600),
    Millis::from_secs(12 * 3_600),
];
/// A wait varies by up to this many thousandths up and down.
pub const JITTER_PERMILLE: u64 = 200;
/// The longest wait that a receiver may ask for.
pub const MAX_RETRY_AFTER: Millis = Millis::from_secs(12 * 3_600);

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// It will be attempted, for the first time or again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It was given up; only an operator sends it again.
    Dead,
}

named!(DeliveryState { Waiting => "waiting", Delivered => "delivered", Dead => "dead" });

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Any status from 200 to 299.
    Accepted,
    /// Any other status but 410, or no answer at all.
    Failed {
        /// How long the receiver asked to be left alone.
        retry_after: Option<Millis>,
    },
    /// 410: the receiver wants no more.
    Gone,
}

/// What follows for the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is done.
    Delivered,
    /// It is attempted again at this time.
    RetryAt(Timestamp),
    /// It is given up.
    Dead,
}

/// What follows for a delivery whose attempt number `attempt` (1, 2, 3 …) ended at `now`. `chance`
/// is any number, drawn at random.
///
/// ```
/// use groundcontrol_core::automation::{Answer, Step, after_attempt};
/// use groundcontrol_core::time::Timestamp;
/// let now = Timestamp::from_millis(0);
/// let failed = Answer::Failed { retry_after: None };
/// assert_eq!(after_attempt(1, Answer::Accepted, now, 0), Step::Delivered);
/// assert_eq!(after_attempt(1, failed, now, 0), Step::RetryAt(Timestamp::from_millis(4_000)));
/// assert_eq!(after_attempt(16, failed, now, 0), Step::Dead);
/// ```
pub fn after_attempt(attempt: u32, answer: Answer, now: Timestamp, chance: u64) -> Step {
    let asked = match answer {
        Answer::Accepted => return Step::Delivered,
        // The webhook is paused for it; should it be resumed, this is where it goes on.
        Answer::Gone => None,
        Answer::Failed { retry_after } => retry_after,
    };
    let number = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    match BACK_OFF.get(number) {
        None => Step::Dead,
        Some(wait) => {
            let asked = asked.map_or(Millis::ZERO, |asked| asked.min(MAX_RETRY_AFTER));
            Step::RetryAt(now + varied(*wait, chance).max(asked))
        }
    }
}

fn varied(wait: Millis, chance: u64) -> Millis {
    let permille = 1_000 - JITTER_PERMILLE + chance % (2 * JITTER_PERMILLE + 1);
    Millis::new(wait.get().saturating_mul(permille) / 1_000)
}

/// Why a webhook is not delivered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PauseReason {
    /// An operator paused it.
    Operator,
    /// The receiver answered 410: it wants no more.
    Gone,
    /// No attempt succeeded for
    /// [`WEBHOOK_FAILING_BEFORE_PAUSE`](crate::limits::WEBHOOK_FAILING_BEFORE_PAUSE).
    Failing,
}

named!(PauseReason { Operator => "operator", Gone => "gone", Failing => "failing" });

/// How a webhook fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When the first attempt failed since one succeeded; none while they succeed.
    pub failing_since: Option<Timestamp>,
    /// Why it is paused; none while it is active.
    pub paused: Option<PauseReason>,
}

impl Health {
    /// How it fares after an attempt that ended at `now`. A webhook that is paused stays so.
    #[must_use]
    pub fn after(self, answer: Answer, now: Timestamp) -> Self {
        let failing_since = match answer {
            Answer::Accepted => None,
            Answer::Failed { .. } | Answer::Gone => Some(self.failing_since.unwrap_or(now)),
        };
        let too_long = |since: Timestamp| now.since(since) >= WEBHOOK_FAILING_BEFORE_PAUSE;
        let paused = match answer {
            Answer::Gone => Some(PauseReason::Gone),
            _ if failing_since.is_some_and(too_long) => Some(PauseReason::Failing),
            _ => None,
        };
        Self { failing_since, paused: self.paused.or(paused) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FAILED: Answer = Answer::Failed { retry_after: None };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn all_waits_together_are_three_days_and_none_is_shorter_than_the_one_before() {
        let whole: u64 = BACK_OFF.iter().map(|wait| wait.get()).sum();
        let days = whole as f64 / 86_400_000.0;
        assert!((2.9..3.1).contains(&days), "{days}");
        assert!(BACK_OFF.is_sorted());
    }

    #[test]
    fn a_receiver_that_asks_for_more_time_gets_it_up_to_a_limit() {
        let asks = |secs| Answer::Failed { retry_after: Some(Millis::from_secs(secs)) };
        let step = |secs| after_attempt(1, asks(secs), at(0), JITTER_PERMILLE);
        assert_eq!(step(60), Step::RetryAt(at(60_000)));
        assert_eq!(step(1), Step::RetryAt(at(5_000)));
        assert_eq!(step(u64::MAX), Step::RetryAt(at(0) + MAX_RETRY_AFTER));
    }

    #[test]
    fn a_webhook_is_paused_at_the_end_of_its_limit_and_not_before() {
        let failing = Health::default().after(FAILED, at(5));
        assert_eq!(failing.failing_since, Some(at(5)));
        let limit = at(5) + WEBHOOK_FAILING_BEFORE_PAUSE;
        assert_eq!(failing.after(FAILED, limit.minus(Millis::new(1))).paused, None);
        assert_eq!(failing.after(FAILED, limit).paused, Some(PauseReason::Failing));
    }

    #[test]
    fn one_success_begins_the_count_anew() {
        let well = Health::default().after(FAILED, at(5)).after(Answer::Accepted, at(6));
        assert_eq!(well, Health::default());
    }

    #[test]
    fn a_receiver_that_wants_no_more_gets_no_more() {
        let gone = Health::default().after(Answer::Gone, at(5));
        assert_eq!(gone.paused, Some(PauseReason::Gone));
        assert!(matches!(after_attempt(1, Answer::Gone, at(5), 0), Step::RetryAt(_)));
    }

    #[test]
    fn a_webhook_that_an_operator_paused_stays_paused_by_the_operator() {
        let paused = Health { paused: Some(PauseReason::Operator), ..Health::default() };
        for answer in [Answer::Accepted, FAILED, Answer::Gone] {
            assert_eq!(paused.after(answer, at(5)).paused, Some(PauseReason::Operator));
        }
    }

    proptest! {
        #[test]
        fn every_wait_is_within_a_fifth_of_its_place_in_the_schedule(
            attempt in 1..=15_u32, chance: u64, now in 0..1_i64 << 50,
        ) {
            let wait = BACK_OFF[attempt as usize - 1].get();
            let Step::RetryAt(next) = after_attempt(attempt, FAILED, at(now), chance) else {
                panic!("given up early");
            };
            let waited = next.since(at(now)).get();
            prop_assert!(waited >= wait * 8 / 10 && waited <= wait * 12 / 10, "{waited} of {wait}");
        }

        #[test]
        fn every_course_of_failures_ends_dead_after_three_days_and_sixteen_attempts(
            chances in prop::collection::vec(any::<u64>(), 16),
        ) {
            let (mut now, mut attempts) = (at(0), 0);
            for chance in chances {
                attempts += 1;
                match after_attempt(attempts, FAILED, now, chance) {
                    Step::RetryAt(next) => now = next,
                    Step::Dead => break,
                    Step::Delivered => panic!("a failure is no delivery"),
                }
            }
            prop_assert_eq!(attempts, 16);
            let days = now.since(at(0)).get() as f64 / 86_400_000.0;
            prop_assert!((2.3..3.7).contains(&days), "{days}");
        }

        #[test]
        fn an_accepted_delivery_is_done_whatever_went_before(attempt: u32, chance: u64) {
            prop_assert_eq!(after_attempt(attempt, Answer::Accepted, at(0), chance), Step::Delivered);
        }
    }
}

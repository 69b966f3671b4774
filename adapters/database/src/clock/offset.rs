//! What this machine's monotonic clock says about store time, without asking anybody: arithmetic
//! on what was asked before. All numbers are microseconds.

/// A clock that runs too fast or too slow does so by less than this part of the time that passes:
/// twice what an operating system corrects at most, because there are two machines.
const DRIFT_PER_MILLION: i64 = 1_000;
/// Time that is ahead of what was measured runs at half its pace until it is not any more.
const SLEW: i64 = 2;

/// What the server said its time was, between two moments of the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) sent: i64,
    pub(super) told: i64,
    pub(super) received: i64,
}

impl Sample {
    /// How far from the middle the moment may have been at which the server looked at its clock,
    /// and how far the clocks may have drifted apart since.
    pub(super) fn error(self) -> i64 {
        let took = self.received - self.sent;
        (took + 1) / 2 + drift(took)
    }

    /// From the monotonic clock to store time.
    fn offset(self) -> i64 {
        self.told - (self.sent + (self.received - self.sent) / 2)
    }
}

/// Store time as a function of the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoreTime {
    /// From the monotonic clock to store time, as measured.
    offset: i64,
    /// How wrong that was when it was measured.
    error: i64,
    /// How far ahead of that the time was which had been shown before.
    lead: i64,
    /// When all this was so.
    since: i64,
}

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measured {
    /// Time follows it from now on; it was off by this much, ahead of it where positive.
    Taken(StoreTime, i64),
    /// The answer took so long that it says less than what is known.
    Slow,
}

impl StoreTime {
    /// Store time by a first sample.
    pub(super) fn starting(sample: Sample) -> Self {
        let since = sample.received;
        Self { offset: sample.offset(), error: sample.error(), lead: 0, since }
    }

    /// Store time at `now`; never earlier than at an earlier `now`.
    pub(super) fn at(self, now: i64) -> i64 {
        now + self.offset + self.lead_at(now)
    }

    /// How wrong [`at`](Self::at) may be.
    pub(super) fn error_at(self, now: i64) -> i64 {
        self.measured_error_at(now) + self.lead_at(now)
    }

    /// What `sample` says, to be followed from `now` on. A slow one is taken only if it proves the
    /// present time wrong: the server's clock was set.
    pub(super) fn measured(self, sample: Sample, now: i64) -> Measured {
        let known = self.measured_error_at(sample.received);
        let apart = (sample.offset() - self.offset).abs();
        if sample.error() > known && apart <= sample.error() + known {
            return Measured::Slow;
        }
        let next = Self::starting(sample);
        let ahead = self.at(now) - next.at(now);
        let error = next.measured_error_at(now);
        Measured::Taken(Self { error, lead: ahead.max(0), since: now, ..next }, ahead)
    }

    fn lead_at(self, now: i64) -> i64 {
        (self.lead - (now - self.since) / SLEW).max(0)
    }

    fn measured_error_at(self, now: i64) -> i64 {
        self.error + drift((now - self.since).max(0))
    }
}

/// How far two clocks may drift apart in `span`.
fn drift(span: i64) -> i64 {
    (span * DRIFT_PER_MILLION + 999_999) / 1_000_000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::FileFailurePersistence;

    use super::*;

    /// A moment's rest, then a question whose answer takes its time on either way, and how much
    /// the server's clock runs faster or slower meanwhile.
    #[derive(Clone, Copy, Debug)]
    struct Ask {
        rest: i64,
        there: i64,
        back: i64,
        drift: i64,
        step: i64,
    }

    fn asks(steps: bool) -> impl Strategy<Value = Vec<Ask>> {
        let way = || prop_oneof![50..2_000_i64, 50..400_000_i64];
        let drift = -DRIFT_PER_MILLION..=DRIFT_PER_MILLION;
        let step = if steps { -5_000_000..5_000_000_i64 } else { 0..1 };
        let ask = (0..60_000_000_i64, way(), way(), drift, step);
        let ask =
            ask.prop_map(|(rest, there, back, drift, step)| Ask { rest, there, back, drift, step });
        proptest::collection::vec(ask, 1..40)
    }

    /// Performs the questions and calls `look` with the monotonic clock, true store time, and what
    /// is shown, at many moments.
    fn perform(asks: &[Ask], mut look: impl FnMut(i64, i64, StoreTime)) {
        let (mut now, mut truth) = (1_000_000_i64, 1_700_000_000_000_000_i64);
        let mut time: Option<StoreTime> = None;
        for ask in asks {
            truth += ask.step;
            let mut pass = |span: i64, time: Option<StoreTime>, truth: &mut i64| {
                for part in [span / 3, span / 3, span - 2 * (span / 3)] {
                    now += part;
                    *truth += part + part * ask.drift / 1_000_000;
                    if let Some(time) = time {
                        look(now, *truth, time);
                    }
                }
                now
            };
            let sent = pass(ask.rest, time, &mut truth);
            pass(ask.there, time, &mut truth);
            let told = truth;
            let received = pass(ask.back, time, &mut truth);
            let sample = Sample { sent, told, received };
            time = Some(match time.map(|time| time.measured(sample, received)) {
                None => StoreTime::starting(sample),
                Some(Measured::Taken(next, _)) => next,
                Some(Measured::Slow) => time.unwrap(),
            });
            look(received, truth, time.unwrap());
        }
    }

    /// A failure's seed is kept beside this file, and the next run begins with it.
    fn config() -> ProptestConfig {
        ProptestConfig {
            failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
            ..ProptestConfig::default()
        }
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn p11_what_is_shown_is_within_its_error_of_the_servers_clock(asks in asks(false)) {
            let mut wrong = None;
            perform(&asks, |now, truth, time| {
                // Three divisions, each rounded.
                let off = (time.at(now) - truth).abs() - 3 * asks.len() as i64;
                if off > time.error_at(now) {
                    wrong = Some((now, off, time));
                }
            });
            prop_assert_eq!(wrong, None);
        }

        #[test]
        fn p11_it_never_runs_backwards_even_where_the_servers_clock_does(asks in asks(true)) {
            let (mut last, mut back) = (i64::MIN, None);
            perform(&asks, |now, _, time| {
                if time.at(now) < last {
                    back = Some((now, last - time.at(now)));
                }
                last = time.at(now);
            });
            prop_assert_eq!(back, None);
        }

        #[test]
        fn a_sample_never_makes_the_error_of_what_was_measured_larger(asks in asks(false)) {
            let mut before: Option<StoreTime> = None;
            let mut larger = None;
            perform(&asks, |now, _, time| {
                if let Some(before) = before
                    && time.measured_error_at(now) > before.measured_error_at(now)
                {
                    larger = Some((now, before, time));
                }
                before = Some(time);
            });
            prop_assert_eq!(larger, None);
        }
    }

    const GOOD: Sample = Sample { sent: 0, told: 5_000_000, received: 400 };

    #[test]
    fn an_answer_that_says_less_than_what_is_known_is_not_taken() {
        let time = StoreTime::starting(GOOD);
        let slow = Sample { sent: 1_000, told: 5_021_000, received: 41_000 };
        assert_eq!(time.measured(slow, 41_000), Measured::Slow);
    }

    #[test]
    fn a_slow_answer_that_proves_the_time_wrong_is_taken() {
        let time = StoreTime::starting(GOOD);
        let stepped = Sample { sent: 1_000, told: 9_021_000, received: 41_000 };
        assert!(matches!(time.measured(stepped, 41_000), Measured::Taken(_, -4_000_200)));
    }

    #[test]
    fn time_that_is_ahead_runs_at_half_its_pace_until_it_is_not() {
        let time = StoreTime::starting(GOOD);
        let behind = Sample { sent: 1_000_000, told: 5_900_000, received: 1_000_200 };
        let Measured::Taken(next, ahead) = time.measured(behind, 1_000_200) else {
            panic!("it proves the time wrong");
        };
        assert_eq!(next.at(1_000_200), time.at(1_000_200));
        assert_eq!(next.at(1_000_200 + ahead) - next.at(1_000_200), ahead - ahead / 2);
        assert_eq!(next.lead_at(1_000_200 + 2 * ahead), 0);
        assert!(next.error_at(1_000_200) >= ahead);
    }
}

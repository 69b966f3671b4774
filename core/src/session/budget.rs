//! How fast one socket may be read.

use super::settings::SessionSettings;
use crate::time::{Millis, Timestamp};

/// After a socket went over its budget it is read again when there is room for this long at the
/// steady rate, so that it is not woken for every single message.
const RESUME_ROOM: Millis = Millis::new(100);
const MILLIS_PER_MINUTE: u64 = 60_000;
const MILLIS_PER_SECOND: u64 = 1_000;

/// Two leaky buckets, of messages and of bytes. Over budget means: read later. Nothing is
/// dropped for it and nobody is closed.
///
/// ```
/// use groundcontrol_core::session::{Budget, SessionSettings};
/// use groundcontrol_core::time::{Millis, Timestamp};
/// let settings = SessionSettings {
///     messages_per_second: 10,
///     messages_burst: 2,
///     ..SessionSettings::default()
/// };
/// let now = Timestamp::from_millis(0);
/// let mut budget = Budget::full(now);
/// budget.take_message(&settings, now);
/// budget.take_message(&settings, now);
/// assert_eq!(budget.resumes_at(&settings, now), None);
/// budget.take_message(&settings, now);
/// assert_eq!(budget.resumes_at(&settings, now), Some(now + Millis::new(200)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Thousandths of a message in the bucket; leaks messages-per-second of them a millisecond.
    messages: u64,
    /// Bytes × 60,000 in the bucket; leaks bytes-per-minute of them a millisecond.
    bytes: u64,
    at: Timestamp,
}

impl Budget {
    /// The budget of a socket that has been quiet.
    pub const fn full(now: Timestamp) -> Self {
        Self { messages: 0, bytes: 0, at: now }
    }

    /// A message was read.
    pub fn take_message(&mut self, settings: &SessionSettings, now: Timestamp) {
        self.leak(settings, now);
        self.messages = self.messages.saturating_add(MILLIS_PER_SECOND);
    }

    /// Bytes were read.
    pub fn take_bytes(&mut self, settings: &SessionSettings, now: Timestamp, bytes: u64) {
        self.leak(settings, now);
        self.bytes = self.bytes.saturating_add(bytes.saturating_mul(MILLIS_PER_MINUTE));
    }

    /// When the socket may be read again; none: now.
    pub fn resumes_at(&self, settings: &SessionSettings, now: Timestamp) -> Option<Timestamp> {
        let mut leaked = *self;
        leaked.leak(settings, now);
        let messages = wait(
            leaked.messages,
            settings.messages_burst.saturating_mul(MILLIS_PER_SECOND),
            settings.messages_per_second,
        );
        let bytes = wait(
            leaked.bytes,
            settings.bytes_per_minute.saturating_mul(MILLIS_PER_MINUTE),
            settings.bytes_per_minute,
        );
        messages.max(bytes).map(|wait| now + wait)
    }

    fn leak(&mut self, settings: &SessionSettings, now: Timestamp) {
        let millis = now.since(self.at).get();
        let leaked = |rate: u64| millis.saturating_mul(rate);
        self.messages = self.messages.saturating_sub(leaked(settings.messages_per_second));
        self.bytes = self.bytes.saturating_sub(leaked(settings.bytes_per_minute));
        self.at = self.at.max(now);
    }
}

/// How long a bucket at `level` that leaks `rate` a millisecond takes until there is room below
/// `capacity`; none when it is not over.
fn wait(level: u64, capacity: u64, rate: u64) -> Option<Millis> {
    let over = level.checked_sub(capacity).filter(|over| *over > 0)?;
    let rate = rate.max(1);
    let room = rate.saturating_mul(RESUME_ROOM.get()).min(capacity);
    Some(Millis::new(over.saturating_add(room).div_ceil(rate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000);

    #[test]
    fn a_burst_is_free_and_the_message_after_it_is_not() {
        let settings = SessionSettings::default();
        let mut budget = Budget::full(START);
        for _ in 0..12_000 {
            budget.take_message(&settings, START);
        }
        assert_eq!(budget.resumes_at(&settings, START), None);
        budget.take_message(&settings, START);
        assert_eq!(budget.resumes_at(&settings, START), Some(START + Millis::new(105)));
    }

    #[test]
    fn the_steady_rate_is_never_slowed_down() {
        let settings = SessionSettings { messages_burst: 1, ..SessionSettings::default() };
        let mut budget = Budget::full(START);
        for step in 1..10_000 {
            let now = START + Millis::new(5).times(step);
            budget.take_message(&settings, now);
            assert_eq!(budget.resumes_at(&settings, now), None);
        }
    }

    #[test]
    fn over_the_budget_of_bytes_the_socket_waits_in_proportion() {
        let settings = SessionSettings { bytes_per_minute: 60_000, ..SessionSettings::default() };
        let mut budget = Budget::full(START);
        budget.take_bytes(&settings, START, 61_000);
        assert_eq!(budget.resumes_at(&settings, START), Some(START + Millis::new(1_100)));
        let later = START + Millis::new(1_000);
        assert_eq!(budget.resumes_at(&settings, later), None);
    }

    #[test]
    fn the_size_of_the_budget_does_not_overflow() {
        let settings = SessionSettings::default();
        let mut budget = Budget::full(START);
        budget.take_bytes(&settings, START, u64::MAX);
        assert!(budget.resumes_at(&settings, START).is_some());
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(budget.resumes_at(&settings, end), None);
    }
}

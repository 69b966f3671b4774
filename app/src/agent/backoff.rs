//! How long to wait before dialling again.

use std::time::Duration;

/// Delays that double with each attempt, up to a bound, with jitter so that a fleet that lost
/// its server together does not come back together.
///
/// ```
/// use groundcontrol::agent::Backoff;
/// use std::time::Duration;
/// let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
/// let middle = 0.5;
/// assert_eq!(backoff.next(middle), Duration::from_secs(1));
/// assert_eq!(backoff.next(middle), Duration::from_secs(2));
/// backoff.reset();
/// assert_eq!(backoff.next(middle), Duration::from_secs(1));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    attempt: u32,
}

/// The share by which a delay varies up and down.
const JITTER: f64 = groundcontrol_core::limits::RECONNECT_JITTER_PERCENT as f64 / 100.0;

impl Backoff {
    /// Delays from `first`, doubled with each attempt, to at most `most` before jitter.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, attempt: 0 }
    }

    /// The next delay. `random` is in 0 … 1 and picks the point between −25 % and +25 %.
    pub fn next(&mut self, random: f64) -> Duration {
        let factor = 1_u32.checked_shl(self.attempt).unwrap_or(u32::MAX);
        self.attempt = self.attempt.saturating_add(1);
        let delay = self.first.saturating_mul(factor).min(self.most);
        delay.mul_f64(1.0 + JITTER * (2.0 * random.clamp(0.0, 1.0) - 1.0))
    }

    /// Starts over: the last session was a good one.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(30))
    }

    #[test]
    fn delays_double_to_thirty_seconds_and_stay_there() {
        let mut backoff = backoff();
        let seconds: Vec<u64> = (0..40).map(|_| backoff.next(0.5).as_secs()).collect();
        assert_eq!(seconds[..6], [1, 2, 4, 8, 16, 30]);
        assert!(seconds[6..].iter().all(|&delay| delay == 30));
    }

    #[test]
    fn jitter_spans_a_quarter_up_and_down() {
        assert_eq!(backoff().next(0.0), Duration::from_millis(750));
        assert_eq!(backoff().next(1.0), Duration::from_millis(1_250));
    }
}

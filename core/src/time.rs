//! Points and spans of time, in milliseconds.
//!
//! The core has no clock: a [`Timestamp`] always comes in as an argument. What is stored or
//! compared is *store time*, the clock that all pods share (property P11).

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

const RFC3339_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A point in store time: milliseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use groundcontrol_core::time::{Millis, Timestamp};
/// let start = Timestamp::from_millis(1_000);
/// assert_eq!(start + Millis::from_secs(2), Timestamp::from_millis(3_000));
/// assert_eq!(start.to_string(), "1970-01-01T00:00:01.000Z");
/// assert_eq!("1970-01-01T01:00:01+01:00".parse(), Ok(start));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A span of time in whole milliseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(u64);

/// The text is no RFC 3339 date and time, or one that milliseconds in 64 bits cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date and time, such as 2026-01-31T12:00:00.000Z")]
pub struct NotATimestamp;

impl Timestamp {
    /// The point `millis` milliseconds after (or before) the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is: zero when it is not after it.
    pub const fn since(self, earlier: Self) -> Millis {
        let span = self.0.saturating_sub(earlier.0);
        Millis(if span.is_positive() { span.unsigned_abs() } else { 0 })
    }

    /// This point moved back by `span`.
    pub const fn minus(self, span: Millis) -> Self {
        Self(self.0.saturating_sub_unsigned(span.0))
    }
}

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `millis` milliseconds.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// A span of `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// The span in milliseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The span in milliseconds as a signed number, for stores and messages.
    pub const fn as_i64(self) -> i64 {
        0_i64.saturating_add_unsigned(self.0)
    }

    /// `times` of this span.
    pub const fn times(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl std::ops::Add<Millis> for Timestamp {
    type Output = Self;
    fn add(self, span: Millis) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }
}

impl std::ops::Add for Millis {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl From<Millis> for Duration {
    fn from(span: Millis) -> Self {
        Self::from_millis(span.0)
    }
}

impl From<Duration> for Millis {
    fn from(span: Duration) -> Self {
        Self(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 1_000_000;
        let text = OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|at| at.format(RFC3339_MILLIS).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl std::str::FromStr for Timestamp {
    type Err = NotATimestamp;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| NotATimestamp)?;
        let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(millis).map(Self).map_err(|_| NotATimestamp)
    }
}

impl fmt::Display for Millis {
    /// The largest unit that says it exactly: `45 s`, `1500 ms`, `10 min`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            millis if millis > 0 && millis % 60_000 == 0 => write!(f, "{} min", millis / 60_000),
            millis if millis > 0 && millis % 1_000 == 0 => write!(f, "{} s", millis / 1_000),
            millis => write!(f, "{millis} ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_to_an_earlier_point_is_zero() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(9));
        assert_eq!(late.since(early), Millis::new(4));
        assert_eq!(early.since(late), Millis::ZERO);
    }

    #[test]
    fn arithmetic_at_the_ends_of_time_saturates() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end + Millis::new(1), end);
        let start = Timestamp::from_millis(i64::MIN);
        assert_eq!(start.minus(Millis::new(u64::MAX)), start);
        assert_eq!(Millis::new(u64::MAX).times(2), Millis::new(u64::MAX));
        assert_eq!(Millis::new(u64::MAX).as_i64(), i64::MAX);
    }

    #[test]
    fn spans_add_up_and_never_overflow() {
        assert_eq!(Millis::new(3) + Millis::new(4), Millis::new(7));
        assert_eq!(Millis::new(3).times(4), Millis::new(12));
        assert_eq!(Millis::new(u64::MAX) + Millis::new(1), Millis::new(u64::MAX));
    }

    #[test]
    fn a_span_is_as_long_as_the_duration_that_it_is_made_of_or_into() {
        assert_eq!(Duration::from(Millis::new(1_500)), Duration::from_millis(1_500));
        assert_eq!(Millis::from(Duration::from_millis(1_500)), Millis::new(1_500));
        assert_eq!(Millis::from(Duration::from_micros(1_999)), Millis::new(1));
        assert_eq!(Millis::from(Duration::MAX), Millis::new(u64::MAX));
    }

    #[test]
    fn text_survives_a_round_trip_and_keeps_milliseconds() {
        for millis in [0, 1, 999, 1_763_683_200_123, -1, -62_000_000_000_000] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(at.to_string().parse(), Ok(at), "{millis}");
        }
    }

    #[test]
    fn text_that_is_no_time_is_refused() {
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01", "1763683200123"] {
            assert_eq!(text.parse::<Timestamp>(), Err(NotATimestamp), "{text}");
        }
    }

    #[test]
    fn spans_are_shown_in_the_largest_exact_unit() {
        let shown = |millis| Millis::new(millis).to_string();
        assert_eq!(
            [shown(0), shown(250), shown(45_000), shown(1_500), shown(600_000)],
            ["0 ms", "250 ms", "45 s", "1500 ms", "10 min"]
        );
    }
}

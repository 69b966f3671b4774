//! Offline thresholds: how long silence may last (rule S2).

use crate::limits::{
    FLUSH_BOUND, FLUSH_THRESHOLD_DIVISOR, MAX_OFFLINE_THRESHOLD, MIN_HEARTBEAT_INTERVAL,
    MIN_THRESHOLD_INTERVALS,
};
use crate::time::Millis;

/// A threshold that a satellite has for itself: positive, at least two heartbeat intervals when
/// it was set, at most 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnThreshold(Millis);

/// Why a threshold or interval is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidThreshold {
    /// Less than two heartbeat intervals.
    #[error(
        "must be at least two heartbeat intervals ({least}), so that one lost heartbeat is no outage"
    )]
    TooShort {
        /// The least that is allowed now.
        least: Millis,
    },
    /// More than seven days.
    #[error("must be at most 7 days ({} ms)", MAX_OFFLINE_THRESHOLD.get())]
    TooLong,
    /// The interval itself is too short.
    #[error("must be at least {}", MIN_HEARTBEAT_INTERVAL)]
    IntervalTooShort,
}

impl OwnThreshold {
    /// A threshold of `millis`, checked against the heartbeat interval in use.
    pub fn new(millis: Millis, interval: Millis) -> Result<Self, InvalidThreshold> {
        check_threshold(millis, interval).map(|()| Self(millis))
    }

    /// A threshold as it was stored: none unless positive (rule S2).
    pub const fn stored(millis: Millis) -> Option<Self> {
        if millis.get() == 0 { None } else { Some(Self(millis)) }
    }

    /// Its length.
    pub const fn get(self) -> Millis {
        self.0
    }
}

/// The fleet-wide settings that decide about liveness; stored, so that pods agree (rule S2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// How often satellites send heartbeats.
    pub heartbeat_interval: Millis,
    /// The threshold of satellites without one of their own.
    pub default_threshold: Millis,
}

impl Liveness {
    /// Settings that have been checked against each other.
    pub fn new(
        heartbeat_interval: Millis,
        default_threshold: Millis,
    ) -> Result<Self, InvalidThreshold> {
        if heartbeat_interval < MIN_HEARTBEAT_INTERVAL {
            return Err(InvalidThreshold::IntervalTooShort);
        }
        check_threshold(default_threshold, heartbeat_interval)?;
        Ok(Self { heartbeat_interval, default_threshold })
    }

    /// The threshold in force for a satellite (rule S2).
    ///
    /// ```
    /// use groundcontrol_core::satellite::{Liveness, OwnThreshold};
    /// use groundcontrol_core::time::Millis;
    /// let fleet = Liveness::new(Millis::from_secs(15), Millis::from_secs(45)).unwrap();
    /// assert_eq!(fleet.threshold(None), Millis::from_secs(45));
    /// let own = OwnThreshold::new(Millis::from_secs(60), fleet.heartbeat_interval).unwrap();
    /// assert_eq!(fleet.threshold(Some(own)), Millis::from_secs(60));
    /// ```
    pub fn threshold(&self, own: Option<OwnThreshold>) -> Millis {
        own.map_or(self.default_threshold, OwnThreshold::get)
    }

    /// How long a received heartbeat may wait before it is stored, where `smallest` is the
    /// smallest threshold in use: 250 ms, or a tenth of it if that is less.
    pub fn flush_bound(smallest: Millis) -> Millis {
        FLUSH_BOUND.min(Millis::new(smallest.get() / FLUSH_THRESHOLD_DIVISOR))
    }

    /// How long a pod's watch lease is valid: one interval (rule T5).
    pub fn lease(&self) -> Millis {
        self.heartbeat_interval
    }
}

fn check_threshold(threshold: Millis, interval: Millis) -> Result<(), InvalidThreshold> {
    let least = interval.times(MIN_THRESHOLD_INTERVALS);
    if threshold < least {
        return Err(InvalidThreshold::TooShort { least });
    }
    if threshold > MAX_OFFLINE_THRESHOLD {
        return Err(InvalidThreshold::TooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Millis = Millis::from_secs(15);

    #[test]
    fn a_threshold_spans_two_intervals_to_seven_days() {
        let check =
            |millis| OwnThreshold::new(Millis::new(millis), INTERVAL).map(|own| own.get().get());
        assert_eq!(check(30_000), Ok(30_000));
        assert_eq!(check(29_999), Err(InvalidThreshold::TooShort { least: Millis::from_secs(30) }));
        assert_eq!(check(604_800_000), Ok(604_800_000));
        assert_eq!(check(604_800_001), Err(InvalidThreshold::TooLong));
    }

    #[test]
    fn an_interval_below_the_least_is_refused() {
        assert_eq!(
            Liveness::new(Millis::new(99), Millis::from_secs(45)),
            Err(InvalidThreshold::IntervalTooShort)
        );
        assert!(Liveness::new(Millis::new(100), Millis::new(200)).is_ok());
    }

    #[test]
    fn s2_a_stored_zero_is_no_threshold_of_its_own() {
        assert_eq!(OwnThreshold::stored(Millis::ZERO), None);
        assert_eq!(
            OwnThreshold::stored(Millis::new(1)).map(OwnThreshold::get),
            Some(Millis::new(1))
        );
    }

    #[test]
    fn the_flush_bound_shrinks_with_small_thresholds_only() {
        assert_eq!(Liveness::flush_bound(Millis::from_secs(45)), Millis::new(250));
        assert_eq!(Liveness::flush_bound(Millis::new(2_500)), Millis::new(250));
        assert_eq!(Liveness::flush_bound(Millis::new(1_000)), Millis::new(100));
    }
}

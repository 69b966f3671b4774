//! When the loss of a region is suspected, and when it is over.

use crate::connection::{Cause, LifecycleEvent};
use crate::limits::MIN_REGION_LOSSES;
use crate::satellite::Region;
use crate::time::{Millis, Timestamp};

/// What an operator finds too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionLossSettings {
    /// More than this part of a region's satellites, in hundredths; 100: never.
    pub share_percent: u64,
    /// Lost within this time.
    pub window: Millis,
}

impl RegionLossSettings {
    /// Whether nothing is ever suspected.
    pub const fn is_off(self) -> bool {
        self.share_percent >= 100
    }
}

/// How a region is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionCount {
    /// Which region.
    pub region: Region,
    /// Its satellites that are connected.
    pub connected: u64,
    /// Its satellites that fell silent since some moment, and are: see [`is_silent`].
    pub lost: u64,
    /// When the first of them fell silent; none where none did.
    pub since: Option<Timestamp>,
}

/// The causes of an end that a lost satellite, or a lost way to it, has: nobody said goodbye.
pub const SILENT_ENDS: &[Cause] = &[Cause::ConnectionLost, Cause::IdleTimeout, Cause::SlowConsumer];

/// Whether a satellite whose connection stands so fell silent: its heartbeat was lost, or its
/// connection ended by one of [`SILENT_ENDS`], as that of a lost satellite does in the end (rule T4).
pub fn is_silent(event: Option<LifecycleEvent>, cause: Option<Cause>) -> bool {
    match event {
        Some(LifecycleEvent::HeartbeatLost) => true,
        Some(LifecycleEvent::Disconnected) => {
            cause.is_some_and(|cause| SILENT_ENDS.contains(&cause))
        }
        Some(LifecycleEvent::Connected) | None => false,
    }
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assessment {
    /// It is as it was.
    Unchanged,
    /// From now on its loss is suspected.
    Suspected,
    /// From now on it is not.
    Recovered,
}

/// What the counts of a region mean, whose loss is `suspected` already or not.
///
/// It is suspected where more than the share is lost of those that were connected, and at least
/// [`MIN_REGION_LOSSES`]. It is over when at most half of the share is lost: a region at the brink
/// does not go to and fro.
///
/// ```
/// use groundcontrol_core::automation::{Assessment, RegionCount, RegionLossSettings, assess};
/// use groundcontrol_core::time::{Millis, Timestamp};
/// let settings = RegionLossSettings { share_percent: 50, window: Millis::from_secs(120) };
/// let count = |connected, lost| RegionCount {
///     region: "eu".parse().unwrap(), connected, lost, since: Some(Timestamp::from_millis(0)),
/// };
/// assert_eq!(assess(false, &count(4, 6), settings), Assessment::Suspected);
/// assert_eq!(assess(true, &count(7, 3), settings), Assessment::Unchanged);
/// assert_eq!(assess(true, &count(8, 2), settings), Assessment::Recovered);
/// ```
pub fn assess(suspected: bool, count: &RegionCount, settings: RegionLossSettings) -> Assessment {
    let total = count.connected.saturating_add(count.lost);
    let (lost, share) = (count.lost.saturating_mul(100), settings.share_percent);
    let too_many = count.lost >= MIN_REGION_LOSSES && lost > total.saturating_mul(share);
    let few = lost.saturating_mul(2) <= total.saturating_mul(share);
    match (suspected, too_many, few) {
        (false, true, _) => Assessment::Suspected,
        (true, _, true) => Assessment::Recovered,
        (false, false, _) | (true, _, false) => Assessment::Unchanged,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(share_percent: u64) -> RegionLossSettings {
        RegionLossSettings { share_percent, window: Millis::from_secs(60) }
    }

    fn count(connected: u64, lost: u64) -> RegionCount {
        RegionCount { region: "eu".parse().unwrap(), connected, lost, since: None }
    }

    #[test]
    fn exactly_the_share_is_not_more_than_the_share() {
        assert_eq!(assess(false, &count(5, 5), settings(50)), Assessment::Unchanged);
        assert_eq!(assess(false, &count(5, 6), settings(50)), Assessment::Suspected);
    }

    #[test]
    fn a_few_satellites_are_no_region() {
        assert_eq!(
            assess(false, &count(0, MIN_REGION_LOSSES - 1), settings(50)),
            Assessment::Unchanged
        );
        assert_eq!(
            assess(false, &count(0, MIN_REGION_LOSSES), settings(50)),
            Assessment::Suspected
        );
    }

    #[test]
    fn a_share_of_all_never_suspects() {
        assert_eq!(assess(false, &count(0, 1_000), settings(100)), Assessment::Unchanged);
    }

    #[test]
    fn a_region_without_satellites_is_not_lost() {
        assert_eq!(assess(true, &count(0, 0), settings(50)), Assessment::Recovered);
    }

    proptest! {
        #[test]
        fn what_was_just_suspected_is_not_over_and_the_other_way_round(
            connected in 0..2_000_u64, lost in 0..2_000_u64, share in 1..=100_u64,
        ) {
            let (count, settings) = (count(connected, lost), settings(share));
            match assess(false, &count, settings) {
                Assessment::Suspected => {
                    prop_assert_eq!(assess(true, &count, settings), Assessment::Unchanged);
                }
                Assessment::Unchanged => {}
                Assessment::Recovered => prop_assert!(false, "it was not lost"),
            }
            if assess(true, &count, settings) == Assessment::Recovered {
                prop_assert_eq!(assess(false, &count, settings), Assessment::Unchanged);
            }
        }
    }
}

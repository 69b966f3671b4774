//! Nobody watching is not healthy: what is on record while no assigned satellite is online.
//!
//! A check whose satellites are all away produces no result, and a page that shows the last one
//! shows something that was true once. So Ground Control keeps a run of its own, one for each
//! interval that passes, until a satellite reports again.

use super::{ReportedRun, Run, RunStatus};
use crate::assignment::{CheckId, Interval, Json, Selector, SystemId};
use crate::connection::Status;
use crate::satellite::{Region, Tags};
use crate::time::Timestamp;

/// The source of runs that no satellite ran.
pub const GROUND_CONTROL: &str = "ground-control";

const OFFLINE: &str = r#"{"status":"degraded","message":"No assigned satellite is online","metadata":{"connected":false}}"#;
const NOBODY: &str = r#"{"status":"degraded","message":"No satellite is assigned, so none is online","metadata":{"connected":false}}"#;

/// A check that is assigned to a system, and was not run there for its interval or longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietPair {
    /// The check.
    pub check: CheckId,
    /// The system.
    pub system: SystemId,
    /// The check's interval.
    pub interval: Interval,
    /// The latest of: when its last run was received, when check and system were made, and when
    /// the latest of their assignments was.
    pub since: Timestamp,
    /// Who could have run it.
    pub watchers: Watchers,
}

/// Who is there to run something, from least to most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watchers {
    /// No satellite is assigned, or selected.
    #[default]
    Nobody,
    /// Some are, and all are offline.
    Offline,
    /// At least one is online.
    Online,
}

impl Watchers {
    /// Of satellites with these statuses (rule S1).
    pub fn of(statuses: impl IntoIterator<Item = Status>) -> Self {
        let one = |status| match status {
            Status::Online => Self::Online,
            Status::Offline => Self::Offline,
        };
        statuses.into_iter().map(one).max().unwrap_or_default()
    }

    /// Of the satellites that `selector` selects, among those in these places.
    pub fn selected<'a>(
        selector: &Selector,
        places: impl IntoIterator<Item = &'a (Region, Tags, Status)>,
    ) -> Self {
        let places = places.into_iter();
        Self::of(places.filter(|(region, tags, _)| selector.selects(region, tags)).map(|one| one.2))
    }
}

impl QuietPair {
    /// The run that Ground Control keeps of it at `now`, while satellites were heard without a
    /// lapse since `watching_since`; none while a satellite that is online will report, and none
    /// before one interval has passed.
    ///
    /// It stands for the last whole interval that passed, not for the moment of looking: whoever
    /// looks, and however often, makes the same run, and [repetitions](Run::repetition) are kept
    /// once. What nobody reported while Ground Control itself was away says nothing, so intervals
    /// count from its return.
    pub fn unwatched(&self, watching_since: Timestamp, now: Timestamp) -> Option<Run> {
        let message = match self.watchers {
            Watchers::Online => return None,
            Watchers::Offline => OFFLINE,
            Watchers::Nobody => NOBODY,
        };
        let quiet_since = self.since.max(watching_since);
        let passed = now.since(quiet_since).get() / self.interval.millis().get();
        if passed == 0 {
            return None;
        }
        let at = quiet_since + self.interval.millis().times(passed);
        let run = ReportedRun {
            check: self.check,
            system: self.system,
            environment: None,
            status: RunStatus::Degraded,
            latency_ms: None,
            result: Some(Json::trusted(message)),
            executed_at: at,
            result_id: None,
        };
        let source = GROUND_CONTROL.to_owned();
        Some(Run { satellite: None, source, run, failed: None, received_at: at })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1_000)
    }

    fn pair(watchers: Watchers) -> QuietPair {
        QuietPair {
            check: CheckId(Uuid::from_u128(1)),
            system: SystemId(Uuid::from_u128(2)),
            interval: Interval::new(60).unwrap(),
            since: at(0),
            watchers,
        }
    }

    fn place(region: &str, status: Status) -> (Region, Tags, Status) {
        (region.parse().unwrap(), Tags::default(), status)
    }

    #[test]
    fn one_satellite_that_is_online_watches_for_all() {
        use Status::{Offline, Online};
        assert_eq!(Watchers::of([Offline, Online, Offline]), Watchers::Online);
        assert_eq!(Watchers::of([Offline, Offline]), Watchers::Offline);
        assert_eq!(Watchers::of([]), Watchers::Nobody);
    }

    #[test]
    fn only_who_is_selected_watches() {
        let selector = Selector { region: Some("eu".parse().unwrap()), ..Selector::default() };
        let us = place("us", Status::Online);
        let of = |places: &[_]| Watchers::selected(&selector, places);
        assert_eq!(of(std::slice::from_ref(&us)), Watchers::Nobody);
        assert_eq!(of(&[us.clone(), place("eu", Status::Offline)]), Watchers::Offline);
        assert_eq!(of(&[us, place("eu", Status::Online)]), Watchers::Online);
    }

    #[test]
    fn while_somebody_is_online_ground_control_says_nothing() {
        assert_eq!(pair(Watchers::Online).unwatched(at(0), at(100_000)), None);
    }

    #[test]
    fn exactly_one_interval_is_the_chance_that_a_satellite_has() {
        let offline = pair(Watchers::Offline);
        assert_eq!(offline.unwatched(at(0), Timestamp::from_millis(at(60).as_millis() - 1)), None);
        let run = offline.unwatched(at(0), at(60)).unwrap();
        assert_eq!((run.run.executed_at, run.run.status), (at(60), RunStatus::Degraded));
        assert_eq!((run.satellite, run.source.as_str()), (None, "ground-control"));
    }

    #[test]
    fn whoever_looks_within_an_interval_makes_the_same_run() {
        let offline = pair(Watchers::Offline);
        let (first, late) = (offline.unwatched(at(0), at(61)), offline.unwatched(at(0), at(119)));
        assert_eq!(first, late);
        let next = offline.unwatched(at(0), at(120)).unwrap();
        assert_eq!(next.run.executed_at, at(120));
        assert_ne!(next.repetition(), first.unwrap().repetition());
    }

    #[test]
    fn intervals_count_from_when_ground_control_itself_was_back() {
        let offline = pair(Watchers::Offline);
        assert_eq!(offline.unwatched(at(1_000), at(1_059)), None);
        assert_eq!(offline.unwatched(at(1_000), at(1_060)).unwrap().run.executed_at, at(1_060));
    }

    #[test]
    fn the_message_says_whether_anybody_is_assigned() {
        let said = |watchers| {
            let run = pair(watchers).unwatched(at(0), at(60)).unwrap();
            run.run.result.unwrap().as_str().to_owned()
        };
        assert!(said(Watchers::Offline).contains("No assigned satellite is online"));
        assert!(said(Watchers::Nobody).contains("No satellite is assigned"));
    }
}

//! Rules without code: which silences last too long, and which webhook is told.

use uuid::Uuid;

use super::filter::EventFilter;
use super::webhook::WebhookId;
use crate::connection::{Event, EventKind};
use crate::limits::{MAX_RULE_LASTS, MAX_RULE_STEADY};
use crate::satellite::{Name, Tags};
use crate::time::{Millis, Timestamp};

/// The id of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub Uuid);

/// When something about a satellite that the filter wants lasts, a webhook is told, and told again
/// when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// Unique among all rules.
    pub name: Name,
    /// Whether it does anything; an operator says so.
    pub active: bool,
    /// It was removed: what it told of is still to be resolved.
    pub removed: bool,
    /// What it watches for: events of [`WATCHED`]; none named: `satellite.heartbeat_lost`.
    pub filter: EventFilter,
    /// How long it must last before the webhook is told.
    pub lasts: Millis,
    /// How long it must be over before the webhook is told so: what comes back in between is the
    /// same alert.
    pub steady: Millis,
    /// Where the loss of a region is suspected, the webhook is told of that instead of its
    /// satellites; not where the filter picks satellites, tags or causes.
    pub region_instead: bool,
    /// Who is told.
    pub webhook: WebhookId,
    /// When it was made, store time. It watches for what happens from then on.
    pub created_at: Timestamp,
}

/// The events that a rule can watch for: those after which a satellite is offline until it connects
/// again.
pub const WATCHED: &[EventKind] = &[EventKind::Disconnected, EventKind::HeartbeatLost];

/// What is wrong with a rule. The message completes "this field …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// An event that does not last.
    #[error(
        "must be satellite.heartbeat_lost or satellite.disconnected: a rule waits for what lasts"
    )]
    Event,
    /// Too long.
    #[error("must be at most {} s", MAX_RULE_LASTS.get() / 1_000)]
    Lasts,
    /// Too long.
    #[error("must be at most {} s", MAX_RULE_STEADY.get() / 1_000)]
    Steady,
}

/// What an event means to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// What it watches for.
    Broke,
    /// The end of that.
    Back,
    /// The end of the satellite.
    Removed,
    /// The loss of a region, which it tells of instead of its satellites.
    RegionLost,
}

impl Rule {
    /// Whether it watches.
    pub const fn is_at_work(&self) -> bool {
        self.active && !self.removed
    }

    /// Whether the tags of satellites play a part, so that they must be read.
    pub fn needs_tags(&self) -> bool {
        self.filter.needs_tags()
    }

    /// Whether the filter names only what can be watched for.
    pub fn check_filter(filter: &EventFilter) -> Result<(), InvalidRule> {
        let watched = |kind: &EventKind| WATCHED.contains(kind);
        filter.events.iter().all(watched).then_some(()).ok_or(InvalidRule::Event)
    }

    /// Whether these times are within their limits.
    pub fn check_times(lasts: Millis, steady: Millis) -> Result<(), InvalidRule> {
        if lasts > MAX_RULE_LASTS {
            return Err(InvalidRule::Lasts);
        }
        if steady > MAX_RULE_STEADY {
            return Err(InvalidRule::Steady);
        }
        Ok(())
    }

    /// What `event`, of a satellite with these tags, means to it; none: nothing. The end of
    /// something is meant whatever the filter says: it may have been another when it began.
    pub fn meaning(&self, event: &Event, tags: &Tags) -> Option<Meaning> {
        let since_made = event.occurred_at() >= self.created_at;
        match event.kind() {
            EventKind::Connected => Some(Meaning::Back),
            EventKind::Removed => Some(Meaning::Removed),
            EventKind::Disconnected | EventKind::HeartbeatLost => {
                let watched = since_made && self.watches(event.kind());
                (watched && self.filter.wants(event, tags)).then_some(Meaning::Broke)
            }
            EventKind::RegionLossSuspected => {
                let told = since_made && self.region_instead;
                (told && self.may_concern(event)).then_some(Meaning::RegionLost)
            }
        }
    }

    fn watches(&self, kind: EventKind) -> bool {
        !self.filter.events.is_empty() || kind == EventKind::HeartbeatLost
    }

    /// Whether the loss of a region is what it would tell of its satellites: it watches for silence,
    /// there, and of whoever falls silent.
    fn may_concern(&self, event: &Event) -> bool {
        let silence = EventKind::HeartbeatLost;
        (self.filter.events.is_empty() || self.filter.events.contains(&silence))
            && self.filter.region.as_ref().is_none_or(|region| event.region() == Some(region))
            && self.filter.satellites.is_empty()
            && self.filter.causes.is_empty()
            && !self.needs_tags()
    }
}

impl std::fmt::Display for RuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl std::str::FromStr for RuleId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::connection::{ConnectionState, LifecycleEvent, RegionLoss, SatelliteEvent, Status};
    use crate::satellite::{Epoch, PodName, SatelliteId, Seq};

    pub(crate) fn rule() -> Rule {
        Rule {
            id: RuleId(Uuid::from_u128(1)),
            name: "Lost for long".parse().unwrap(),
            active: true,
            removed: false,
            filter: EventFilter::default(),
            lasts: Millis::from_secs(300),
            steady: Millis::ZERO,
            region_instead: false,
            webhook: WebhookId(Uuid::from_u128(2)),
            created_at: Timestamp::from_millis(0),
        }
    }

    fn event(kind: EventKind) -> Event {
        let state = ConnectionState {
            status: Status::Offline,
            name: "one".parse().unwrap(),
            region: "eu".parse().unwrap(),
            last_seen_at: None,
            last_event: Some(LifecycleEvent::HeartbeatLost),
            last_event_at: None,
            cause: None,
            seq: Seq(2),
            epoch: Epoch(1),
        };
        let satellite = SatelliteId(Uuid::from_u128(1));
        Event::Satellite(SatelliteEvent {
            id: "x:2".to_owned(),
            kind,
            satellite,
            seq: Seq(2),
            epoch: Epoch(1),
            occurred_at: Timestamp::from_millis(0),
            cause: None,
            actor: None,
            previous: None,
            next: Some(state),
        })
    }

    fn region_loss(region: &str) -> Event {
        Event::RegionLoss(RegionLoss {
            region: region.parse().unwrap(),
            seq: Seq(1),
            since: Timestamp::from_millis(0),
            occurred_at: Timestamp::from_millis(0),
            lost: 9,
            total: 10,
            window: Millis::from_secs(60),
            pod: PodName::new("pod-1"),
        })
    }

    fn meaning(rule: &Rule, event: &Event) -> Option<Meaning> {
        rule.meaning(event, &Tags::default())
    }

    #[test]
    fn a_rule_that_names_no_event_watches_for_silence_alone() {
        assert_eq!(meaning(&rule(), &event(EventKind::HeartbeatLost)), Some(Meaning::Broke));
        assert_eq!(meaning(&rule(), &event(EventKind::Disconnected)), None);
        let events = [EventKind::Disconnected].into();
        let other = Rule { filter: EventFilter { events, ..EventFilter::default() }, ..rule() };
        assert_eq!(meaning(&other, &event(EventKind::Disconnected)), Some(Meaning::Broke));
        assert_eq!(meaning(&other, &event(EventKind::HeartbeatLost)), None);
    }

    #[test]
    fn what_happened_before_a_rule_was_made_is_not_its_concern() {
        let later = Rule { created_at: Timestamp::from_millis(1), ..rule() };
        assert_eq!(meaning(&later, &event(EventKind::HeartbeatLost)), None);
        let later = Rule { region_instead: true, ..later };
        assert_eq!(meaning(&later, &region_loss("eu")), None);
    }

    #[test]
    fn the_end_of_something_is_meant_whatever_the_filter_says() {
        let region = "us".parse().ok();
        let elsewhere = Rule { filter: EventFilter { region, ..EventFilter::default() }, ..rule() };
        assert_eq!(meaning(&elsewhere, &event(EventKind::HeartbeatLost)), None);
        assert_eq!(meaning(&elsewhere, &event(EventKind::Connected)), Some(Meaning::Back));
        assert_eq!(meaning(&elsewhere, &event(EventKind::Removed)), Some(Meaning::Removed));
    }

    #[test]
    fn the_loss_of_a_region_concerns_a_rule_that_chose_it_and_watches_there() {
        let region = "eu".parse().ok();
        let filter = EventFilter { region, ..EventFilter::default() };
        let chosen = Rule { region_instead: true, filter, ..rule() };
        assert_eq!(meaning(&chosen, &region_loss("eu")), Some(Meaning::RegionLost));
        assert_eq!(meaning(&chosen, &region_loss("us")), None);
        assert_eq!(meaning(&rule(), &region_loss("eu")), None);
        let events = [EventKind::Disconnected].into();
        let other = Rule { filter: EventFilter { events, ..EventFilter::default() }, ..chosen };
        assert_eq!(meaning(&other, &region_loss("eu")), None);
    }

    #[test]
    fn what_does_not_last_and_what_is_too_long_is_refused() {
        let of = |kind| EventFilter { events: [kind].into(), ..EventFilter::default() };
        assert_eq!(Rule::check_filter(&of(EventKind::Connected)), Err(InvalidRule::Event));
        assert_eq!(Rule::check_filter(&of(EventKind::Disconnected)), Ok(()));
        let long = Millis::new(MAX_RULE_LASTS.get() + 1);
        assert_eq!(Rule::check_times(long, Millis::ZERO), Err(InvalidRule::Lasts));
        let long = Millis::new(MAX_RULE_STEADY.get() + 1);
        assert_eq!(Rule::check_times(Millis::ZERO, long), Err(InvalidRule::Steady));
        assert_eq!(Rule::check_times(MAX_RULE_LASTS, MAX_RULE_STEADY), Ok(()));
    }
}

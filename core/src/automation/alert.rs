//! Alerts: what rules without code make of events. One alert is one rule's view of one satellite,
//! or of one region, from when it broke until that is over.
//!
//! (nothing) → pending → firing → recovering → (nothing), see [`after`]. A pending alert of a
//! satellite whose whole region is lost is held. A plain match, pure; time is an argument.

use super::rule::{Rule, RuleId};
use super::webhook::WebhookId;
use crate::connection::{ContextId, EventKind, named};
use crate::satellite::{Name, Region, SatelliteId, Seq};
use crate::time::Timestamp;

/// The id of an alert: made of the rule, of what it is about and of the event that began it, so
/// that the same alert always has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub ContextId);

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertSubject {
    /// A satellite.
    Satellite {
        /// Which.
        id: SatelliteId,
        /// Its name when it began.
        name: Name,
        /// Its region when it began.
        region: Region,
    },
    /// A region.
    Region(Region),
}

/// A rule's view of something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The rule.
    pub rule: RuleId,
    /// What it is about; at most one alert of a rule is about the same.
    pub subject: AlertSubject,
    /// The event that began it.
    pub event: EventKind,
    /// When that was.
    pub since: Timestamp,
    /// Where it stands.
    pub state: AlertState,
    /// Who was told that it fires, and is told when it is over; none before.
    pub told: Option<WebhookId>,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// It did not last long enough yet: nobody was told.
    Pending {
        /// When it will have.
        due: Timestamp,
    },
    /// It lasted long enough, but its whole region is lost, and the rule tells of that instead.
    Held,
    /// Its webhook was told.
    Firing {
        /// When.
        at: Timestamp,
    },
    /// It is over, but not for long enough yet: nobody was told of that.
    Recovering {
        /// When its webhook was told of the alert.
        fired_at: Timestamp,
        /// When it will have been over for long enough.
        due: Timestamp,
    },
}

/// The names of where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertStanding {
    /// [`AlertState::Pending`]
    Pending,
    /// [`AlertState::Held`]
    Held,
    /// [`AlertState::Firing`]
    Firing,
    /// [`AlertState::Recovering`]
    Recovering,
}

named!(AlertStanding {
    Pending => "pending",
    Held => "held",
    Firing => "firing",
    Recovering => "recovering",
});

/// What happens to an alert, or begins one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertInput {
    /// What the rule watches for happened; for a region: its loss is suspected.
    Broke {
        /// When.
        at: Timestamp,
    },
    /// It is over: the satellite connected again, the region recovered.
    Back {
        /// When.
        at: Timestamp,
    },
    /// The satellite was removed.
    Removed,
    /// Time has passed.
    Time {
        /// Store time.
        now: Timestamp,
        /// Whether the loss of the satellite's region is suspected.
        region_lost: bool,
    },
    /// The region is no longer lost.
    Released {
        /// Store time.
        now: Timestamp,
    },
}

/// Why a webhook is told that an alert is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// The satellite is connected again, or the region recovered.
    Recovered,
    /// The satellite was removed.
    Removed,
    /// The rule was paused or removed.
    RuleEnded,
}

named!(Resolution {
    Recovered => "recovered",
    Removed => "removed",
    RuleEnded => "rule_ended",
});

/// What a webhook is told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertCall {
    /// It lasts.
    Firing,
    /// It is over.
    Resolved(Resolution),
}

/// What follows for an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertStep {
    /// Where it stands now; none: there is no alert.
    pub next: Option<AlertState>,
    /// What the webhook is told.
    pub call: Option<AlertCall>,
}

/// What follows from `input` for an alert of `rule` that stands so; none: there is no alert yet.
///
/// ```
/// use groundcontrol_core::automation::{AlertCall, AlertInput, AlertState, after};
/// # use groundcontrol_core::automation::{EventFilter, Rule, RuleId, WebhookId};
/// # use groundcontrol_core::time::{Millis, Timestamp};
/// # let rule = Rule {
/// #     id: RuleId(uuid::Uuid::nil()), name: "r".parse().unwrap(), active: true, removed: false,
/// #     filter: EventFilter::default(), lasts: Millis::from_secs(60), steady: Millis::ZERO,
/// #     region_instead: false, webhook: WebhookId(uuid::Uuid::nil()),
/// #     created_at: Timestamp::from_millis(0),
/// # };
/// # let at = |second: i64| Timestamp::from_millis(second * 1_000);
/// // A rule whose alerts fire after a minute.
/// let broke = after(&rule, None, AlertInput::Broke { at: at(0) });
/// assert_eq!(broke.next, Some(AlertState::Pending { due: at(60) }));
/// let lasted = after(&rule, broke.next, AlertInput::Time { now: at(60), region_lost: false });
/// assert_eq!(lasted.call, Some(AlertCall::Firing));
/// ```
pub fn after(rule: &Rule, state: Option<AlertState>, input: AlertInput) -> AlertStep {
    if !rule.is_at_work() {
        return ended(state, Resolution::RuleEnded);
    }
    let Some(state) = state else { return begun(rule, input) };
    match (state, input) {
        (AlertState::Pending { .. } | AlertState::Held, AlertInput::Back { .. }) => AlertStep::NONE,
        (AlertState::Firing { at: fired_at }, AlertInput::Back { at }) => {
            let due = at + rule.steady;
            match rule.steady.get() {
                0 => ended(Some(state), Resolution::Recovered),
                _ => AlertStep::to(AlertState::Recovering { fired_at, due }),
            }
        }
        (AlertState::Recovering { fired_at, .. }, AlertInput::Broke { .. }) => {
            AlertStep::to(AlertState::Firing { at: fired_at })
        }
        (AlertState::Pending { due }, AlertInput::Time { now, region_lost }) if due <= now => {
            match region_lost && rule.region_instead {
                true => AlertStep::to(AlertState::Held),
                false => AlertStep {
                    next: Some(AlertState::Firing { at: now }),
                    call: Some(AlertCall::Firing),
                },
            }
        }
        (AlertState::Recovering { due, .. }, AlertInput::Time { now, .. }) if due <= now => {
            ended(Some(state), Resolution::Recovered)
        }
        (AlertState::Held, AlertInput::Released { now }) => {
            AlertStep::to(AlertState::Pending { due: now })
        }
        (_, AlertInput::Removed) => ended(Some(state), Resolution::Removed),
        (AlertState::Pending { .. } | AlertState::Held, AlertInput::Broke { .. })
        | (AlertState::Firing { .. }, AlertInput::Broke { .. })
        | (AlertState::Recovering { .. }, AlertInput::Back { .. })
        | (_, AlertInput::Time { .. } | AlertInput::Released { .. }) => AlertStep::to(state),
    }
}

fn begun(rule: &Rule, input: AlertInput) -> AlertStep {
    match input {
        AlertInput::Broke { at } => AlertStep::to(AlertState::Pending { due: at + rule.lasts }),
        AlertInput::Back { .. }
        | AlertInput::Removed
        | AlertInput::Time { .. }
        | AlertInput::Released { .. } => AlertStep::NONE,
    }
}

/// Whoever was told of the alert is told that it is over.
fn ended(state: Option<AlertState>, why: Resolution) -> AlertStep {
    let told = state.is_some_and(|state| state.fired_at().is_some());
    AlertStep { next: None, call: told.then_some(AlertCall::Resolved(why)) }
}

impl AlertStep {
    /// There is no alert, and there was none that anybody knew of.
    const NONE: Self = Self { next: None, call: None };

    const fn to(state: AlertState) -> Self {
        Self { next: Some(state), call: None }
    }
}

impl AlertState {
    /// Its name.
    pub const fn standing(self) -> AlertStanding {
        match self {
            Self::Pending { .. } => AlertStanding::Pending,
            Self::Held => AlertStanding::Held,
            Self::Firing { .. } => AlertStanding::Firing,
            Self::Recovering { .. } => AlertStanding::Recovering,
        }
    }

    /// When time alone moves it on.
    pub const fn due(self) -> Option<Timestamp> {
        match self {
            Self::Pending { due } | Self::Recovering { due, .. } => Some(due),
            Self::Held | Self::Firing { .. } => None,
        }
    }

    /// When the webhook was told of it.
    pub const fn fired_at(self) -> Option<Timestamp> {
        match self {
            Self::Firing { at } | Self::Recovering { fired_at: at, .. } => Some(at),
            Self::Pending { .. } | Self::Held => None,
        }
    }

    /// The state that is stored as these; none where they do not fit together.
    pub const fn of_parts(
        standing: AlertStanding,
        fired_at: Option<Timestamp>,
        due: Option<Timestamp>,
    ) -> Option<Self> {
        match (standing, fired_at, due) {
            (AlertStanding::Pending, None, Some(due)) => Some(Self::Pending { due }),
            (AlertStanding::Held, None, _) => Some(Self::Held),
            (AlertStanding::Firing, Some(at), _) => Some(Self::Firing { at }),
            (AlertStanding::Recovering, Some(fired_at), Some(due)) => {
                Some(Self::Recovering { fired_at, due })
            }
            _ => None,
        }
    }
}

impl AlertSubject {
    /// What tells it apart.
    pub fn context(&self) -> ContextId {
        match self {
            Self::Satellite { id, .. } => (*id).into(),
            Self::Region(region) => ContextId::of_region(region),
        }
    }

    /// The region, also of a satellite.
    pub fn region(&self) -> &Region {
        match self {
            Self::Satellite { region, .. } | Self::Region(region) => region,
        }
    }

    /// The satellite, where it is one.
    pub fn satellite(&self) -> Option<SatelliteId> {
        match self {
            Self::Satellite { id, .. } => Some(*id),
            Self::Region(_) => None,
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        match self {
            Self::Satellite { name, .. } => name.as_str(),
            Self::Region(region) => region.as_str(),
        }
    }
}

impl AlertId {
    /// The alert of `rule` about `context` that the event number `seq` began.
    pub fn of(rule: RuleId, context: ContextId, seq: Seq) -> Self {
        let (rule, context, seq) = (rule.0.as_bytes(), context.0.as_bytes(), seq.0.to_be_bytes());
        Self(ContextId::of_parts(&[b"alert", rule, context, &seq]))
    }
}

impl AlertCall {
    /// Its number within the alert: it fires once and is resolved once.
    pub const fn seq(self) -> Seq {
        match self {
            Self::Firing => Seq(1),
            Self::Resolved(_) => Seq(2),
        }
    }
}

impl std::fmt::Display for AlertId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;

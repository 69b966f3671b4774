//! What a webhook is told: an event, or an alert that a rule made of events.

use super::alert::{Alert, AlertCall, AlertId, AlertSubject};
use super::rule::{Rule, RuleId};
use crate::connection::{ContextId, Event, EventKind, named};
use crate::satellite::{Name, Seq};
use crate::time::Timestamp;

/// What a webhook is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something happened.
    Event(Event),
    /// Something lasts, or is over.
    Alert(AlertNotice),
}

/// What a webhook is told of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertNotice {
    /// Which alert.
    pub alert: AlertId,
    /// The rule that made it.
    pub rule: RuleId,
    /// Its name then.
    pub rule_name: Name,
    /// What it is about.
    pub subject: AlertSubject,
    /// The event that began it.
    pub event: EventKind,
    /// When that was.
    pub since: Timestamp,
    /// What is told.
    pub call: AlertCall,
    /// When it is told for the first time.
    pub at: Timestamp,
}

/// The type of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// An event.
    Event(EventKind),
    /// An alert.
    Alert(AlertKind),
}

/// The type of what is told of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// It lasts.
    Firing,
    /// It is over.
    Resolved,
}

named!(AlertKind { Firing => "alert.firing", Resolved => "alert.resolved" });

impl Notice {
    /// `<context>:<seq>`: the same notice always has the same.
    pub fn id(&self) -> String {
        match self {
            Self::Event(event) => event.id(),
            Self::Alert(notice) => format!("{}:{}", notice.alert, notice.call.seq()),
        }
    }

    /// Its type.
    pub fn kind(&self) -> NoticeKind {
        match self {
            Self::Event(event) => NoticeKind::Event(event.kind()),
            Self::Alert(notice) => NoticeKind::Alert(notice.call.kind()),
        }
    }
}

impl AlertNotice {
    /// What `rule` tells of `alert` at `at`.
    pub fn of(rule: &Rule, alert: &Alert, call: AlertCall, at: Timestamp) -> Self {
        Self {
            alert: alert.id,
            rule: rule.id,
            rule_name: rule.name.clone(),
            subject: alert.subject.clone(),
            event: alert.event,
            since: alert.since,
            call,
            at,
        }
    }

    /// Its context, the alert, and its number in it.
    pub fn place(&self) -> (ContextId, Seq) {
        (self.alert.0, self.call.seq())
    }
}

impl AlertCall {
    /// Its type.
    pub const fn kind(self) -> AlertKind {
        match self {
            Self::Firing => AlertKind::Firing,
            Self::Resolved(_) => AlertKind::Resolved,
        }
    }
}

impl NoticeKind {
    /// The name in store, API and requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.name(),
            Self::Alert(kind) => kind.name(),
        }
    }

    /// The type called `name`; none where it is unknown (rule E4).
    pub fn from_name(name: &str) -> Option<Self> {
        let event = EventKind::from_name(name).map(Self::Event);
        event.or_else(|| AlertKind::from_name(name).map(Self::Alert))
    }
}

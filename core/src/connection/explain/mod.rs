//! Why a satellite is what it is: a pure function of what is recorded and what the time is.
//!
//! [`explain`] is the reasoning, as data; [`Explanation::words`] makes the sentences of it.

mod rule;
mod words;

use super::command::WatchSpan;
use super::event::{Transition, TransitionKind};
use super::record::{Cause, ConnectionRecord, LifecycleEvent, named};
use super::status::{Status, overdue_at, status};
use crate::satellite::{Epoch, Liveness, Name, OwnThreshold, PodName, SatelliteId, SessionId};
use crate::time::{Millis, Timestamp};

pub use rule::Rule;
pub use words::Words;

/// What an explanation is made of, read at about the same time.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whose.
    pub satellite: SatelliteId,
    /// Its name.
    pub name: &'a Name,
    /// False: it is refused until it is enabled (rule T8).
    pub enabled: bool,
    /// What its agent last said that it is.
    pub agent_version: Option<&'a str>,
    /// Its connection.
    pub record: &'a ConnectionRecord,
    /// Its own threshold.
    pub own_threshold: Option<OwnThreshold>,
    /// The fleet's settings.
    pub liveness: Liveness,
    /// How long a received heartbeat may need to be stored.
    pub settle: Millis,
    /// The present span of watching, or the last one.
    pub watch: Option<WatchSpan>,
    /// Its latest transitions, newest first.
    pub transitions: &'a [Transition],
    /// The clock of the pod that explains.
    pub clock: ClockReading,
    /// Store time.
    pub now: Timestamp,
}

/// How far a pod's idea of the time can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The error of store time on that pod.
    pub error: Millis,
    /// By how many milliseconds the machine's wall clock is ahead of store time, negative where it
    /// is behind; none where that is not known. It plays no part in any rule (property P11).
    pub wall_ahead: Option<i64>,
}

/// Why a satellite is online or offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whose.
    pub satellite: SatelliteId,
    /// Its name.
    pub name: Name,
    /// Store time at which all of this was so.
    pub at: Timestamp,
    /// Online or offline.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// The rule that makes it so.
    pub rule: Rule,
    /// Whether it may connect.
    pub enabled: bool,
    /// How often it shall be heard.
    pub heartbeat_interval: Millis,
    /// How long silence may last, …
    pub threshold: Millis,
    /// … and whether that is the satellite's own setting.
    pub threshold_is_own: bool,
    /// How long a received heartbeat may need to be stored.
    pub settle: Millis,
    /// The last heartbeat; none after a clean end (rule S5).
    pub heartbeat: Option<HeartbeatAge>,
    /// The last session; none before the first.
    pub session: Option<SessionFacts>,
    /// The latest edges, newest first.
    pub edges: Vec<ExplainedEdge>,
    /// What would change the status or be recorded next.
    pub outlook: Vec<Outlook>,
    /// Whether anybody is listening for silence.
    pub watch: Option<WatchSpan>,
    /// The clock of the pod that explained.
    pub clock: ClockReading,
}

/// Why a satellite is online or offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Connected, and heard within its threshold.
    Heard,
    /// Connected, but silent for longer than its threshold; the loss is not recorded yet.
    Silent,
    /// The loss of its heartbeat is recorded.
    Lost,
    /// Its session ended.
    Ended,
    /// Its session was ended, because its credential was.
    Revoked,
    /// An operator disabled it.
    Disabled,
    /// It never connected.
    NeverConnected,
    /// A newer version recorded an edge that this one does not know.
    Unknown,
}

named!(Reason {
    Heard => "heard",
    Silent => "silent",
    Lost => "lost",
    Ended => "ended",
    Revoked => "revoked",
    Disabled => "disabled",
    NeverConnected => "never_connected",
    Unknown => "unknown",
});

/// A heartbeat, and how old it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatAge {
    /// When it was received.
    pub at: Timestamp,
    /// How long ago that is.
    pub age: Millis,
    /// Whether that is within the threshold.
    pub within: bool,
}

/// What is known of a satellite's last session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFacts {
    /// Its number.
    pub epoch: Epoch,
    /// Its id; none where it is not recorded.
    pub id: Option<SessionId>,
    /// Whether its end is recorded.
    pub ended: bool,
    /// When it authenticated; none where that is older than the transitions that were read.
    pub since: Option<Timestamp>,
    /// The pod that accepted it.
    pub pod: Option<PodName>,
    /// Where it came from, as that pod saw it.
    pub remote_address: Option<String>,
    /// What its agent said that it is.
    pub agent_version: Option<String>,
    /// Whether it took over from a session that still counted as connected.
    pub took_over: bool,
}

/// A recorded edge with the rule that recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedEdge {
    /// What was recorded.
    pub transition: Transition,
    /// By which rule.
    pub rule: Rule,
}

/// Something that would change the status, or that will be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Without another heartbeat it counts as offline after this (rule S1).
    OfflineAfter(Timestamp),
    /// Without another heartbeat its loss is recorded after this (rule T5).
    LossAfter(Timestamp),
    /// No loss is recorded, because nobody watches; that begins with the next lease (rule T5).
    NobodyWatches,
    /// A heartbeat on the session that it has brings it back (rules S1, T2).
    HeartbeatKeeps,
    /// A heartbeat on the session that it had brings it back (rule T3).
    HeartbeatResumes,
    /// A new connection of its agent brings it back (rule T1).
    ConnectBrings,
    /// It is refused until an operator enables it (rule T8).
    EnableAllows,
}

impl Outlook {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OfflineAfter(_) => "offline_after",
            Self::LossAfter(_) => "loss_after",
            Self::NobodyWatches => "nobody_watches",
            Self::HeartbeatKeeps => "heartbeat_keeps",
            Self::HeartbeatResumes => "heartbeat_resumes",
            Self::ConnectBrings => "connect_brings",
            Self::EnableAllows => "enable_allows",
        }
    }

    /// When, where it is a matter of time.
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::OfflineAfter(at) | Self::LossAfter(at) => Some(at),
            Self::NobodyWatches
            | Self::HeartbeatKeeps
            | Self::HeartbeatResumes
            | Self::ConnectBrings
            | Self::EnableAllows => None,
        }
    }

    /// The rule by which it would.
    pub const fn rule(self) -> Rule {
        match self {
            Self::OfflineAfter(_) => Rule::S1,
            Self::LossAfter(_) | Self::NobodyWatches => Rule::T5,
            Self::HeartbeatKeeps => Rule::T2,
            Self::HeartbeatResumes => Rule::T3,
            Self::ConnectBrings => Rule::T1,
            Self::EnableAllows => Rule::T8,
        }
    }
}

/// Why the satellite of `facts` is what it is.
pub fn explain(facts: &Facts<'_>) -> Explanation {
    let threshold = facts.liveness.threshold(facts.own_threshold);
    let status = status(facts.record, threshold, facts.now);
    let reason = reason(facts, status);
    Explanation {
        satellite: facts.satellite,
        name: facts.name.clone(),
        at: facts.now,
        status,
        reason,
        rule: Rule::behind(reason),
        enabled: facts.enabled,
        heartbeat_interval: facts.liveness.heartbeat_interval,
        threshold,
        threshold_is_own: facts.own_threshold.is_some(),
        settle: facts.settle,
        heartbeat: facts.record.last_heartbeat_at.map(|at| {
            let age = facts.now.since(at);
            HeartbeatAge { at, age, within: age <= threshold }
        }),
        session: session(facts),
        edges: facts.transitions.iter().map(explained).collect(),
        outlook: outlook(facts, reason, threshold),
        watch: facts.watch,
        clock: facts.clock,
    }
}

fn reason(facts: &Facts<'_>, status: Status) -> Reason {
    let record = facts.record;
    match (status, record.last_event) {
        (Status::Online, _) => Reason::Heard,
        (Status::Offline, _) if !facts.enabled => Reason::Disabled,
        (Status::Offline, None) if record.seq.0 == 0 => Reason::NeverConnected,
        (Status::Offline, None) => Reason::Unknown,
        (Status::Offline, Some(LifecycleEvent::Connected)) => Reason::Silent,
        (Status::Offline, Some(LifecycleEvent::HeartbeatLost)) => Reason::Lost,
        (Status::Offline, Some(LifecycleEvent::Disconnected)) => match record.last_cause {
            Some(Cause::Revoked) => Reason::Revoked,
            _ => Reason::Ended,
        },
    }
}

fn session(facts: &Facts<'_>) -> Option<SessionFacts> {
    let record = facts.record;
    if record.epoch.0 == 0 {
        return None;
    }
    let began = facts.transitions.iter().find(|transition| {
        transition.epoch == record.epoch
            && matches!(transition.cause, Some(Cause::Authenticated | Cause::TookOver))
    });
    Some(SessionFacts {
        epoch: record.epoch,
        id: record.session,
        ended: record.last_event == Some(LifecycleEvent::Disconnected),
        since: began.map(|edge| edge.occurred_at),
        pod: began.map(|edge| edge.pod.clone()),
        remote_address: began.and_then(|edge| edge.remote_address.clone()),
        agent_version: facts.agent_version.map(str::to_owned),
        took_over: began.is_some_and(|edge| edge.cause == Some(Cause::TookOver)),
    })
}

fn explained(transition: &Transition) -> ExplainedEdge {
    let rule = match (transition.kind, transition.cause) {
        (None, _) => Rule::E4,
        (Some(TransitionKind::Removed), _) => Rule::T7,
        (Some(TransitionKind::Edge(edge)), cause) => Rule::recording(edge, cause),
    };
    ExplainedEdge { transition: transition.clone(), rule }
}

fn outlook(facts: &Facts<'_>, reason: Reason, threshold: Millis) -> Vec<Outlook> {
    match reason {
        Reason::Heard | Reason::Silent => {
            let mut found = Vec::new();
            if let Some(heard) = facts.record.last_heartbeat_at {
                if reason == Reason::Heard {
                    found.push(Outlook::OfflineAfter(heard + threshold));
                }
                found.push(match facts.watch.filter(|watch| watch.is_alive(facts.now)) {
                    Some(watch) => {
                        let after = overdue_at(heard, watch.since, threshold, facts.settle);
                        Outlook::LossAfter(after)
                    }
                    None => Outlook::NobodyWatches,
                });
            }
            found.push(Outlook::HeartbeatKeeps);
            if reason == Reason::Silent {
                found.push(Outlook::ConnectBrings);
            }
            found
        }
        Reason::Lost => vec![Outlook::HeartbeatResumes, Outlook::ConnectBrings],
        Reason::Disabled => vec![Outlook::EnableAllows],
        Reason::Ended | Reason::Revoked | Reason::NeverConnected | Reason::Unknown => {
            vec![Outlook::ConnectBrings]
        }
    }
}

#[cfg(test)]
mod tests;

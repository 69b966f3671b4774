//! Why a satellite is what it is, as data and in the core's own sentences.

use groundcontrol_core::connection as core;
use groundcontrol_core::connection::WatchSpan;
use groundcontrol_core::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::connection::Transition;
use super::word::{Instant, Reason, RuleNumber, Status};

/// Why a satellite is online or offline, and what would change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Whose.
    pub satellite_id: Uuid,
    /// Its name.
    pub name: String,
    /// When all of this was so.
    pub at: Instant,
    /// Online or offline.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// The rule that makes it so.
    pub rule: RuleNumber,
    /// What it is, and why, in a sentence.
    pub summary: String,
    /// What that follows from, in sentences.
    pub because: Vec<String>,
    /// What to look at or do now, in sentences; empty where all is well.
    pub advice: Vec<String>,
    /// What would change it.
    pub outlook: Vec<Outlook>,
    /// False: it is refused until it is enabled.
    pub enabled: bool,
    /// How often it shall be heard, in milliseconds.
    pub heartbeat_interval_ms: u64,
    /// How long silence may last, in milliseconds.
    pub threshold_ms: u64,
    /// Whether that is the satellite's own setting, or else the fleet's default.
    pub threshold_is_own: bool,
    /// How long a received heartbeat may need to be stored, in milliseconds.
    pub settle_ms: u64,
    /// The last heartbeat; absent after a clean end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub heartbeat: Option<HeartbeatAge>,
    /// The last session; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub session: Option<SessionFacts>,
    /// The latest edges, newest first.
    pub edges: Vec<ExplainedEdge>,
    /// Whether anybody listens for silence; absent before anybody ever did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub watching: Option<Watching>,
    /// The clock of the pod that answers.
    pub clock: ClockReading,
}

/// A heartbeat, and how old it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatAge {
    /// When it was received.
    pub at: Instant,
    /// How many milliseconds ago that is.
    pub age_ms: u64,
    /// Whether that is within the threshold.
    pub within_threshold: bool,
}

/// What is known of a satellite's last session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionFacts {
    /// Its number.
    pub epoch: u64,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<Uuid>,
    /// Whether its end is recorded.
    pub ended: bool,
    /// Whether it took over from a session that still counted as connected.
    pub took_over: bool,
    /// When it authenticated; absent where that is too long ago, as are pod and address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub since: Option<Instant>,
    /// The pod that accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pod: Option<String>,
    /// Where it came from, as that pod saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub remote_address: Option<String>,
    /// What its agent says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub agent_version: Option<String>,
}

/// A recorded edge with the rule that recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedEdge {
    /// By which rule it was recorded.
    pub rule: RuleNumber,
    /// What was recorded.
    pub transition: Transition,
}

/// What would change the status, or will be recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// What it is: `offline_after`, `loss_after`, `nobody_watches`, `heartbeat_keeps`,
    /// `heartbeat_resumes`, `connect_brings` or `enable_allows`.
    pub kind: String,
    /// By which rule.
    pub rule: RuleNumber,
    /// When, where it is a matter of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub at: Option<Instant>,
    /// The same in a sentence.
    pub sentence: String,
}

/// The span in which silences could be noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Watching {
    /// Since when without a gap.
    pub since: Instant,
    /// When the last lease of it ends.
    pub until: Instant,
    /// Whether it goes on.
    pub alive: bool,
}

/// How far the answering pod's idea of the time can be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClockReading {
    /// The error of store time on that pod, in milliseconds.
    pub error_ms: u64,
    /// By how many milliseconds its machine's wall clock is ahead of store time; negative where
    /// it is behind. It plays no part in any rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub wall_ahead_ms: Option<i64>,
}

impl From<&core::Explanation> for Explanation {
    fn from(explanation: &core::Explanation) -> Self {
        let core::Words { summary, because, outlook, advice } = explanation.words();
        let outlook = explanation.outlook.iter().zip(outlook);
        Self {
            satellite_id: explanation.satellite.0,
            name: explanation.name.to_string(),
            at: Instant(explanation.at),
            status: Status(explanation.status),
            reason: Reason(explanation.reason),
            rule: RuleNumber(explanation.rule),
            summary,
            because,
            advice,
            outlook: outlook.map(|(outlook, sentence)| of_outlook(*outlook, sentence)).collect(),
            enabled: explanation.enabled,
            heartbeat_interval_ms: explanation.heartbeat_interval.get(),
            threshold_ms: explanation.threshold.get(),
            threshold_is_own: explanation.threshold_is_own,
            settle_ms: explanation.settle.get(),
            heartbeat: explanation.heartbeat.map(Into::into),
            session: explanation.session.as_ref().map(Into::into),
            edges: explanation.edges.iter().map(Into::into).collect(),
            watching: explanation.watch.map(|watch| watching(watch, explanation.at)),
            clock: explanation.clock.into(),
        }
    }
}

fn of_outlook(outlook: core::Outlook, sentence: String) -> Outlook {
    let kind = outlook.name().to_owned();
    Outlook { kind, rule: RuleNumber(outlook.rule()), at: outlook.at().map(Instant), sentence }
}

fn watching(watch: WatchSpan, now: Timestamp) -> Watching {
    let alive = watch.is_alive(now);
    Watching { since: Instant(watch.since), until: Instant(watch.until), alive }
}

impl From<core::HeartbeatAge> for HeartbeatAge {
    fn from(heard: core::HeartbeatAge) -> Self {
        Self { at: Instant(heard.at), age_ms: heard.age.get(), within_threshold: heard.within }
    }
}

impl From<&core::SessionFacts> for SessionFacts {
    fn from(session: &core::SessionFacts) -> Self {
        Self {
            epoch: session.epoch.0,
            id: session.id.map(|id| id.0),
            ended: session.ended,
            took_over: session.took_over,
            since: session.since.map(Instant),
            pod: session.pod.as_ref().map(ToString::to_string),
            remote_address: session.remote_address.clone(),
            agent_version: session.agent_version.clone(),
        }
    }
}

impl From<&core::ExplainedEdge> for ExplainedEdge {
    fn from(edge: &core::ExplainedEdge) -> Self {
        Self { rule: RuleNumber(edge.rule), transition: (&edge.transition).into() }
    }
}

impl From<core::ClockReading> for ClockReading {
    fn from(clock: core::ClockReading) -> Self {
        Self { error_ms: Millis::get(clock.error), wall_ahead_ms: clock.wall_ahead }
    }
}

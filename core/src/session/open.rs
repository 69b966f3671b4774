//! A socket whose satellite is authenticated.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::ending::Ending;
use super::input::{Dropped, Effect, Input, Violation};
use super::machine::{Next, end, stay};
use super::message::{Message, Reply, RunResult};
use super::settings::SessionSettings;
use crate::ports::{Beat, Order, SessionRef, Welcome};
use crate::satellite::ReportedAgent;
use crate::time::{Millis, Timestamp};

const NOT_ASSIGNED: &str = "not in this satellite's assignments";

/// What is remembered of an authenticated socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) session: SessionRef,
    idle_limit: Millis,
    heard_at: Timestamp,
    ping_at: Timestamp,
    version: Option<Fingerprint>,
    capabilities: Option<Fingerprint>,
}

/// Stands for what a satellite said of itself, so that a repetition is noticed without keeping
/// the text for every socket. Two different texts share one with a chance of 2⁻⁶⁴, and then a
/// version stays unnoticed until it next changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    pub(super) fn of<T: Hash + ?Sized>(said: &T) -> Self {
        let mut hasher = DefaultHasher::new();
        said.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl Open {
    pub(super) fn new(
        settings: &SessionSettings,
        now: Timestamp,
        welcome: &Welcome,
        capabilities: Option<Fingerprint>,
    ) -> Self {
        Self {
            session: welcome.session,
            idle_limit: settings.idle_limit(welcome.threshold),
            heard_at: now,
            ping_at: now + settings.ping_interval,
            version: None,
            capabilities,
        }
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.ping_at.min(self.idle_at())
    }

    pub(super) fn step(
        &mut self,
        settings: &SessionSettings,
        now: Timestamp,
        input: Input<'_>,
    ) -> (Effect, Next) {
        match input {
            Input::Received { .. } | Input::Control => {
                self.heard_at = now;
                stay(Effect::Nothing)
            }
            Input::Message(message) => {
                self.heard_at = now;
                stay(self.message(message))
            }
            Input::Unreadable(why) => {
                self.heard_at = now;
                stay(Effect::Drop(Dropped::Unreadable(why)))
            }
            Input::Violation(violation) => self.end(violation.ending()),
            Input::PeerClosed => self.end(Ending::PeerClosed),
            Input::TransportLost => self.end(Ending::TransportLost),
            Input::OutgoingFull => self.end(Ending::SlowConsumer),
            Input::Order(Order::Fenced(fence)) => self.end(Ending::Fenced(fence)),
            Input::Order(Order::Shutdown { reason }) => self.end(Ending::Shutdown { reason }),
            Input::Order(Order::Drain) => self.end(Ending::Drained),
            Input::Order(Order::Threshold(threshold)) => {
                self.idle_limit = settings.idle_limit(threshold);
                stay(Effect::Nothing)
            }
            Input::Tick => self.tick(settings, now),
            Input::Answered(_) | Input::Evicted => stay(Effect::Nothing),
        }
    }

    fn end(&self, ending: Ending) -> (Effect, Next) {
        end(ending, Some(self.session))
    }

    fn idle_at(&self) -> Timestamp {
        self.heard_at + self.idle_limit
    }

    fn tick(&mut self, settings: &SessionSettings, now: Timestamp) -> (Effect, Next) {
        if now >= self.idle_at() {
            return self.end(Ending::Idle);
        }
        if now < self.ping_at {
            return stay(Effect::Nothing);
        }
        self.ping_at = now + settings.ping_interval;
        stay(Effect::Ping)
    }

    fn message(&mut self, message: Message<'_>) -> Effect {
        match message {
            Message::Authenticate { .. } => Effect::Drop(Dropped::Repeated),
            Message::Heartbeat { version, capabilities } => {
                Effect::Heartbeat(self.session, self.beat(&version, capabilities.as_deref()))
            }
            Message::Result(result) => refuse(result),
            Message::StrategyError { .. }
            | Message::ScriptPackageSyncState { .. }
            | Message::RequestScriptPackageManifest { .. }
            | Message::RequestScriptPackageBlob { .. }
            | Message::RequestRunSecrets { .. }
            | Message::RequestConfigSecrets { .. }
            | Message::TelemetryBatch { .. }
            | Message::CapabilityStatus { .. }
            | Message::CapabilitySecretRequest { .. }
            | Message::ConfigApplied { .. } => match message.unserved() {
                Some(reply) => Effect::Reply(reply),
                None => Effect::Drop(Dropped::Unserved),
            },
        }
    }

    /// What is new in a heartbeat, cut to its limits. Nothing is allocated when nothing is.
    fn beat(&mut self, version: &str, capabilities: Option<&[String]>) -> Beat {
        let version = news(&mut self.version, Some(version));
        let capabilities = news(&mut self.capabilities, capabilities);
        let report = ReportedAgent::default().updated(version, capabilities);
        Beat {
            version: report.version,
            capabilities: capabilities.is_some().then_some(report.capabilities),
        }
    }
}

/// `said` if it is present and differs from what was said before.
fn news<'a, T: Hash + ?Sized>(
    before: &mut Option<Fingerprint>,
    said: Option<&'a T>,
) -> Option<&'a T> {
    let said = said?;
    let now = Some(Fingerprint::of(said));
    if *before == now {
        return None;
    }
    *before = now;
    Some(said)
}

/// A result counts only for a pair in the satellite's assignments, of which it has none.
fn refuse(result: RunResult<'_>) -> Effect {
    Effect::RefuseResult(result.result_id.map(|id| Reply::ResultAck {
        result_id: id.into_owned(),
        accepted: false,
        reason: Some(NOT_ASSIGNED),
    }))
}

impl Violation {
    pub(super) const fn ending(self) -> Ending {
        match self {
            Self::TooLarge => Ending::TooLarge,
            Self::Binary => Ending::Binary,
            Self::NotUtf8 => Ending::NotUtf8,
            Self::BadFrame => Ending::BadFrame,
        }
    }
}

//! A socket whose satellite is authenticated.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::ending::Ending;
use super::input::{Dropped, Effect, Input, Violation};
use super::machine::{Next, end, stay};
use super::message::{Message, Reply};
use super::report::{self, Refused};
use super::request::{Answer, NotTaken, Request, Requests, ScriptPackageSyncState};
use super::settings::SessionSettings;
use crate::assignment::{Configuration, Revision};
use crate::ports::{Beat, Order, SessionRef, Welcome};
use crate::satellite::ReportedAgent;
use crate::time::{Millis, Timestamp};

/// What is remembered of an authenticated socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) session: SessionRef,
    /// What the satellite was told to run, and so which results count.
    configuration: Option<Arc<Configuration>>,
    idle_limit: Millis,
    heard_at: Timestamp,
    ping_at: Timestamp,
    version: Option<Fingerprint>,
    capabilities: Option<Fingerprint>,
    /// None while there are none, as most of the time.
    requests: Option<Box<Requests>>,
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
            configuration: welcome.configured.as_ref().map(|told| told.configuration.clone()),
            idle_limit: settings.idle_limit(welcome.threshold),
            heard_at: now,
            ping_at: now + settings.ping_interval,
            version: None,
            capabilities,
            requests: None,
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
            Input::Order(Order::Configure(configured)) => {
                self.configuration = Some(configured.configuration.clone());
                stay(Effect::Reply(Reply::ConfigUpdated(configured)))
            }
            Input::Order(Order::RefreshPackages(lockfile)) => {
                stay(Effect::Reply(Reply::RefreshPackages(lockfile)))
            }
            Input::Order(Order::SandboxPolicy(policy)) => {
                stay(Effect::Reply(Reply::SandboxPolicy(policy)))
            }
            Input::Order(Order::Acknowledge(acks)) => stay(Effect::Acknowledge(acks)),
            Input::Order(Order::Answer(answer)) => stay(self.answer(*answer)),
            Input::Room => stay(self.next_request()),
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
            Message::Result(result) => {
                match report::judged(self.configuration.as_deref(), result) {
                    Ok(run) => Effect::Reported(self.session, Box::new(run)),
                    Err(refused) => refuse(refused),
                }
            }
            Message::StrategyError { strategy_id, message } => {
                let said = (report::named(&strategy_id), report::said(&message));
                Effect::LacksStrategy(self.session, Box::new(said))
            }
            Message::ConfigApplied { revision } => {
                Effect::Applied(self.session, Revision(revision))
            }
            Message::ScriptPackageSyncState(state) => {
                Effect::PackagesSynced(self.session, Box::new(cut(state)))
            }
            Message::RequestScriptPackageManifest { .. }
            | Message::RequestScriptPackageBlob { .. }
            | Message::RequestRunSecrets { .. }
            | Message::RequestConfigSecrets { .. }
            | Message::TelemetryBatch { .. }
            | Message::CapabilityStatus { .. }
            | Message::CapabilitySecretRequest { .. } => match Request::of(message) {
                Ok(request) => self.request(request),
                Err(message) => match message.unserved() {
                    Some(reply) => Effect::Reply(reply),
                    None => Effect::Drop(Dropped::Unserved),
                },
            },
        }
    }

    /// Lets a request wait until there is room for its answer.
    fn request(&mut self, request: Request) -> Effect {
        let taken = self.requests.get_or_insert_default().push(request);
        self.forget_idle_requests();
        match taken {
            Ok(()) => Effect::Nothing,
            Err(NotTaken::TooLong) => Effect::Drop(Dropped::TooLong),
            Err(NotTaken::Busy(Answer::Nothing { .. })) => Effect::Drop(Dropped::Busy),
            Err(NotTaken::Busy(answer)) => Effect::Reply(Reply::Answer(answer)),
        }
    }

    pub(super) fn has_request(&self) -> bool {
        self.requests.as_ref().is_some_and(|requests| requests.has_next())
    }

    fn next_request(&mut self) -> Effect {
        match self.requests.as_mut().and_then(|requests| requests.next()) {
            Some(request) => Effect::Request(self.session, Box::new(request)),
            None => Effect::Nothing,
        }
    }

    fn answer(&mut self, answer: Answer) -> Effect {
        if let Some(requests) = &mut self.requests {
            requests.answered(&answer);
        }
        self.forget_idle_requests();
        match answer {
            Answer::Nothing { .. } => Effect::Nothing,
            answer => Effect::Reply(Reply::Answer(answer)),
        }
    }

    fn forget_idle_requests(&mut self) {
        if self.requests.as_ref().is_some_and(|requests| requests.is_idle()) {
            self.requests = None;
        }
    }

    #[cfg(test)]
    pub(super) fn request_counts(&self) -> (usize, usize) {
        self.requests.as_ref().map_or((0, 0), |requests| requests.counts())
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

fn cut(state: ScriptPackageSyncState) -> ScriptPackageSyncState {
    ScriptPackageSyncState {
        lockfile_hash: state.lockfile_hash.as_deref().map(report::named),
        status: state.status,
        error_message: state.error_message.as_deref().map(report::said),
    }
}

fn refuse(Refused { result_id, reason }: Refused) -> Effect {
    Effect::RefuseResult(result_id.map(|result_id| Reply::ResultAck {
        result_id,
        accepted: false,
        reason: Some(reason),
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

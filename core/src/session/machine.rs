//! The machine: what a socket is waiting for, and what each input does to it.

use super::budget::Budget;
use super::ending::{End, Ending};
use super::input::{Credentials, Dropped, Effect, Input};
use super::message::Message;
use super::open::{Fingerprint, Open};
use super::settings::SessionSettings;
use crate::assignment::{Configured, Json};
use crate::packages::LockfileHash;
use crate::ports::{Authentication, Order, SessionRef, Welcome};
use crate::time::{Millis, Timestamp};

/// One socket, from the upgrade to its end.
///
/// ```
/// use groundcontrol_core::session::*;
/// use groundcontrol_core::time::{Millis, Timestamp};
/// let settings = SessionSettings::default();
/// let start = Timestamp::from_millis(0);
/// let mut session = Session::new(&settings, start);
/// assert_eq!(session.deadline(), Some(start + Millis::from_secs(10)));
/// let first = Input::Unreadable(Unreadable::Malformed);
/// let Effect::End(end) = session.step(&settings, start, first) else {
///     panic!("something else than authenticate came first");
/// };
/// assert_eq!(end.ending.close_code(), Some(CloseCode(4401)));
/// assert_eq!(end.closed, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    state: State,
    budget: Budget,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// For `authenticate`, until this moment.
    Waiting { until: Timestamp },
    /// For the gateway's answer. What was ordered meanwhile is newer than what is in the answer.
    Authenticating { ordered: Box<Ordered>, capabilities: Option<Fingerprint> },
    /// For the gateway's answer, although the socket is to end: only then is it known whether
    /// there is a session to record as closed.
    Abandoned { ending: Ending },
    /// For messages of an authenticated satellite.
    Open(Open),
    /// For nothing.
    Ended,
}

impl Session {
    /// A socket right after the upgrade.
    pub fn new(settings: &SessionSettings, now: Timestamp) -> Self {
        let until = now + settings.authenticate_within;
        Self { state: State::Waiting { until }, budget: Budget::full(now) }
    }

    /// Takes what happened at `now` and says what must be done.
    pub fn step(&mut self, settings: &SessionSettings, now: Timestamp, input: Input<'_>) -> Effect {
        self.charge(settings, now, &input);
        let (effect, next) = match &mut self.state {
            State::Waiting { until } => waiting(now, *until, input),
            State::Authenticating { ordered, capabilities } => {
                let open = |welcome: &Welcome| Open::new(settings, now, welcome, *capabilities);
                authenticating(ordered, input, open)
            }
            State::Abandoned { ending } => abandoned(*ending, input),
            State::Open(open) => open.step(settings, now, input),
            State::Ended => ended(input),
        };
        match next {
            Next::Stay => {}
            Next::Become(state) => self.state = state,
        }
        effect
    }

    /// When an [`Input::Tick`] is due; none: no time limit applies. A step may move it.
    pub fn deadline(&self) -> Option<Timestamp> {
        match &self.state {
            State::Waiting { until } => Some(*until),
            State::Open(open) => Some(open.deadline()),
            State::Authenticating { .. } | State::Abandoned { .. } | State::Ended => None,
        }
    }

    /// Whether the socket may be read now.
    pub fn reading(&self, settings: &SessionSettings, now: Timestamp) -> Reading {
        match &self.state {
            State::Waiting { .. } | State::Open(_) => match self.budget.resumes_at(settings, now) {
                None => Reading::Now,
                Some(at) => Reading::At(at),
            },
            State::Authenticating { .. } | State::Abandoned { .. } | State::Ended => Reading::Not,
        }
    }

    /// Bytes of the largest message that is taken.
    pub const fn message_limit(&self, settings: &SessionSettings) -> usize {
        match &self.state {
            State::Waiting { .. } | State::Authenticating { .. } | State::Abandoned { .. } => {
                settings.max_message_before_auth
            }
            State::Open(_) | State::Ended => settings.max_message,
        }
    }

    /// Whether an [`Input::Room`] is due as soon as nothing waits to be written.
    pub fn has_request(&self) -> bool {
        match &self.state {
            State::Open(open) => open.has_request(),
            State::Waiting { .. }
            | State::Authenticating { .. }
            | State::Abandoned { .. }
            | State::Ended => false,
        }
    }

    /// Whether the socket has said nothing yet.
    pub const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// The session that the socket carries.
    pub const fn session(&self) -> Option<SessionRef> {
        match &self.state {
            State::Open(open) => Some(open.session),
            State::Waiting { .. }
            | State::Authenticating { .. }
            | State::Abandoned { .. }
            | State::Ended => None,
        }
    }

    fn charge(&mut self, settings: &SessionSettings, now: Timestamp, input: &Input<'_>) {
        match input {
            Input::Received { bytes } => self.budget.take_bytes(settings, now, *bytes),
            Input::Message(_) | Input::Unreadable(_) | Input::Control => {
                self.budget.take_message(settings, now);
            }
            Input::Violation(_)
            | Input::PeerClosed
            | Input::TransportLost
            | Input::Answered(_)
            | Input::Order(_)
            | Input::Room
            | Input::OutgoingFull
            | Input::Evicted
            | Input::Tick => {}
        }
    }

    #[cfg(test)]
    pub(super) const fn state(&self) -> &State {
        &self.state
    }
}

/// Whether a socket may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Yes.
    Now,
    /// Not before this moment: it is over its budget.
    At(Timestamp),
    /// Not until something else happened.
    Not,
}

/// What a step does to the state.
#[derive(Debug)]
pub(super) enum Next {
    Stay,
    Become(State),
}

/// An effect that leaves the state as it is.
pub(super) fn stay(effect: Effect) -> (Effect, Next) {
    (effect, Next::Stay)
}

/// The end of a socket that carries `session`.
pub(super) fn end(ending: Ending, session: Option<SessionRef>) -> (Effect, Next) {
    (Effect::End(End::of(ending, session)), Next::Become(State::Ended))
}

fn waiting(now: Timestamp, until: Timestamp, input: Input<'_>) -> (Effect, Next) {
    match input {
        Input::Message(message) => first(message),
        Input::Unreadable(_) => end(Ending::NotAuthenticated, None),
        Input::Violation(violation) => end(violation.ending(), None),
        Input::PeerClosed => end(Ending::PeerClosed, None),
        Input::TransportLost => end(Ending::TransportLost, None),
        Input::OutgoingFull => end(Ending::SlowConsumer, None),
        Input::Evicted => end(Ending::NoAuthenticate, None),
        Input::Tick if now >= until => end(Ending::NoAuthenticate, None),
        Input::Order(Order::Fenced(fence)) => end(Ending::Fenced(fence), None),
        Input::Order(Order::Shutdown { reason }) => end(Ending::Shutdown { reason }, None),
        Input::Order(Order::Drain) => end(Ending::Drained, None),
        Input::Order(
            Order::Threshold(_)
            | Order::Configure(_)
            | Order::RefreshPackages(_)
            | Order::SandboxPolicy(_)
            | Order::Acknowledge(_)
            | Order::Answer(_),
        )
        | Input::Received { .. }
        | Input::Control
        | Input::Room
        | Input::Answered(_)
        | Input::Tick => stay(Effect::Nothing),
    }
}

/// The first message must be `authenticate`.
fn first(message: Message<'_>) -> (Effect, Next) {
    match message {
        Message::Authenticate { client_id, token, capabilities } => {
            let said = capabilities.as_deref().map(Fingerprint::of);
            let credentials = Credentials { client_id, token, capabilities };
            (
                Effect::Authenticate(Box::new(credentials)),
                Next::Become(State::Authenticating { ordered: Box::default(), capabilities: said }),
            )
        }
        Message::Heartbeat { .. }
        | Message::Result(_)
        | Message::StrategyError { .. }
        | Message::ScriptPackageSyncState(_)
        | Message::RequestScriptPackageManifest { .. }
        | Message::RequestScriptPackageBlob { .. }
        | Message::RequestRunSecrets { .. }
        | Message::RequestConfigSecrets { .. }
        | Message::TelemetryBatch { .. }
        | Message::CapabilityStatus { .. }
        | Message::CapabilitySecretRequest { .. }
        | Message::ConfigApplied { .. } => end(Ending::NotAuthenticated, None),
    }
}

/// What was ordered before the answer to `authenticate` came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) threshold: Option<Millis>,
    configured: Option<Configured>,
    packages: Option<LockfileHash>,
    policy: Option<Json>,
}

impl Ordered {
    /// The answer with what is newer.
    fn over(&mut self, welcome: Welcome) -> Welcome {
        let Self { threshold, configured, packages, policy } = std::mem::take(self);
        let mut configured = configured.or(welcome.configured);
        if let (Some(told), Some(lockfile)) = (&mut configured, packages) {
            told.packages = Some(Some(lockfile));
        }
        Welcome {
            threshold: threshold.unwrap_or(welcome.threshold),
            configured,
            sandbox_policy: policy.or(welcome.sandbox_policy),
            ..welcome
        }
    }
}

fn authenticating(
    ordered: &mut Ordered,
    input: Input<'_>,
    open: impl FnOnce(&Welcome) -> Open,
) -> (Effect, Next) {
    let abandon = |ending| (Effect::Nothing, Next::Become(State::Abandoned { ending }));
    match input {
        Input::Answered(Authentication::Accepted(welcome)) => {
            let welcome = ordered.over(welcome);
            let open = open(&welcome);
            (Effect::Welcome(welcome), Next::Become(State::Open(open)))
        }
        Input::Answered(Authentication::Refused { reason }) => {
            end(Ending::Refused { reason }, None)
        }
        Input::Answered(Authentication::Unavailable) => end(Ending::Unavailable, None),
        Input::Answered(Authentication::Fight) => end(Ending::Fight, None),
        Input::Violation(violation) => abandon(violation.ending()),
        Input::PeerClosed => abandon(Ending::PeerClosed),
        Input::TransportLost => abandon(Ending::TransportLost),
        Input::OutgoingFull => abandon(Ending::SlowConsumer),
        Input::Order(Order::Fenced(fence)) => abandon(Ending::Fenced(fence)),
        Input::Order(Order::Shutdown { reason }) => abandon(Ending::Shutdown { reason }),
        Input::Order(Order::Drain) => abandon(Ending::Drained),
        Input::Order(Order::Threshold(threshold)) => {
            ordered.threshold = Some(threshold);
            stay(Effect::Nothing)
        }
        Input::Order(Order::Configure(configured)) => {
            ordered.configured = Some(configured);
            ordered.packages = None;
            stay(Effect::Nothing)
        }
        Input::Order(Order::RefreshPackages(lockfile)) => {
            ordered.packages = Some(lockfile);
            stay(Effect::Nothing)
        }
        Input::Order(Order::SandboxPolicy(policy)) => {
            ordered.policy = Some(policy);
            stay(Effect::Nothing)
        }
        Input::Message(message) => stay(Effect::Drop(early(&message))),
        Input::Unreadable(why) => stay(Effect::Drop(Dropped::Unreadable(why))),
        Input::Order(Order::Acknowledge(_) | Order::Answer(_))
        | Input::Received { .. }
        | Input::Control
        | Input::Room
        | Input::Evicted
        | Input::Tick => stay(Effect::Nothing),
    }
}

fn early(message: &Message<'_>) -> Dropped {
    match message {
        Message::Authenticate { .. } => Dropped::Repeated,
        Message::Heartbeat { .. }
        | Message::Result(_)
        | Message::StrategyError { .. }
        | Message::ScriptPackageSyncState(_)
        | Message::RequestScriptPackageManifest { .. }
        | Message::RequestScriptPackageBlob { .. }
        | Message::RequestRunSecrets { .. }
        | Message::RequestConfigSecrets { .. }
        | Message::TelemetryBatch { .. }
        | Message::CapabilityStatus { .. }
        | Message::CapabilitySecretRequest { .. }
        | Message::ConfigApplied { .. } => Dropped::TooEarly,
    }
}

fn abandoned(ending: Ending, input: Input<'_>) -> (Effect, Next) {
    let fenced = |ending| (Effect::Nothing, Next::Become(State::Abandoned { ending }));
    match input {
        Input::Answered(Authentication::Accepted(welcome)) => end(ending, Some(welcome.session)),
        Input::Answered(
            Authentication::Refused { .. } | Authentication::Unavailable | Authentication::Fight,
        ) => end(ending, None),
        // Whoever orders these has recorded the session's end: this socket must not do it too.
        Input::Order(Order::Fenced(fence)) => fenced(Ending::Fenced(fence)),
        Input::Order(Order::Shutdown { reason }) => fenced(Ending::Shutdown { reason }),
        Input::Order(
            Order::Drain
            | Order::Threshold(_)
            | Order::Configure(_)
            | Order::RefreshPackages(_)
            | Order::SandboxPolicy(_)
            | Order::Acknowledge(_)
            | Order::Answer(_),
        )
        | Input::Received { .. }
        | Input::Message(_)
        | Input::Unreadable(_)
        | Input::Control
        | Input::Room
        | Input::Violation(_)
        | Input::PeerClosed
        | Input::TransportLost
        | Input::OutgoingFull
        | Input::Evicted
        | Input::Tick => stay(Effect::Nothing),
    }
}

fn ended(input: Input<'_>) -> (Effect, Next) {
    match input {
        Input::Received { .. }
        | Input::Message(_)
        | Input::Unreadable(_)
        | Input::Control
        | Input::Violation(_)
        | Input::PeerClosed
        | Input::TransportLost
        | Input::Answered(_)
        | Input::Order(_)
        | Input::Room
        | Input::OutgoingFull
        | Input::Evicted
        | Input::Tick => stay(Effect::Nothing),
    }
}

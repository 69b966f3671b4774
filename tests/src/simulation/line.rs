//! A connection between an agent and a pod.

use std::sync::Arc;

use groundcontrol_core::ports::Welcome;
use groundcontrol_core::satellite::{SatelliteId, Token};
use groundcontrol_core::session::CloseCode;
use groundcontrol_core::time::Millis;

use super::dice::Dice;
use super::pipe::Pipe;

/// What an agent sends.
pub(super) enum ToPod {
    /// Who it is.
    Authenticate(SatelliteId, Token),
    /// That it is alive.
    Heartbeat,
    /// The answer to a ping.
    Pong,
    /// A close frame.
    Close,
    /// Nothing more: the connection was reset.
    Reset,
}

/// What a pod sends.
pub(super) enum ToAgent {
    /// The agent is authenticated.
    Authenticated(Welcome),
    /// It is refused.
    AuthFailed,
    /// It must stop.
    Shutdown,
    /// It is asked for a pong.
    Ping,
    /// A close frame; none: the agent's own, echoed.
    Close(Option<CloseCode>),
    /// Nothing more: the connection was reset.
    Reset,
}

/// A connection: both ends hold it.
pub(super) struct Line {
    /// From the agent to the pod.
    pub up: Pipe<ToPod>,
    /// From the pod to the agent.
    pub down: Pipe<ToAgent>,
    delay: Millis,
    dice: Arc<Dice>,
}

impl Line {
    /// A connection on which a message takes up to `delay`.
    pub(super) fn new(delay: Millis, dice: Arc<Dice>) -> Arc<Self> {
        Arc::new(Self { up: Pipe::in_order(), down: Pipe::in_order(), delay, dice })
    }

    /// The agent sends `message`.
    pub(super) fn to_pod(&self, message: ToPod) {
        self.up.send(message, self.late());
    }

    /// The pod sends `message`.
    pub(super) fn to_agent(&self, message: ToAgent) {
        self.down.send(message, self.late());
    }

    /// The connection breaks, and both ends learn of it.
    pub(super) fn reset(&self) {
        self.to_pod(ToPod::Reset);
        self.to_agent(ToAgent::Reset);
    }

    /// The connection is dead, in both directions or in the one to the agent, and nobody is told.
    pub(super) fn die(&self, both: bool) {
        self.down.die();
        if both {
            self.up.die();
        }
    }

    /// Nothing arrives for `span`.
    pub(super) fn hold(&self, span: Millis) {
        self.up.hold(span);
        self.down.hold(span);
    }

    fn late(&self) -> Millis {
        match self.delay.get() {
            0 => Millis::ZERO,
            most => self.dice.span(0..=most),
        }
    }
}

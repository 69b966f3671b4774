//! What the satellites' sockets ask of Ground Control, and the way back to one socket.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

use crate::assignment::{Configured, Json, Revision};
use crate::connection::{CloseReason, Fence};
use crate::packages::LockfileHash;
use crate::run::ReportedRun;
use crate::satellite::{Epoch, SatelliteId, SessionId, Token};
use crate::session::{Answer, Request, ScriptPackageSyncState};
use crate::time::Millis;

/// Implemented by the app, called by the adapter that holds the sockets.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SatelliteGateway: Send + Sync {
    /// Checks a credential and records the session (rule T1). When it answers
    /// [`Authentication::Accepted`], the session is durable and `outbox` is how it is reached.
    async fn authenticate(&self, attempt: Attempt) -> Authentication;

    /// Takes a heartbeat of a session, to be stored soon. Never waits.
    fn heartbeat(&self, session: SessionRef, beat: Beat);

    /// Records how a session's socket ended (rule T4) and forgets its outbox. Waits until that
    /// is stored, or given up because the pod is stopping.
    async fn closed(&self, session: SessionRef, reason: CloseReason);

    /// A newer session took over from this one although its peer, at this address, was alive: it
    /// answered when it was told so. Happens when two agents use one credential. Never waits.
    fn displaced(&self, session: SessionRef, remote: IpAddr);

    /// The agent runs the configuration of this revision. Never waits. By default nobody wants to
    /// know.
    fn applied(&self, _session: SessionRef, _revision: Revision) {}

    /// The agent reports a run of a pair that it is assigned to. Never waits; what becomes of it
    /// is told by [`Order::Acknowledge`] where the agent wants to be sure. By default it is
    /// dropped without an answer, so that the agent keeps it.
    fn reported(&self, _session: SessionRef, _run: ReportedRun) {}

    /// The agent lacks a strategy, or cannot load it. Never waits. By default nobody wants to know.
    fn lacks_strategy(&self, _session: SessionRef, _strategy: String, _message: String) {}

    /// Where the agent's script packages stand. Never waits. By default nobody wants to know.
    fn packages_synced(&self, _session: SessionRef, _state: ScriptPackageSyncState) {}

    /// The agent asks for something. Never waits. Answers at once, or none and then later, exactly
    /// once, by [`Order::Answer`]: until then the request takes one of few places. By default this
    /// server has nothing that is asked for, and says so.
    fn request(&self, _session: SessionRef, request: Request) -> Option<Answer> {
        Some(request.unserved())
    }
}

/// Somebody who claims to be a satellite.
pub struct Attempt {
    /// The id that it claims, as it came.
    pub client_id: String,
    /// The token that it presents.
    pub token: Token,
    /// The capabilities that it names.
    pub capabilities: Option<Vec<String>>,
    /// Where it comes from.
    pub remote: IpAddr,
    /// The id of its session, drawn by the adapter.
    pub session: SessionId,
    /// How to reach its socket.
    pub outbox: Arc<dyn Outbox>,
}

/// The answer to an [`Attempt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// It is who it says, and its session is recorded.
    Accepted(Welcome),
    /// Refused for good: `auth_failed` with this reason, then close 4401.
    Refused {
        /// The same for an unknown id and a wrong token.
        reason: &'static str,
    },
    /// Cannot serve just now: close 1013, and nothing was recorded.
    Unavailable,
    /// Two agents fight over one credential: close 4429.
    Fight,
}

/// What an accepted satellite is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The session.
    pub session: SessionRef,
    /// How often it shall send heartbeats.
    pub heartbeat_interval: Millis,
    /// The threshold in force, from which its idle limit follows.
    pub threshold: Millis,
    /// What it shall run; none where this server gives no work.
    pub configured: Option<Configured>,
    /// What operators allow its scripts to do.
    pub sandbox_policy: Option<Json>,
}

/// One authenticated session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionRef {
    /// Whose.
    pub satellite: SatelliteId,
    /// Its number.
    pub epoch: Epoch,
    /// Its id.
    pub session: SessionId,
}

/// What a heartbeat said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// The agent's version, where it differs from what this socket said before.
    pub version: Option<String>,
    /// The agent's capabilities, where present and different from before.
    pub capabilities: Option<Vec<String>>,
}

/// The way to one socket.
pub trait Outbox: Send + Sync {
    /// Hands over an order. Never waits: where too many are waiting the socket's reader is too
    /// slow, and the socket ends itself.
    fn deliver(&self, order: Order);
}

/// What a socket shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// End: what the session says no longer counts (close 4409, or 4403 when it is gone).
    Fenced(Fence),
    /// Say `shutdown` with this reason, then close 4403.
    Shutdown {
        /// What the operator did.
        reason: &'static str,
    },
    /// End because this pod is stopping: close 1012.
    Drain,
    /// The satellite's threshold changed, and with it the idle limit.
    Threshold(Millis),
    /// Say `config_updated`: what the satellite shall run from now on.
    Configure(Configured),
    /// Say `refresh_script_packages`: the packages of this lockfile shall be there.
    RefreshPackages(LockfileHash),
    /// Say `sandbox_policy`.
    SandboxPolicy(Json),
    /// Say what became of results that carried an id.
    Acknowledge(Vec<ResultAck>),
    /// Answer a request.
    Answer(Box<Answer>),
}

/// What became of a result that carried an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultAck {
    /// The id.
    pub result_id: String,
    /// Why it is refused for good; none: it is stored.
    pub refused: Option<&'static str>,
}

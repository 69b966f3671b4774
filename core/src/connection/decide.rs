//! The transition rules T1–T6 and T8 as one pure, total function. (T7, removal, ends the record
//! itself: [`Transition::of_removal`](super::Transition::of_removal).)

use super::command::{CloseReason, Command, Context, RevokeScope};
use super::event::Edge;
use super::record::{Cause, ConnectionRecord, LifecycleEvent};
use super::status::is_overdue;
use crate::satellite::{CredentialVersion, Epoch, SessionId, TokenId};
use crate::time::Timestamp;

/// What must happen. The caller does it, or reads again where what was read is no longer so.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Record the edge: write the record and the transition together, if what was read is still
    /// so.
    Record(Change),
    /// Move the heartbeat time, if epoch and last event are still so. No edge (rule T2).
    Beat {
        /// The new heartbeat time, later than the old one.
        heard: Timestamp,
    },
    /// Nothing to do.
    Unchanged(Unchanged),
    /// The caller's session is no longer the current one, or was closed (rule T6).
    Fenced(Fence),
    /// What the caller read has been overtaken: it must begin anew (rule T1).
    Rejected(Rejection),
}

/// An edge and the record after it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The record to write, with its `seq` one higher.
    pub next: ConnectionRecord,
    /// The edge to record with it.
    pub edge: Edge,
}

/// Why there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unchanged {
    /// The session is connected already: the command came twice.
    AlreadyConnected,
    /// The heartbeat is no news.
    StaleHeartbeat,
    /// The pod is stopping and closes the socket itself (rule T4).
    Drained,
    /// No session that this revocation ends.
    NoSession,
    /// The satellite is not overdue, or is recorded as lost or closed already.
    NotOverdue,
}

/// Why a session's words change nothing; the caller closes its socket accordingly (rule T6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fence {
    /// A newer session is the current one.
    Superseded,
    /// The session's close was recorded.
    Closed,
    /// The satellite was removed.
    Gone,
}

/// Why a connect is refused for now; the agent dials again (close 1013).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// Another session came since the credential was read.
    EpochMoved,
    /// The credential changed since it was checked.
    CredentialChanged,
}

/// Decides about `command` on `record`, as both were read with `context`.
///
/// Pure and total: no I/O, no clock, no panic. A decision holds only while what was read is
/// still so; on a conflict the caller reads and decides again.
///
/// ```
/// use groundcontrol_core::connection::*;
/// use groundcontrol_core::satellite::*;
/// use groundcontrol_core::time::{Millis, Timestamp};
/// # use uuid::Uuid;
/// let context = Context {
///     now: Timestamp::from_millis(1_000),
///     threshold: Millis::from_secs(45),
///     settle: Millis::new(250),
///     credential_version: CredentialVersion(1),
///     watch: None,
/// };
/// let connect = Command::Connect {
///     session: SessionId(Uuid::from_u128(1)),
///     token: TokenId(Uuid::from_u128(2)),
///     seen_epoch: Epoch(0),
///     credential_version: CredentialVersion(1),
/// };
/// let Decision::Record(change) = decide(&ConnectionRecord::default(), &connect, &context) else {
///     panic!("a first connect is recorded");
/// };
/// assert_eq!(change.edge, Edge { event: LifecycleEvent::Connected, cause: Cause::Authenticated });
/// assert_eq!(change.next.epoch, Epoch(1));
/// // The same command again does nothing (property P1).
/// let again = decide(&change.next, &connect, &context);
/// assert_eq!(again, Decision::Unchanged(Unchanged::AlreadyConnected));
/// ```
pub fn decide(record: &ConnectionRecord, command: &Command, context: &Context) -> Decision {
    match *command {
        Command::Connect { session, token, seen_epoch, credential_version } => {
            connect(record, context, session, token, seen_epoch, credential_version)
        }
        Command::Heartbeat { epoch, at } => heartbeat(record, context, epoch, at),
        Command::Close { epoch, reason } => close(record, context, epoch, reason),
        Command::Revoke { scope } => revoke(record, context, scope),
        Command::Sweep => sweep(record, context),
    }
}

/// T1.
fn connect(
    record: &ConnectionRecord,
    context: &Context,
    session: SessionId,
    token: TokenId,
    seen_epoch: Epoch,
    credential_version: CredentialVersion,
) -> Decision {
    if record.session == Some(session) {
        return match record.last_event {
            Some(LifecycleEvent::Disconnected) => Decision::Fenced(Fence::Closed),
            Some(LifecycleEvent::Connected | LifecycleEvent::HeartbeatLost) | None => {
                Decision::Unchanged(Unchanged::AlreadyConnected)
            }
        };
    }
    if record.epoch != seen_epoch {
        return Decision::Rejected(Rejection::EpochMoved);
    }
    if context.credential_version != credential_version {
        return Decision::Rejected(Rejection::CredentialChanged);
    }
    let cause = match record.last_event {
        Some(LifecycleEvent::Connected) => Cause::TookOver,
        Some(LifecycleEvent::Disconnected | LifecycleEvent::HeartbeatLost) | None => {
            Cause::Authenticated
        }
    };
    let next = ConnectionRecord {
        epoch: record.epoch.next(),
        session: Some(session),
        token: Some(token),
        last_heartbeat_at: Some(edge_time(record, context)),
        ..record.clone()
    };
    edge(record, context, next, LifecycleEvent::Connected, cause)
}

/// T2, T3.
fn heartbeat(
    record: &ConnectionRecord,
    context: &Context,
    epoch: Epoch,
    at: Timestamp,
) -> Decision {
    let at = at.min(context.now);
    match current(record, epoch) {
        Err(fence) => Decision::Fenced(fence),
        Ok(LifecycleEvent::Connected) => match record.last_heartbeat_at {
            Some(heard) if heard >= at => Decision::Unchanged(Unchanged::StaleHeartbeat),
            Some(_) | None => Decision::Beat { heard: at },
        },
        Ok(LifecycleEvent::HeartbeatLost | LifecycleEvent::Disconnected) => {
            let since_loss = record.last_event_at.is_none_or(|lost| at > lost);
            let fresh = context.now.since(at) <= context.threshold;
            if !(since_loss && fresh) {
                return Decision::Unchanged(Unchanged::StaleHeartbeat);
            }
            let next = ConnectionRecord { last_heartbeat_at: Some(at), ..record.clone() };
            edge(record, context, next, LifecycleEvent::Connected, Cause::HeartbeatResumed)
        }
    }
}

/// T4.
fn close(
    record: &ConnectionRecord,
    context: &Context,
    epoch: Epoch,
    reason: CloseReason,
) -> Decision {
    if let Err(fence) = current(record, epoch) {
        return Decision::Fenced(fence);
    }
    match reason.cause() {
        None => Decision::Unchanged(Unchanged::Drained),
        Some(cause) => disconnect(record, context, cause),
    }
}

/// T8. The change of the credential version itself is part of the same write.
fn revoke(record: &ConnectionRecord, context: &Context, scope: RevokeScope) -> Decision {
    let ends = match scope {
        RevokeScope::AnyToken => true,
        RevokeScope::OnlyToken(token) => record.token == Some(token),
    };
    match record.last_event {
        Some(LifecycleEvent::Connected | LifecycleEvent::HeartbeatLost) if ends => {
            disconnect(record, context, Cause::Revoked)
        }
        Some(
            LifecycleEvent::Connected
            | LifecycleEvent::HeartbeatLost
            | LifecycleEvent::Disconnected,
        )
        | None => Decision::Unchanged(Unchanged::NoSession),
    }
}

/// T5.
fn sweep(record: &ConnectionRecord, context: &Context) -> Decision {
    if !is_overdue(record, context.watch, context.threshold, context.settle, context.now) {
        return Decision::Unchanged(Unchanged::NotOverdue);
    }
    let (event, cause) = (LifecycleEvent::HeartbeatLost, Cause::HeartbeatTimeout);
    edge(record, context, record.clone(), event, cause)
}

/// T6: the last event of the session `epoch`, if it is the current one and still open.
fn current(record: &ConnectionRecord, epoch: Epoch) -> Result<LifecycleEvent, Fence> {
    if record.epoch != epoch {
        return Err(Fence::Superseded);
    }
    match record.last_event {
        Some(event @ (LifecycleEvent::Connected | LifecycleEvent::HeartbeatLost)) => Ok(event),
        Some(LifecycleEvent::Disconnected) | None => Err(Fence::Closed),
    }
}

fn disconnect(record: &ConnectionRecord, context: &Context, cause: Cause) -> Decision {
    let next = ConnectionRecord { last_heartbeat_at: None, ..record.clone() };
    edge(record, context, next, LifecycleEvent::Disconnected, cause)
}

fn edge(
    record: &ConnectionRecord,
    context: &Context,
    next: ConnectionRecord,
    event: LifecycleEvent,
    cause: Cause,
) -> Decision {
    Decision::Record(Change {
        next: ConnectionRecord {
            last_event: Some(event),
            last_event_at: Some(edge_time(record, context)),
            last_cause: Some(cause),
            seq: record.seq.next(),
            ..next
        },
        edge: Edge { event, cause },
    })
}

/// Store time of the write; never before the edge that it follows, which another pod may have
/// stamped up to e ahead (property P11).
fn edge_time(record: &ConnectionRecord, context: &Context) -> Timestamp {
    record.last_event_at.map_or(context.now, |last| last.max(context.now))
}

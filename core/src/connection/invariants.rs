//! What must hold of any record and any history, checked by every proof (R1, R2, P5, P6, P8).

use super::event::{Transition, TransitionKind};
use super::record::{Cause, ConnectionRecord, LifecycleEvent};
use crate::satellite::{Epoch, Seq};

/// A record that breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// Rule R1.
    #[error("R1: last event, epoch, seq and session must be all absent or all present")]
    NeverConnected,
    /// Rule R2.
    #[error(
        "R2: a heartbeat time must be present when connected or lost, absent when disconnected"
    )]
    HeartbeatTime,
}

/// A history that breaks a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryFault {
    /// Property P8.
    #[error("P8: transition {found} follows {previous}")]
    Gap {
        /// The number before.
        previous: Seq,
        /// The number found.
        found: Seq,
    },
    /// Property P5, order of edges.
    #[error("P5: transition {seq} does not follow the grammar of its epoch")]
    Grammar {
        /// The transition at fault.
        seq: Seq,
    },
    /// Property P5, order of epochs.
    #[error("P5: transition {seq} has epoch {found} after {previous}")]
    Epochs {
        /// The transition at fault.
        seq: Seq,
        /// The epoch before.
        previous: Epoch,
        /// The epoch found.
        found: Epoch,
    },
    /// Property P6.
    #[error("P6: folding the history does not give the record")]
    NotTheRecord,
}

/// Rules R1 and R2.
pub fn check_record(record: &ConnectionRecord) -> Result<(), RecordFault> {
    let never = record.last_event.is_none();
    let marks = [
        record.epoch == Epoch(0),
        record.seq == Seq(0),
        record.session.is_none(),
        record.token.is_none(),
        record.last_event_at.is_none(),
        record.last_cause.is_none(),
    ];
    if marks.iter().any(|absent| *absent != never) {
        return Err(RecordFault::NeverConnected);
    }
    let heard = match record.last_event {
        Some(LifecycleEvent::Connected | LifecycleEvent::HeartbeatLost) => true,
        Some(LifecycleEvent::Disconnected) | None => false,
    };
    if heard == record.last_heartbeat_at.is_some() {
        Ok(())
    } else {
        Err(RecordFault::HeartbeatTime)
    }
}

/// Properties P5, P6 and P8 of one satellite's whole history, oldest first, against its record
/// (none once it was removed).
pub fn check_history(
    history: &[Transition],
    record: Option<&ConnectionRecord>,
) -> Result<(), HistoryFault> {
    let mut previous: Option<&Transition> = None;
    for transition in history {
        let before = previous.map_or(Seq(0), |t| t.seq);
        if transition.seq != before.next() {
            return Err(HistoryFault::Gap { previous: before, found: transition.seq });
        }
        follows(previous, transition)?;
        previous = Some(transition);
    }
    let removed = previous.is_some_and(|last| last.kind == Some(TransitionKind::Removed));
    let agrees = match record {
        None => removed || history.is_empty(),
        Some(record) => !removed && is_result_of(record, previous),
    };
    if agrees { Ok(()) } else { Err(HistoryFault::NotTheRecord) }
}

fn follows(previous: Option<&Transition>, this: &Transition) -> Result<(), HistoryFault> {
    use Cause::{Authenticated, HeartbeatResumed, HeartbeatTimeout, TookOver};
    use LifecycleEvent::{Connected, Disconnected, HeartbeatLost};
    use TransitionKind::{Edge, Removed};

    let grammar = Err(HistoryFault::Grammar { seq: this.seq });
    let before = match previous.map(|t| t.kind) {
        None => None,
        Some(Some(Edge(event))) => Some(event),
        Some(Some(Removed) | None) => return grammar,
    };
    let last_epoch = previous.map_or(Epoch(0), |t| t.epoch);
    let (fits, expected_epoch) = match (this.kind, this.cause) {
        (Some(Edge(Connected)), Some(Authenticated)) => {
            (before != Some(Connected), last_epoch.next())
        }
        (Some(Edge(Connected)), Some(TookOver)) => (before == Some(Connected), last_epoch.next()),
        (Some(Edge(Connected)), Some(HeartbeatResumed)) => {
            (before == Some(HeartbeatLost), last_epoch)
        }
        (Some(Edge(HeartbeatLost)), Some(HeartbeatTimeout)) => {
            (before == Some(Connected), last_epoch)
        }
        (Some(Edge(Disconnected)), Some(cause)) => {
            (matches!(before, Some(Connected | HeartbeatLost)) && ends_a_session(cause), last_epoch)
        }
        (Some(Removed), None) => (true, last_epoch),
        _ => (false, last_epoch),
    };
    if !fits {
        return grammar;
    }
    if this.epoch != expected_epoch {
        let (seq, found) = (this.seq, this.epoch);
        return Err(HistoryFault::Epochs { seq, previous: last_epoch, found });
    }
    Ok(())
}

fn ends_a_session(cause: Cause) -> bool {
    match cause {
        Cause::ClientClosed
        | Cause::ConnectionLost
        | Cause::IdleTimeout
        | Cause::ProtocolError
        | Cause::SlowConsumer
        | Cause::Revoked => true,
        Cause::Authenticated
        | Cause::TookOver
        | Cause::HeartbeatResumed
        | Cause::HeartbeatTimeout => false,
    }
}

/// Property P6, heartbeats apart.
fn is_result_of(record: &ConnectionRecord, last: Option<&Transition>) -> bool {
    match last {
        None => *record == ConnectionRecord::default(),
        Some(last) => {
            record.seq == last.seq
                && record.epoch == last.epoch
                && record.session == last.session
                && record.last_event.map(TransitionKind::Edge) == last.kind
                && record.last_event_at == Some(last.occurred_at)
                && record.last_cause == last.cause
        }
    }
}

//! Deliberate bugs in the decisions. Each breaks one clause of one rule, and a suite must catch
//! it; a property that nothing here can break would be no property.

use super::rules::Rules;
use crate::connection::{
    Cause, CloseReason, Command, ConnectionRecord, Context, Decision, LifecycleEvent, RevokeScope,
    Status, Unchanged, WatchSpan, decide, status,
};
use crate::satellite::Seq;
use crate::time::{Millis, Timestamp};

/// The rules with one bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlantedBug {
    /// T4, T6: a close counts whatever its epoch.
    StaleCloseWins,
    /// T6: a heartbeat counts whatever its epoch.
    StaleHeartbeatWins,
    /// T6: a heartbeat reopens a session whose close was recorded.
    ClosedSessionHeard,
    /// T1: `seen_epoch` is not compared, so a Connect whose reply was lost comes back after
    /// another session.
    ConnectAgainWins,
    /// T1: the same session connects again after it was closed.
    ClosedSessionReconnects,
    /// T1: the credential version is not compared.
    CredentialNotCompared,
    /// R1: a connect does not store the token.
    ConnectForgetsToken,
    /// T1: a takeover is recorded as a plain connect.
    TakeoverNotTold,
    /// T2: a late heartbeat is written all the same.
    HeartbeatMovesBack,
    /// T2: a heartbeat from the future is believed.
    HeartbeatAheadOfTime,
    /// T3 is missing: what was lost stays lost.
    NoResume,
    /// T3 without "later than `last_event_at`".
    ResumeByOldHeartbeat,
    /// T3 without "fresh enough to be online".
    ResumeByStaleHeartbeat,
    /// T3: a resumed session gets a new epoch.
    ResumeOpensEpoch,
    /// T4: a pod that stops records the end of its sessions.
    DrainDisconnects,
    /// T4: the heartbeat time survives the end.
    CloseKeepsHeartbeat,
    /// T5: a silence is not seen.
    SilenceOverlooked,
    /// T5: settle is forgotten.
    SweepWithoutSettle,
    /// T5: `watching_since` is forgotten.
    SweepForgetsWatching,
    /// T5: sweeps go on after the lease ended.
    SweepAfterLease,
    /// T5: `≥` for `>`.
    SweepTooEarly,
    /// T5: what is lost is lost again.
    LostTwice,
    /// T5: a loss clears the heartbeat time.
    LossClearsHeartbeat,
    /// T5: what is disconnected can be lost.
    ClosedSessionLost,
    /// T8: the end of one token ends sessions on any.
    RevokeHitsOthers,
    /// T8: the end of a credential leaves its session open.
    RevokeLeavesSession,
    /// T8: a session that is lost at the moment survives the end of its credential.
    RevokeOverlooksLost,
    /// S1: `<` for `≤`.
    OfflineAtThreshold,
    /// S1: status from the heartbeat alone.
    StatusFromHeartbeatAlone,
    /// S1: status from the last event alone.
    StatusFromEventAlone,
    /// P8: an edge does not get a number of its own.
    SeqReused,
    /// P8: a number is left out.
    SeqSkipped,
    /// P6: the record keeps the cause of the edge before.
    CauseNotStored,
    /// Edges are stamped with the writing pod's time, even before the edge that they follow.
    StampsRunBack,
}

impl PlantedBug {
    /// Every bug, in the order of the rules.
    pub const ALL: &'static [Self] = &[
        Self::StaleCloseWins,
        Self::StaleHeartbeatWins,
        Self::ClosedSessionHeard,
        Self::ConnectAgainWins,
        Self::ClosedSessionReconnects,
        Self::CredentialNotCompared,
        Self::ConnectForgetsToken,
        Self::TakeoverNotTold,
        Self::HeartbeatMovesBack,
        Self::HeartbeatAheadOfTime,
        Self::NoResume,
        Self::ResumeByOldHeartbeat,
        Self::ResumeByStaleHeartbeat,
        Self::ResumeOpensEpoch,
        Self::DrainDisconnects,
        Self::CloseKeepsHeartbeat,
        Self::SilenceOverlooked,
        Self::SweepWithoutSettle,
        Self::SweepForgetsWatching,
        Self::SweepAfterLease,
        Self::SweepTooEarly,
        Self::LostTwice,
        Self::LossClearsHeartbeat,
        Self::ClosedSessionLost,
        Self::RevokeHitsOthers,
        Self::RevokeLeavesSession,
        Self::RevokeOverlooksLost,
        Self::OfflineAtThreshold,
        Self::StatusFromHeartbeatAlone,
        Self::StatusFromEventAlone,
        Self::SeqReused,
        Self::SeqSkipped,
        Self::CauseNotStored,
        Self::StampsRunBack,
    ];

    /// The bug in what goes into a decision.
    fn mislead(self, record: &mut ConnectionRecord, command: &mut Command, context: &mut Context) {
        let was = record.last_event;
        match (self, command) {
            (Self::StaleCloseWins, Command::Close { epoch, .. })
            | (Self::StaleHeartbeatWins, Command::Heartbeat { epoch, .. }) => *epoch = record.epoch,
            (Self::ClosedSessionHeard, Command::Heartbeat { .. })
                if was == Some(LifecycleEvent::Disconnected) =>
            {
                record.last_event = Some(LifecycleEvent::HeartbeatLost);
            }
            (Self::ConnectAgainWins, Command::Connect { seen_epoch, .. }) => {
                *seen_epoch = record.epoch;
            }
            (Self::ClosedSessionReconnects, Command::Connect { seen_epoch, .. })
                if was == Some(LifecycleEvent::Disconnected) =>
            {
                record.session = None;
                *seen_epoch = record.epoch;
            }
            (Self::CredentialNotCompared, Command::Connect { credential_version, .. }) => {
                *credential_version = context.credential_version;
            }
            (Self::ResumeByOldHeartbeat, Command::Heartbeat { .. }) => record.last_event_at = None,
            (Self::ResumeByStaleHeartbeat, Command::Heartbeat { .. }) => {
                context.threshold = Millis::new(u64::MAX);
            }
            (Self::DrainDisconnects, Command::Close { reason, .. })
                if *reason == CloseReason::Drained =>
            {
                *reason = CloseReason::ConnectionLost;
            }
            (Self::SweepWithoutSettle, Command::Sweep) => context.settle = Millis::ZERO,
            (Self::SweepForgetsWatching, Command::Sweep) => {
                context.watch =
                    context.watch.map(|span| WatchSpan { since: Timestamp::default(), ..span });
            }
            (Self::SweepAfterLease, Command::Sweep) => {
                context.watch = context.watch.map(|span| WatchSpan { until: context.now, ..span });
            }
            (Self::SweepTooEarly, Command::Sweep) => {
                context.settle = Millis::new(context.settle.get().saturating_sub(1));
            }
            (Self::LostTwice, Command::Sweep) if was == Some(LifecycleEvent::HeartbeatLost) => {
                record.last_event = Some(LifecycleEvent::Connected);
            }
            (Self::ClosedSessionLost, Command::Sweep)
                if was == Some(LifecycleEvent::Disconnected) =>
            {
                record.last_event = Some(LifecycleEvent::Connected);
                record.last_heartbeat_at = record.last_event_at;
            }
            (Self::RevokeHitsOthers, Command::Revoke { scope }) => *scope = RevokeScope::AnyToken,
            _ => {}
        }
    }

    /// The bug in what comes out of it.
    fn distort(
        self,
        record: &ConnectionRecord,
        command: &Command,
        context: &Context,
        decision: Decision,
    ) -> Decision {
        use LifecycleEvent::{Connected, Disconnected, HeartbeatLost};

        match (self, command, decision) {
            (Self::NoResume, Command::Heartbeat { .. }, Decision::Record(_)) => {
                Decision::Unchanged(Unchanged::StaleHeartbeat)
            }
            (Self::SilenceOverlooked, Command::Sweep, Decision::Record(_)) => {
                Decision::Unchanged(Unchanged::NotOverdue)
            }
            (Self::RevokeLeavesSession, Command::Revoke { .. }, Decision::Record(_)) => {
                Decision::Unchanged(Unchanged::NoSession)
            }
            (Self::RevokeOverlooksLost, Command::Revoke { .. }, Decision::Record(_))
                if record.last_event == Some(HeartbeatLost) =>
            {
                Decision::Unchanged(Unchanged::NoSession)
            }
            (
                Self::HeartbeatMovesBack,
                Command::Heartbeat { at, .. },
                Decision::Unchanged(Unchanged::StaleHeartbeat),
            ) if record.last_event == Some(Connected) => Decision::Beat { heard: *at },
            (Self::HeartbeatAheadOfTime, Command::Heartbeat { at, .. }, Decision::Beat { .. }) => {
                Decision::Beat { heard: *at }
            }
            (_, _, Decision::Record(mut change)) => {
                let next = &mut change.next;
                match (self, change.edge.event) {
                    (Self::TakeoverNotTold, Connected) if change.edge.cause == Cause::TookOver => {
                        change.edge.cause = Cause::Authenticated;
                        next.last_cause = Some(Cause::Authenticated);
                    }
                    (Self::ResumeOpensEpoch, Connected)
                        if change.edge.cause == Cause::HeartbeatResumed =>
                    {
                        next.epoch = next.epoch.next();
                    }
                    (Self::CloseKeepsHeartbeat, Disconnected) => {
                        next.last_heartbeat_at = record.last_heartbeat_at;
                    }
                    (Self::LossClearsHeartbeat, HeartbeatLost) => next.last_heartbeat_at = None,
                    (Self::SeqReused, Disconnected) => next.seq = record.seq,
                    (Self::SeqSkipped, Disconnected) => next.seq = Seq(record.seq.0 + 2),
                    (Self::ConnectForgetsToken, Connected) => next.token = record.token,
                    (Self::CauseNotStored, Disconnected) => next.last_cause = record.last_cause,
                    (Self::StampsRunBack, _) => next.last_event_at = Some(context.now),
                    _ => {}
                }
                Decision::Record(change)
            }
            (_, _, decision) => decision,
        }
    }
}

impl Rules for PlantedBug {
    fn decide(&self, record: &ConnectionRecord, command: &Command, context: &Context) -> Decision {
        let (mut seen, mut meant, mut around) = (record.clone(), command.clone(), *context);
        self.mislead(&mut seen, &mut meant, &mut around);
        let decision = decide(&seen, &meant, &around);
        self.distort(record, command, context, decision)
    }

    fn status(&self, record: &ConnectionRecord, threshold: Millis, now: Timestamp) -> Status {
        let connected = record.last_event == Some(LifecycleEvent::Connected);
        let online = match self {
            Self::OfflineAtThreshold => {
                connected && record.last_heartbeat_at.is_some_and(|at| now.since(at) < threshold)
            }
            Self::StatusFromHeartbeatAlone => {
                record.last_heartbeat_at.is_some_and(|at| now.since(at) <= threshold)
            }
            Self::StatusFromEventAlone => connected,
            _ => return status(record, threshold, now),
        };
        if online { Status::Online } else { Status::Offline }
    }
}

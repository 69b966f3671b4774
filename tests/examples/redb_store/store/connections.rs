//! Connections: the conditional writes (rules T1–T5, T7), and whose time has come.

use groundcontrol_core::connection::{LifecycleEvent, overdue_at};
use groundcontrol_core::ports::{
    ConnectionSnapshot, EdgeWrite, Guard, HeartbeatWrite, Removal, SilenceGuard, WriteOutcome,
};
use groundcontrol_core::satellite::{PodName, SatelliteId};
use groundcontrol_core::time::{Millis, Timestamp};
use redb::{ReadTransaction, WriteTransaction};

use super::error::Done;
use super::history::History;
use super::rows::{Fleet, Index, Row, Rows, row};
use super::tables::{INDEX, SATELLITES};
use super::watch;

pub(super) fn snapshot(
    transaction: &ReadTransaction,
    id: SatelliteId,
) -> Done<Option<ConnectionSnapshot>> {
    let fleet = Fleet::read(transaction)?;
    let row = row(&transaction.open_table(SATELLITES)?, id)?;
    Ok(row.map(|row| row.snapshot(&fleet)))
}

/// Each write has a guard and an outcome of its own; one that conflicts stops no other. They are
/// made in their order, so of two on the same read the second conflicts.
pub(super) fn record_edges(
    transaction: &WriteTransaction,
    writes: Vec<EdgeWrite>,
) -> Done<Vec<WriteOutcome>> {
    let fleet = Fleet::read(transaction)?;
    let mut rows = Rows::open(transaction, &fleet)?;
    let mut history = History::open(transaction)?;
    let mut outcomes = Vec::with_capacity(writes.len());
    for write in writes {
        // A write makes no row: that would bring a removed satellite back (rule T6).
        let Some(before) = rows.get(write.read.satellite)? else {
            outcomes.push(WriteOutcome::Gone);
            continue;
        };
        let leased = |pod: &PodName| watch::is_leased(transaction, pod, write.now);
        if !holds(&before.snapshot(&fleet), &write, leased)? {
            outcomes.push(WriteOutcome::Conflict);
            continue;
        }
        history.append(&write.transition())?;
        rows.replace(Some(&before), &Row { record: write.change.next, ..before.clone() })?;
        outcomes.push(WriteOutcome::Applied);
    }
    Ok(outcomes)
}

/// Whether all that the edge was decided on is still so. The rule itself is not asked again:
/// what was decided on the same facts would be decided again.
fn holds(
    stored: &ConnectionSnapshot,
    write: &EdgeWrite,
    leased: impl Fn(&PodName) -> Done<bool>,
) -> Done<bool> {
    let read = &write.read;
    if !same_edge(stored, read) {
        return Ok(false);
    }
    match write.guard {
        Guard::Session => Ok(true),
        Guard::Credential => Ok(stored.credential_version == read.credential_version),
        // The lease is that of the pod that writes: another's does not say that *this* pod could
        // have stored the heartbeats which it did not see.
        Guard::Silence => {
            let same_silence = SilenceGuard::from(stored) == SilenceGuard::from(read);
            Ok(same_silence && leased(&write.origin.pod)?)
        }
    }
}

/// Whether no edge was written since `read`. The seq alone would do; the epoch is what fences.
pub(super) fn same_edge(stored: &ConnectionSnapshot, read: &ConnectionSnapshot) -> bool {
    stored.record.seq == read.record.seq && stored.record.epoch == read.record.epoch
}

/// Rule T2 for sessions that are current and connected. All others are left to `decide`, which
/// alone knows whether a lost session has resumed (rule T3) or is fenced (rule T6).
pub(super) fn record_heartbeats(
    transaction: &WriteTransaction,
    batch: &[HeartbeatWrite],
    now: Timestamp,
) -> Done<Vec<usize>> {
    let mut rows = Rows::open(transaction, &Fleet::read(transaction)?)?;
    let mut refused = Vec::new();
    for (index, beat) in batch.iter().enumerate() {
        let connected = Some(LifecycleEvent::Connected);
        let current = rows
            .get(beat.satellite)?
            .filter(|row| row.record.epoch == beat.epoch && row.record.last_event == connected);
        let Some(before) = current else {
            refused.push(index);
            continue;
        };
        // Never back, never ahead of now; what is no news is applied all the same.
        let heard = before.record.last_heartbeat_at.max(Some(beat.at.min(now)));
        let mut after = before.clone();
        after.record.last_heartbeat_at = heard;
        rows.replace(Some(&before), &after)?;
    }
    Ok(refused)
}

pub(super) fn remove(transaction: &WriteTransaction, removal: &Removal) -> Done<WriteOutcome> {
    let fleet = Fleet::read(transaction)?;
    let mut rows = Rows::open(transaction, &fleet)?;
    let Some(row) = rows.get(removal.read.satellite)? else { return Ok(WriteOutcome::Gone) };
    if !same_edge(&row.snapshot(&fleet), &removal.read) {
        return Ok(WriteOutcome::Conflict);
    }
    History::open(transaction)?.append(&removal.transition())?;
    rows.remove(&row)?;
    Ok(WriteOutcome::Applied)
}

/// Rule S1 as a bound for the index: a connected satellite is online at `now` as long as its
/// threshold has not passed before it.
pub(super) fn online_ids(transaction: &ReadTransaction, now: Timestamp) -> Done<Vec<SatelliteId>> {
    let index = transaction.open_table(INDEX)?;
    let online = Index::Passes.range(&index, now.as_millis(), i64::MAX)?;
    online.map(|entry| Ok(entry?.1)).collect()
}

/// Reads those whose threshold and settle have passed, in that order, and drops whom only the
/// start of watching spares. The last word is that of the rule in the core.
pub(super) fn overdue(
    transaction: &ReadTransaction,
    now: Timestamp,
    settle: Millis,
    watching_since: Timestamp,
    limit: usize,
) -> Done<Vec<ConnectionSnapshot>> {
    let fleet = Fleet::read(transaction)?;
    let index = transaction.open_table(INDEX)?;
    let satellites = transaction.open_table(SATELLITES)?;
    let mut overdue = Vec::new();
    let before = now.minus(settle + Millis::new(1));
    for entry in Index::Passes.range(&index, i64::MIN, before.as_millis())? {
        if overdue.len() >= limit {
            break;
        }
        let Some(row) = row(&satellites, entry?.1)? else { continue };
        let read = row.snapshot(&fleet);
        let is_overdue = |heard| now > overdue_at(heard, watching_since, read.threshold(), settle);
        if read.record.last_heartbeat_at.is_some_and(is_overdue) {
            overdue.push(read);
        }
    }
    Ok(overdue)
}

pub(super) fn next_threshold(transaction: &ReadTransaction) -> Done<Option<Timestamp>> {
    let index = transaction.open_table(INDEX)?;
    let first = Index::Passes.range(&index, i64::MIN, i64::MAX)?.next().transpose()?;
    Ok(first.map(|(passes, _)| Timestamp::from_millis(passes)))
}

pub(super) fn smallest_threshold(transaction: &ReadTransaction) -> Done<Millis> {
    let default = Fleet::read(transaction)?.default_threshold;
    let index = transaction.open_table(INDEX)?;
    let own = Index::OwnThreshold.range(&index, 0, i64::MAX)?.next().transpose()?;
    Ok(own.map_or(default, |(own, _)| default.min(Millis::new(own.unsigned_abs()))))
}

//! What each fault does to a write.

use std::collections::BTreeSet;

use groundcontrol_core::connection::{ConnectionRecord, LifecycleEvent};
use groundcontrol_core::ports::{
    ConnectionSnapshot, CredentialAction, CredentialChange, EdgeWrite, Guard, HeartbeatWrite,
    SatelliteStore, SilenceGuard, StoreResult, WriteOutcome,
};
use groundcontrol_core::time::{Millis, Timestamp};

use crate::fault::Fault;
use crate::faulty::Faulty;

impl Faulty {
    pub(crate) async fn bent_edges(
        &self,
        writes: Vec<EdgeWrite>,
    ) -> StoreResult<Vec<WriteOutcome>> {
        match self.fault {
            Fault::BatchIsAllOrNothing => {
                for write in &writes {
                    if self.would(write).await? != WriteOutcome::Applied {
                        return Ok(vec![WriteOutcome::Conflict; writes.len()]);
                    }
                }
            }
            Fault::EventsAppearLate => tokio::task::yield_now().await,
            Fault::ChecksThenWrites => return self.check_then_write(writes).await,
            _ => {}
        }
        let mut outcomes = Vec::new();
        let mut stopped = false;
        for write in writes {
            let write = self.bent_edge(write).await?;
            let outcome = match stopped {
                true => WriteOutcome::Conflict,
                false => self.inner.record_edges(vec![write]).await?[0],
            };
            stopped |=
                self.fault == Fault::BatchStopsAtConflict && outcome != WriteOutcome::Applied;
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// What the write would answer by its seq.
    async fn would(&self, write: &EdgeWrite) -> StoreResult<WriteOutcome> {
        Ok(match self.inner.snapshot(write.read.satellite).await? {
            None => WriteOutcome::Gone,
            Some(stored) if stored.record.seq != write.read.record.seq => WriteOutcome::Conflict,
            Some(_) => WriteOutcome::Applied,
        })
    }

    async fn check_then_write(&self, writes: Vec<EdgeWrite>) -> StoreResult<Vec<WriteOutcome>> {
        let mut outcomes = Vec::new();
        for mut write in writes {
            let allowed = self.would(&write).await?;
            tokio::task::yield_now().await;
            if allowed == WriteOutcome::Applied
                && let Some(stored) = self.inner.snapshot(write.read.satellite).await?
            {
                rebase(&mut write, stored);
            }
            outcomes.push(match allowed {
                WriteOutcome::Applied => self.inner.record_edges(vec![write]).await?[0],
                refused => refused,
            });
        }
        Ok(outcomes)
    }

    /// The write with what the fault ignores made to agree with what is stored.
    async fn bent_edge(&self, mut write: EdgeWrite) -> StoreResult<EdgeWrite> {
        let id = write.read.satellite;
        let Some(stored) = self.inner.snapshot(id).await? else {
            let kept = self.told.lock().created.get(&id).cloned();
            if let (Fault::ConnectMakesRemovedAgain, Guard::Credential, Some(new)) =
                (self.fault, write.guard, kept)
            {
                self.inner.create(new).await?;
                if let Some(made) = self.inner.snapshot(id).await? {
                    rebase(&mut write, made);
                }
            }
            return Ok(write);
        };
        let silence_holds = SilenceGuard::from(&stored) == SilenceGuard::from(&write.read);
        let silence = write.guard == Guard::Silence && silence_holds;
        let read = &mut write.read;
        match self.fault {
            Fault::IgnoresSeq => rebase(&mut write, stored),
            Fault::ConnectForgetsToken => write.change.next.token = None,
            Fault::IgnoresCredentialVersion => read.credential_version = stored.credential_version,
            Fault::IgnoresHeartbeat if write.guard == Guard::Silence => {
                read.record.last_heartbeat_at = stored.record.last_heartbeat_at;
            }
            Fault::IgnoresOwnThreshold => read.own_threshold = stored.own_threshold,
            Fault::IgnoresDefaultThreshold => read.default_threshold = stored.default_threshold,
            Fault::IgnoresWatchSpan => read.watch = stored.watch,
            Fault::IgnoresLease if silence => write.guard = Guard::Session,
            Fault::TakesAnyPodsLease
                if silence && stored.watch.is_some_and(|span| span.is_alive(write.now)) =>
            {
                write.guard = Guard::Session;
            }
            Fault::LeaseEndsEarly if write.guard == Guard::Silence => {
                // The change keeps its own times; only the lease is compared with this one.
                write.now = write.now + Millis::new(1);
            }
            _ => {}
        }
        Ok(write)
    }

    pub(crate) async fn bent_heartbeats(
        &self,
        batch: &[HeartbeatWrite],
        now: Timestamp,
    ) -> StoreResult<Vec<usize>> {
        let mut batch = batch.to_vec();
        let (mut stale, mut lost) = (BTreeSet::new(), BTreeSet::new());
        for (index, beat) in batch.iter_mut().enumerate() {
            let Some(stored) = self.inner.snapshot(beat.satellite).await? else { continue };
            let record = stored.record;
            if self.fault == Fault::BeatsAcrossEpochs {
                beat.epoch = record.epoch;
            }
            if record.last_heartbeat_at >= Some(beat.at.min(now)) {
                stale.insert(index);
            }
            if record.last_event == Some(LifecycleEvent::HeartbeatLost) {
                lost.insert(index);
            }
        }
        let kept = match self.fault {
            Fault::CutsLongBatches => batch.len().min(10_000),
            _ => batch.len(),
        };
        let bound = match self.fault {
            Fault::BeatsAheadOfNow => Timestamp::from_millis(i64::MAX),
            _ => now,
        };
        let refused = self.inner.record_heartbeats(&batch[..kept], bound).await?;
        let mut refused: BTreeSet<usize> = refused.into_iter().collect();
        for (index, beat) in batch.iter().enumerate().filter(|(index, _)| !refused.contains(index))
        {
            let heard = (beat.epoch, beat.at.min(now));
            self.told.lock().last_beats.insert(batch[index].satellite, heard);
        }
        match self.fault {
            Fault::RefusesStaleBeats => refused.append(&mut stale),
            Fault::SwallowsBeatsOfLostSessions => refused.retain(|index| !lost.contains(index)),
            _ => {}
        }
        Ok(refused.into_iter().collect())
    }

    pub(crate) async fn bent_credentials(
        &self,
        mut change: CredentialChange,
    ) -> StoreResult<WriteOutcome> {
        let Some(stored) = self.inner.snapshot(change.read.satellite).await? else {
            return self.inner.change_credentials(change).await;
        };
        match (self.fault, change.action.clone()) {
            (Fault::ChangesAnyVersion, _) => {
                change.read.credential_version = stored.credential_version;
            }
            (Fault::RevokesInTwoWrites, _) => {
                if let Some(edge) = change.edge.take() {
                    let CredentialChange { read, origin, now, .. } = change.clone();
                    let write =
                        EdgeWrite { read, change: edge, guard: Guard::Session, origin, now };
                    self.inner.record_edges(vec![write]).await?;
                    if let Some(after) = self.inner.snapshot(stored.satellite).await? {
                        change.read.record = after.record;
                    }
                }
            }
            (Fault::RehashGrowsVersion, CredentialAction::Rehash { .. }) => {
                let enabled = CredentialAction::SetEnabled(true);
                let grown = CredentialChange { action: enabled, ..change.clone() };
                self.inner.change_credentials(grown).await?;
                change.read.credential_version = change.read.credential_version.next();
            }
            (Fault::OverlapReplaces, CredentialAction::Overlap { new, .. }) => {
                change.action = CredentialAction::Replace(new);
            }
            (_, CredentialAction::Overlap { until, .. }) => {
                self.told.lock().overlaps.insert(stored.satellite, until);
            }
            _ => {}
        }
        self.inner.change_credentials(change).await
    }
}

/// Makes the write agree with what is stored, whatever it was decided on.
fn rebase(write: &mut EdgeWrite, stored: ConnectionSnapshot) {
    write.change.next.seq = stored.record.seq.next();
    write.read = ConnectionSnapshot {
        credential_version: write.read.credential_version,
        own_threshold: write.read.own_threshold,
        default_threshold: write.read.default_threshold,
        watch: write.read.watch,
        record: ConnectionRecord {
            last_heartbeat_at: write.read.record.last_heartbeat_at,
            ..stored.record
        },
        ..stored
    };
}

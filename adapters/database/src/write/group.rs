//! One transaction for a whole group of writes.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use groundcontrol_core::ports::{Clock, Guard};
use tokio::time::sleep;
use uuid::Uuid;

use super::Counters;
use super::job::Group;
use super::{agents, edges, heartbeats, transitions};
use crate::database::Database;
use crate::dialect::Lock;
use crate::error::Failure;
use crate::table;

/// A group is tried this often where others are in the way, or the connection was lost before
/// anything could be committed.
const ATTEMPTS: u32 = 5;
/// What is waited between them, once, twice … as long.
const PAUSE: Duration = Duration::from_millis(10);

/// Commits groups, one after the other, on the one connection that writes.
pub(super) struct Committer {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Arc<Counters>,
    pub(super) _lock: Option<File>,
}

impl Committer {
    /// Writes `group` and answers every caller in it. Where one write may be what failed, each is
    /// tried once more on its own, so that it takes no other with it.
    pub(super) async fn commit(&self, mut group: Group) {
        match self.attempts(&mut group).await {
            Ok(()) => group.answer(),
            Err(failure) if failure.may_be_of_one_write() => {
                tracing::warn!(writes = group.len(), "writes failed; trying each alone");
                for mut one in group.apart() {
                    match self.attempts(&mut one).await {
                        Ok(()) => one.answer(),
                        Err(failure) => one.refuse(&failure),
                    }
                }
            }
            Err(failure) => group.refuse(&failure),
        }
    }

    pub(super) async fn close(&self) {
        if let Some(sql) = self.database.dialect.on_close()
            && let Err(failure) = self.database.run(sql).await
        {
            let error = failure.to_store_error("tidy up the database");
            tracing::warn!(%error, "the database is closed as it is");
        }
        self.database.close().await;
    }

    /// Only what was surely not committed is tried again.
    async fn attempts(&self, group: &mut Group) -> Result<(), Failure> {
        let mut attempt = 1;
        loop {
            match self.attempt(group).await {
                Err(failure) if failure.is_worth_another_try() && attempt < ATTEMPTS => {
                    tracing::debug!(attempt, ?failure, "a group of writes is tried again");
                    sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn attempt(&self, group: &mut Group) -> Result<(), Failure> {
        let done = async {
            self.database.begin().await?;
            self.apply(group).await?;
            self.database.commit().await
        };
        match done.await {
            Ok(()) => {
                self.counters.commits.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(failure) => {
                self.database.roll_back().await;
                Err(failure)
            }
        }
    }

    /// Heartbeats go before edges: a satellite that was heard is not declared lost by the same
    /// group. All groups take their locks in one order: watching, records, satellites, events.
    async fn apply(&self, group: &mut Group) -> Result<(), Failure> {
        if let Some(lock) = watch_lock(group) {
            self.database.lock(lock).await?;
        }
        self.lock_records(several_statements_write(group)).await?;
        let mut recording = transitions::Recording::default();
        heartbeats::apply(&self.database, &mut group.heartbeats).await?;
        for write in &mut group.others {
            write.write(&self.database, &mut recording).await?;
        }
        edges::apply(&self.database, &mut group.edges, self.clock.now(), &mut recording).await?;
        agents::apply(&self.database, &group.agents).await?;
        recording.insert(&self.database).await
    }

    /// Locks the records that several statements will write, all at once.
    async fn lock_records(&self, records: Vec<Uuid>) -> Result<(), Failure> {
        match self.database.dialect.lock_records() {
            Some(sql) if !records.is_empty() => {
                let ids = table::ids(self.database.dialect, records)?;
                self.database.all(sql, [ids]).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// The records to be locked beforehand, so that pods whose groups overlap wait for each other
/// instead of ending in a deadlock. One statement alone takes them in order anyway.
fn several_statements_write(group: &Group) -> Vec<Uuid> {
    let kinds = [group.heartbeats.is_empty(), group.others.is_empty(), group.edges.is_empty()];
    if kinds.iter().filter(|is_empty| !*is_empty).count() < 2 {
        return Vec::new();
    }
    let heard = group.heartbeats.iter().flat_map(|job| &job.beats).map(|beat| beat.satellite);
    let edges = group.edges.iter().flat_map(|job| &job.writes);
    heard.chain(edges.map(|write| write.read.satellite)).map(|id| id.0).collect()
}

/// What the writes of a group change about watching, or depend on.
fn watch_lock(group: &Group) -> Option<Lock> {
    if group.others.iter().any(|write| write.changes_watching()) {
        return Some(Lock::Watching);
    }
    let mut edges = group.edges.iter().flat_map(|job| &job.writes);
    edges.any(|write| write.guard == Guard::Silence).then_some(Lock::WatchingAsRead)
}

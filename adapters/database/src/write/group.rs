//! One transaction for a whole group of writes.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use groundcontrol_core::ports::Clock;
use sea_orm::{ConnectionTrait, DbErr};

use super::Counters;
use super::job::Group;
use super::{agents, edges, heartbeats};
use crate::database::Database;
use crate::error::{self, Failure};

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
        match self.attempt(&mut group).await {
            Ok(()) => group.answer(),
            Err(failure) if group.len() > 1 && failure.may_be_of_one_write() => {
                tracing::warn!(writes = group.len(), "a group of writes failed; trying each alone");
                for mut one in group.apart() {
                    match self.attempt(&mut one).await {
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
            && let Err(error) = self.run(sql).await
        {
            tracing::warn!(%error, "could not tidy up the database on closing it");
        }
        if let Err(error) = self.database.connection.close_by_ref().await {
            tracing::warn!(%error, "could not close the database");
        }
    }

    async fn attempt(&self, group: &mut Group) -> Result<(), Failure> {
        let begun = self.run(self.database.dialect.begin()).await;
        if let Err(error) = begun {
            return Err(self.undone(error).await);
        }
        if let Err(failure) = self.apply(group).await {
            self.roll_back().await;
            return Err(failure);
        }
        match self.run("COMMIT").await {
            Ok(()) => {
                self.counters.commits.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) if error::lost_connection(&error) => {
                self.roll_back().await;
                Err(Failure::OutcomeUnknown(error))
            }
            Err(error) => Err(self.undone(error).await),
        }
    }

    /// Heartbeats go first: a satellite that was heard is not declared lost by the same group.
    async fn apply(&self, group: &mut Group) -> Result<(), Failure> {
        heartbeats::apply(&self.database, &mut group.heartbeats).await?;
        agents::apply(&self.database, &group.agents).await?;
        for write in &mut group.others {
            write.write(&self.database).await?;
        }
        edges::apply(&self.database, &mut group.edges, self.clock.now()).await
    }

    async fn undone(&self, error: DbErr) -> Failure {
        self.roll_back().await;
        self.database.failure(error)
    }

    async fn run(&self, sql: &str) -> Result<(), DbErr> {
        self.database.connection.execute_unprepared(sql).await.map(drop)
    }

    /// Leaves no transaction open. SQLite undoes some on its own and then says that there is none;
    /// a connection that says anything else is given up for a fresh one.
    async fn roll_back(&self) {
        match self.run("ROLLBACK").await {
            Ok(()) => {}
            Err(error) if error::detail(&error).contains("no transaction is active") => {}
            Err(_) => self.database.renew_connection().await,
        }
    }
}

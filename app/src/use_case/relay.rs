//! Changes of work reach the satellites that they concern, and no other.
//!
//! A pod that hears of a change reads what all of its satellites run, together, and compares it
//! with what each was told. So a change costs a handful of reads for each pod, however many
//! satellites it concerns; and it does not matter which change it was, or whether the word of it
//! was lost, as the same comparison is made now and then anyway.

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::assignment::{Configuration, Configured, Revised, StoredRevision};
use groundcontrol_core::limits::WRITE_ATTEMPTS;
use groundcontrol_core::ports::{Nudge, Order, RevisionWrite, StoreResult};
use groundcontrol_core::satellite::SatelliteId;
use metrics::counter;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use crate::pod::{Asked, Pod, Work};

/// Satellites that are compared at a time.
const TOGETHER: usize = 10_000;
/// Satellites that are announced at a time, …
const ANNOUNCED: usize = 256;
/// … and the time between.
const BETWEEN: Duration = Duration::from_millis(50);
/// After a failed look the next one waits this long: a push waits for the store.
const RETRY: Duration = Duration::from_secs(1);

impl Pod {
    /// Everybody's work may have changed.
    pub(crate) fn look_at_work(&self) {
        if let Some(work) = &self.work {
            work.ask_all();
        }
    }

    /// One satellite's work may have changed.
    pub(crate) fn look_at_work_of(&self, satellite: SatelliteId) {
        if let Some(work) = &self.work {
            work.ask(satellite);
        }
    }

    /// The task that tells satellites what changed.
    pub(crate) async fn relay_work(self: Arc<Self>) {
        let Some(work) = &self.work else { return };
        loop {
            if timeout(self.timing.compare_work.into(), work.look.notified()).await.is_err() {
                work.ask_all();
            }
            loop {
                let asked = work.take_asked();
                if asked == Asked::default() {
                    break;
                }
                if let Err(error) = self.relay(work, &asked).await {
                    warn!(%error, "satellites hear of changed work later; they keep what they have");
                    work.put_back(asked);
                    sleep(RETRY).await;
                }
            }
        }
    }

    async fn relay(&self, work: &Work, asked: &Asked) -> StoreResult<()> {
        if asked.all || asked.packages {
            self.relay_packages().await?;
        }
        let ids = match asked.all {
            true => {
                self.relay_policy(work).await?;
                self.sessions.satellites()
            }
            false => asked.some.iter().copied().filter(|id| self.sessions.has(*id)).collect(),
        };
        for some in ids.chunks(TOGETHER) {
            self.relay_to(work, some.to_vec()).await?;
        }
        Ok(())
    }

    async fn relay_policy(&self, work: &Work) -> StoreResult<()> {
        let policy = work.ports.store.sandbox_policy().await?;
        if work.set_policy(policy.clone())
            && let Some(policy) = policy
        {
            for outbox in self.sessions.outboxes() {
                outbox.deliver(Order::SandboxPolicy(policy.clone()));
            }
        }
        Ok(())
    }

    /// Brings these satellites' sockets up to date. Where another pod was faster for some, they
    /// are read again.
    async fn relay_to(&self, work: &Work, mut ids: Vec<SatelliteId>) -> StoreResult<()> {
        for _ in 0..WRITE_ATTEMPTS {
            let revisions = work.ports.revisions.revisions(&ids).await?;
            let configurations = work.ports.source.configurations(&ids).await?;
            let read = ids.iter().copied().zip(revisions).zip(configurations);
            let read: Vec<_> = read.map(|((id, stored), found)| (id, stored, found)).collect();
            ids = self.tell(work, read).await?;
            if ids.is_empty() {
                return Ok(());
            }
        }
        debug!(satellites = ids.len(), "kept changing, or are gone; the next comparison sees");
        Ok(())
    }

    /// Stores the revisions that are new, tells the sockets, and answers who must be read again.
    async fn tell(
        &self,
        work: &Work,
        read: Vec<(SatelliteId, StoredRevision, Arc<Configuration>)>,
    ) -> StoreResult<Vec<SatelliteId>> {
        let write = |(satellite, stored, found): &(SatelliteId, StoredRevision, _)| {
            let found: &Arc<Configuration> = found;
            match stored.revised(found) {
                Revised::Same(_) => None,
                Revised::Next(revision) => {
                    let fingerprint = found.fingerprint();
                    Some(RevisionWrite { satellite: *satellite, revision, fingerprint })
                }
            }
        };
        let writes: Vec<_> = read.iter().filter_map(write).collect();
        let mut outcomes = match writes.is_empty() {
            true => Vec::new(),
            false => work.ports.revisions.record_revisions(&writes).await?,
        }
        .into_iter();
        let mut again = Vec::new();
        for (satellite, stored, found) in read {
            let revision = match stored.revised(&found) {
                Revised::Same(revision) => revision,
                Revised::Next(revision) if outcomes.next() == Some(true) => revision,
                Revised::Next(_) => {
                    again.push(satellite);
                    continue;
                }
            };
            let (configuration, packages) = (work.shared(found), self.packages_told());
            let configured = Configured { configuration, revision, packages };
            if self.sessions.configure(satellite, &configured) {
                counter!("groundcontrol_configurations_pushed_total").increment(1);
                work.announce(satellite);
            }
        }
        Ok(again)
    }

    /// The task that tells all pods' event streams whose configuration is another, a few at a
    /// time: one change may concern a whole fleet, and a broadcast takes only so much at once.
    pub(crate) async fn announce_work(self: Arc<Self>) {
        let Some(work) = &self.work else { return };
        loop {
            work.told.notified().await;
            loop {
                let told = work.take_announced(ANNOUNCED);
                if told.is_empty() {
                    break;
                }
                for satellite in told {
                    self.broadcast.send(Nudge::Configured { satellite });
                }
                sleep(BETWEEN).await;
            }
        }
    }

    /// The task that stores what agents say they run: together, as heartbeats are.
    pub(crate) async fn store_applied(self: Arc<Self>) {
        let Some(work) = &self.work else { return };
        loop {
            work.said.notified().await;
            loop {
                sleep(self.flush_bound.get().into()).await;
                let applied = work.take_applied();
                match work.ports.revisions.record_applied(&applied).await {
                    Ok(()) => break,
                    Err(error) => {
                        warn!(%error, "what agents run is stored later");
                        work.put_back_applied(applied);
                        sleep(RETRY).await;
                    }
                }
            }
        }
    }
}

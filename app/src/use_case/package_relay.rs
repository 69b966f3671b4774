//! Script packages reach the satellites, and their word of them comes back.

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::packages::{HeldBlob, Integrity, Lockfile, LockfileHash, SyncState};
use groundcontrol_core::ports::{LoadedBlob, Order, Room, SessionRef, Signal, StoreResult};
use groundcontrol_core::session::{Answer, Request, ScriptPackageSyncState};
use metrics::counter;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::pod::{Packages, Pod};

/// After a failed write the next one waits this long.
const RETRY: Duration = Duration::from_secs(1);
/// Blobs that are looked at together when those that nobody needs are deleted.
const TOGETHER: usize = 500;

impl Pod {
    /// Other packages may be desired.
    pub(crate) fn look_at_packages(&self) {
        if let Some(work) = &self.work {
            work.ask_packages();
        }
    }

    /// Reads which packages are desired, and tells all sockets where that is news.
    pub(crate) async fn relay_packages(&self) -> StoreResult<()> {
        let Some(packages) = &self.packages else { return Ok(()) };
        let desired = packages.ports.store.desired().await?.lockfile;
        if packages.tell(desired) {
            info!(lockfile = ?desired, "satellites are told of other script packages");
            for satellite in self.sessions.tell_packages(desired) {
                self.events.signal(Signal::ConfigChanged { satellite });
            }
        }
        Ok(())
    }

    /// What satellites are told of packages; none where this pod distributes none.
    pub(crate) fn packages_told(&self) -> Option<Option<LockfileHash>> {
        self.packages.as_ref().map(Packages::told)
    }

    /// A lockfile that is known; the one that was read last is not read again.
    pub(crate) async fn lockfile(&self, named: &str) -> StoreResult<Option<Arc<Lockfile>>> {
        let (Some(packages), Ok(hash)) = (&self.packages, named.parse()) else { return Ok(None) };
        if let Some(known) = packages.known(hash) {
            return Ok(Some(known));
        }
        let read = packages.ports.store.lockfile(hash).await?.map(Arc::new);
        if let Some(lockfile) = &read {
            packages.know(lockfile.clone());
        }
        Ok(read)
    }

    /// Looks for what a satellite asks for; the answer follows, unless it is known at once.
    pub(crate) fn look_for_package(
        self: &Arc<Self>,
        session: SessionRef,
        request: Request,
    ) -> Option<Answer> {
        if self.packages.is_none() {
            return Some(request.unserved());
        }
        let pod = self.clone();
        self.spawn(async move {
            let found = pod.package_for(session, request.clone()).await;
            let answer = found.unwrap_or_else(|error| {
                warn!(%error, satellite = %session.satellite, "a satellite asks for packages in vain");
                request.failed("The packages could not be read.")
            });
            let order = Order::Answer(Box::new(answer));
            pod.sessions.order(session.satellite, order, |epoch| epoch == session.epoch);
        });
        None
    }

    async fn package_for(&self, session: SessionRef, request: Request) -> StoreResult<Answer> {
        match request {
            Request::ScriptPackageManifest { lockfile_hash } => {
                let lockfile = self.lockfile(&lockfile_hash).await?;
                Ok(Answer::ScriptPackageManifest { lockfile_hash, lockfile })
            }
            Request::ScriptPackageBlob { integrity } => {
                let blob = self.blob_for(session, &integrity).await?;
                Ok(Answer::ScriptPackageBlob { integrity, blob })
            }
            other => Ok(other.unserved()),
        }
    }

    /// The blob for a satellite's key, once it is its turn.
    async fn blob_for(&self, session: SessionRef, key: &str) -> StoreResult<Option<LoadedBlob>> {
        let (Some(packages), Ok(key)) = (&self.packages, key.parse::<Integrity>()) else {
            return Ok(None);
        };
        let Some(held) = packages.ports.store.blob_of(&key).await? else { return Ok(None) };
        load(packages, held, || self.sessions.holds(session)).await
    }

    /// Takes what a satellite says of its packages; stored soon.
    pub(crate) fn take_sync_state(&self, session: SessionRef, said: &ScriptPackageSyncState) {
        let Some(packages) = self.packages.as_ref().filter(|_| self.sessions.holds(session)) else {
            return;
        };
        let ScriptPackageSyncState { lockfile_hash, status, error_message } = said;
        counter!("groundcontrol_package_sync_states_total", "status" => status.name()).increment(1);
        let (lockfile, error) = (lockfile_hash.as_deref(), error_message.as_deref());
        packages.said(SyncState::said(session.satellite, lockfile, *status, error, self.now()));
    }

    /// The task that stores what satellites say of their packages: together, as heartbeats are.
    pub(crate) async fn store_sync_states(self: Arc<Self>) {
        let Some(packages) = &self.packages else { return };
        loop {
            packages.said.notified().await;
            loop {
                sleep(self.flush_bound.get().into()).await;
                let states = packages.take_said();
                match packages.ports.store.record_sync_states(&states).await {
                    Ok(()) => break,
                    Err(error) => {
                        warn!(%error, "where satellites stand with their packages is stored later");
                        packages.put_back_said(states);
                        sleep(RETRY).await;
                    }
                }
            }
        }
    }

    /// Forgets what nobody needs any more, and deletes whatever bytes no held blob has: those of
    /// blobs that were forgotten, and of uploads that were not finished.
    pub(crate) async fn delete_unneeded_packages(&self) -> StoreResult<()> {
        let Some(packages) = &self.packages else { return Ok(()) };
        let before = self.now().minus(self.timing.package_grace);
        let ports = &packages.ports;
        let forgotten = ports.store.forget_unneeded(before).await?;
        let (mut after, mut deleted) = (None, 0);
        loop {
            let names = ports.blobs.put_before(before, after, TOGETHER).await?;
            let Some(last) = names.last() else { break };
            after = Some(*last);
            let unheld = ports.store.unheld(&names).await?;
            ports.blobs.delete(&unheld).await?;
            deleted += unheld.len();
        }
        if forgotten > 0 || deleted > 0 {
            info!(forgotten, deleted, "script packages that nobody needs are deleted");
        }
        Ok(())
    }
}

/// Reads a blob, once it is its turn, if it is still wanted then.
pub(crate) async fn load(
    packages: &Packages,
    held: HeldBlob,
    is_wanted: impl FnOnce() -> bool,
) -> StoreResult<Option<LoadedBlob>> {
    // The semaphore is never closed.
    let Ok(room) = packages.outgoing.clone().acquire_owned().await else { return Ok(None) };
    if !is_wanted() {
        return Ok(None);
    }
    let read = packages.ports.blobs.get(held.name).await?;
    if read.is_none() {
        warn!(blob = %held.hash(), "a blob that is held has no bytes; publish its package again");
    }
    Ok(read.map(|blob| LoadedBlob { blob: Arc::new(blob), room: Room::new(room) }))
}

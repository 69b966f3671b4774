//! What a satellite that authenticates is told to run.

use std::sync::Arc;

use groundcontrol_core::assignment::Revision;
use groundcontrol_core::assignment::{Configured, Json, Revised, StoredRevision};
use groundcontrol_core::limits::WRITE_ATTEMPTS;
use groundcontrol_core::ports::{RevisionWrite, SessionRef, StoreError, StoreResult};
use groundcontrol_core::satellite::SatelliteId;

use crate::pod::Pod;

/// What was read for a satellite that is about to be seated.
pub(crate) struct ReadWork {
    pub(crate) configured: Configured,
    /// How much had been heard of changes before it was read.
    heard: u64,
}

impl Pod {
    /// What a satellite runs, under a revision that is stored. Where it cannot be read, nothing
    /// may be told in its place.
    pub(crate) async fn work_of(&self, satellite: SatelliteId) -> StoreResult<Option<ReadWork>> {
        let Some(work) = &self.work else { return Ok(None) };
        let heard = work.heard();
        for _ in 0..WRITE_ATTEMPTS {
            let stored = work.ports.revisions.revision(satellite).await?;
            let configuration = work.ports.source.configuration(satellite).await?;
            let revision = match stored.revised(&configuration) {
                Revised::Same(revision) => Some(revision),
                Revised::Next(revision) => {
                    let fingerprint = configuration.fingerprint();
                    let write = RevisionWrite { satellite, revision, fingerprint };
                    let stored = work.ports.revisions.record_revisions(&[write]).await?;
                    stored.first().is_some_and(|stored| *stored).then_some(revision)
                }
            };
            if let Some(revision) = revision {
                let configuration = work.shared(configuration);
                let packages = self.packages_told();
                let configured = Configured { configuration, revision, packages };
                return Ok(Some(ReadWork { configured, heard }));
            }
        }
        Err(StoreError::Unavailable {
            doing: "record a revision",
            detail: format!("satellite {satellite} kept changing, {WRITE_ATTEMPTS} attempts"),
        })
    }

    /// The satellite is among this pod's sockets: from now on it hears of changes. What changed
    /// while it was let in is looked at again. Answers the policy that it is told.
    pub(crate) fn seated(&self, satellite: SatelliteId, read: Option<ReadWork>) -> Option<Json> {
        let work = self.work.as_ref()?;
        if read.is_some_and(|read| read.heard != work.heard()) {
            work.ask(satellite);
        }
        work.policy()
    }

    /// Takes what an agent says it runs; stored soon.
    pub(crate) fn take_applied(self: &Arc<Self>, session: SessionRef, revision: Revision) {
        let Some(work) = &self.work else { return };
        let told = self.sessions.configured(session);
        // Of another session, or ahead of all that it was told: nothing that an agent can run.
        if told.is_some_and(|told| revision <= told.revision) && revision > Revision::default() {
            work.applied(session.satellite, revision);
        }
    }

    /// The revisions of satellites, in their order; none at all where this pod gives no work.
    pub(crate) async fn revisions_of(
        &self,
        satellites: &[SatelliteId],
    ) -> StoreResult<Vec<StoredRevision>> {
        match &self.work {
            Some(work) => work.ports.revisions.revisions(satellites).await,
            None => Ok(Vec::new()),
        }
    }
}

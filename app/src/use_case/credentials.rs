//! Credentials that change: rotation, overlap, disabling (rule T8).

use groundcontrol_core::connection::{Command, Decision, Origin, RevokeScope, decide};
use groundcontrol_core::limits::WRITE_ATTEMPTS;
use groundcontrol_core::ports::{
    ConnectionSnapshot, CredentialAction, CredentialChange, FleetError, Nudge, StoreError,
    StoreResult, WriteOutcome,
};
use groundcontrol_core::satellite::{CredentialVersion, Epoch, SatelliteId};
use tracing::{info, warn};

use crate::pod::Pod;

/// Expired tokens that are ended at a time.
const PAGE: usize = 500;

impl Pod {
    /// Changes credentials and, where `ends` says so, closes a session in the same write.
    ///
    /// An attempt whose answer was lost is not simply made again: by then a newer change may have
    /// come, and a session on its credential, which is not this change's to close (P12). It is
    /// repeated only while the credential version is still the one that it was made on.
    pub(crate) async fn change_credentials(
        &self,
        satellite: SatelliteId,
        action: CredentialAction,
        ends: Option<RevokeScope>,
        origin: Origin,
    ) -> Result<(), FleetError> {
        let mut unanswered = None;
        let made = self.make_change(satellite, &action, ends, &origin, &mut unanswered).await;
        match (made, unanswered) {
            // Whatever a later attempt met, nobody knows what became of the earlier.
            (Err(FleetError::Store(_) | FleetError::Busy), Some((_, unknown))) => {
                Err(FleetError::Store(unknown))
            }
            (made, _) => made,
        }
    }

    async fn make_change(
        &self,
        satellite: SatelliteId,
        action: &CredentialAction,
        ends: Option<RevokeScope>,
        origin: &Origin,
        unanswered: &mut Option<(CredentialVersion, StoreError)>,
    ) -> Result<(), FleetError> {
        let mut ended = None;
        for _ in 0..WRITE_ATTEMPTS {
            let Some(read) = self.store.snapshot(satellite).await? else {
                return Err(FleetError::NotFound { what: "satellite" });
            };
            let version = read.credential_version;
            if let Some((made_on, _)) = &unanswered {
                if self.holds(satellite, action).await? {
                    self.tell_of_change(satellite, ended);
                    return Ok(());
                }
                if *made_on != version {
                    return Err(FleetError::Busy);
                }
                // It may still be made: a conflict of its repetition can be its own doing.
            }
            let change = self.credential_change(read, action, ends, origin);
            if let Some(edge) = &change.edge {
                ended = Some(edge.next.epoch);
            }
            match self.store.change_credentials(change).await {
                Ok(WriteOutcome::Applied) => {
                    self.tell_of_change(satellite, ended);
                    return Ok(());
                }
                Ok(WriteOutcome::Gone) => return Err(FleetError::NotFound { what: "satellite" }),
                Ok(WriteOutcome::Conflict) => {}
                Err(error @ StoreError::OutcomeUnknown { .. }) => {
                    *unanswered = Some((version, error));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(FleetError::Busy)
    }

    fn credential_change(
        &self,
        read: ConnectionSnapshot,
        action: &CredentialAction,
        ends: Option<RevokeScope>,
        origin: &Origin,
    ) -> CredentialChange {
        let now = self.now();
        let edge = ends.and_then(|scope| {
            let context = read.context(now, self.settle());
            match decide(&read.record, &Command::Revoke { scope }, &context) {
                Decision::Record(change) => Some(change),
                Decision::Beat { .. }
                | Decision::Unchanged(_)
                | Decision::Fenced(_)
                | Decision::Rejected(_) => None,
            }
        });
        CredentialChange { read, action: action.clone(), edge, origin: origin.clone(), now }
    }

    async fn holds(&self, satellite: SatelliteId, action: &CredentialAction) -> StoreResult<bool> {
        let held = self.store.credentials(satellite).await?;
        Ok(held.is_some_and(|held| action.is_done(&held)))
    }

    fn tell_of_change(&self, satellite: SatelliteId, ended: Option<Epoch>) {
        if let Some(epoch) = ended {
            self.broadcast.send(Nudge::Revoked { satellite, epoch });
            self.nudge_events();
        }
        self.broadcast.send(Nudge::ConfigChanged { satellite });
    }

    /// Ends tokens whose overlap is over, with the sessions that are still on them. They are refused
    /// already.
    pub(crate) async fn end_expired(&self) -> StoreResult<()> {
        for (satellite, token) in self.store.expired_tokens(self.now(), PAGE).await? {
            let scope = Some(RevokeScope::OnlyToken(token));
            let dropped = CredentialAction::Drop(token);
            match self.change_credentials(satellite, dropped, scope, self.origin()).await {
                Ok(()) => info!(%satellite, "the overlap of an old token is over"),
                Err(FleetError::Store(error)) => return Err(error),
                Err(error) => warn!(%error, %satellite, "an old token waits to be ended"),
            }
        }
        Ok(())
    }
}

//! The port that the sockets call.

use std::net::IpAddr;

use async_trait::async_trait;
use groundcontrol_core::assignment::Revision;
use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::{
    Attempt, Authentication, Beat, Nudge, SatelliteGateway, SessionRef,
};

use groundcontrol_core::run::ReportedRun;
use groundcontrol_core::session::{Answer, Request, ScriptPackageSyncState};

use crate::pod::GroundControl;

#[async_trait]
impl SatelliteGateway for GroundControl {
    async fn authenticate(&self, attempt: Attempt) -> Authentication {
        self.pod.authenticate(attempt).await
    }

    fn heartbeat(&self, session: SessionRef, beat: Beat) {
        self.pod.take_heartbeat(session, beat);
    }

    async fn closed(&self, session: SessionRef, reason: CloseReason) {
        let end = self.pod.clone().record_end(session, reason);
        self.pod.stopped.run_until_cancelled(end).await;
    }

    fn displaced(&self, session: SessionRef, remote: IpAddr) {
        let SessionRef { satellite, epoch, .. } = session;
        let remote = remote.to_canonical();
        self.pod.count_takeover(satellite, epoch, remote);
        self.pod.broadcast.send(Nudge::Displaced { satellite, epoch, remote });
    }

    fn applied(&self, session: SessionRef, revision: Revision) {
        self.pod.take_applied(session, revision);
    }

    fn reported(&self, session: SessionRef, run: ReportedRun) {
        self.pod.take_run(session, run);
    }

    fn lacks_strategy(&self, session: SessionRef, strategy: String, message: String) {
        self.pod.take_strategy_error(session, strategy, message);
    }

    fn packages_synced(&self, session: SessionRef, state: ScriptPackageSyncState) {
        self.pod.take_sync_state(session, &state);
    }

    fn request(&self, session: SessionRef, request: Request) -> Option<Answer> {
        match request {
            Request::RunSecrets { .. } | Request::ConfigSecrets { .. } => {
                self.pod.take_secret_request(session, request)
            }
            Request::ScriptPackageManifest { .. } | Request::ScriptPackageBlob { .. } => {
                self.pod.look_for_package(session, request)
            }
        }
    }
}

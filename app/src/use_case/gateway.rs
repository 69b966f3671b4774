//! The port that the sockets call.

use async_trait::async_trait;
use groundcontrol_core::connection::CloseReason;
use groundcontrol_core::ports::{Attempt, Authentication, Beat, SatelliteGateway, SessionRef};

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
}

//! A socket ended (rule T4).

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::connection::{CloseReason, Command};
use groundcontrol_core::ports::{Guard, SessionRef};
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::pod::Pod;

/// Between attempts to record an end while the store is away.
const RETRY: Duration = Duration::from_secs(1);

impl Pod {
    /// Records how a session ended, as soon as the store can. A newer session, or this pod's
    /// end, makes it moot.
    pub(crate) async fn record_end(self: Arc<Self>, session: SessionRef, reason: CloseReason) {
        self.sessions.leave(session);
        if reason.cause().is_none() {
            return;
        }
        let SessionRef { satellite, epoch, .. } = session;
        let command = Command::Close { epoch, reason };
        loop {
            let origin = self.origin();
            match self.apply(satellite, None, &command, Guard::Session, &origin).await {
                Ok(applied) => {
                    debug!(%satellite, %epoch, ?reason, ?applied, "a session ended");
                    return;
                }
                Err(error) => {
                    warn!(%error, %satellite, "the end of a session waits to be recorded");
                    sleep(RETRY).await;
                }
            }
        }
    }
}

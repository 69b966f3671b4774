//! What may be recorded of a session (T1, T3, T4).

use groundcontrol_core::ports::EdgeWrite;
use groundcontrol_core::session::Ending;
use groundcontrol_core::time::Timestamp;

use super::Verdict;
use super::account::{Account, Socket};
use crate::simulation::violation::Property;

impl Account {
    /// T1, P1.
    pub(super) fn judge_connect(&mut self, write: &EdgeWrite, now: Timestamp) -> Verdict {
        let Some(session) = write.change.next.session else {
            return Err((Property::Record, "a session without an id was recorded".to_owned()));
        };
        self.heard_at(now);
        let stored = write.change.next.last_heartbeat_at;
        let socket = Socket { stored, ..Socket::default() };
        if self.sockets.insert(session, socket).is_some() {
            return Err((
                Property::Idempotent,
                format!("the session {session:?} was recorded twice"),
            ));
        }
        Ok(())
    }

    /// T3, P4.
    pub(super) fn judge_resume(&mut self, write: &EdgeWrite) -> Verdict {
        let next = &write.change.next;
        let (Some(session), Some(heard)) = (next.session, next.last_heartbeat_at) else {
            return Err((Property::Record, "a session resumed without a heartbeat".to_owned()));
        };
        if write.read.record.last_event_at.is_some_and(|lost| heard <= lost) {
            return Err((
                Property::Resumed,
                "a loss was undone by a heartbeat from before it".to_owned(),
            ));
        }
        if !self.stamp_stored(session, heard) {
            let words = format!("resumed by a heartbeat of {heard} that nobody received");
            return Err((Property::Once, words));
        }
        Ok(())
    }

    /// T4.
    pub(super) fn judge_close(&self, write: &EdgeWrite) -> Verdict {
        let (session, cause) = (write.change.next.session, write.change.edge.cause);
        let ending = session.and_then(|session| self.sockets.get(&session)?.ending);
        let told = ending.and_then(Ending::close_reason).and_then(|why| why.cause());
        if told == Some(cause) {
            return Ok(());
        }
        let how = ending.map_or("did not end", Ending::name);
        Err((Property::Closed, format!("recorded as {cause}, but its socket's end was: {how}")))
    }
}

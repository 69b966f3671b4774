//! Commits, as they are made: rules R1–R3, T1–T8 and properties P1, P2, P5, P6, P8, P12.

use futures_util::FutureExt as _;
use groundcontrol_core::connection::{Cause, TransitionKind, check_history, check_record};
use groundcontrol_core::ports::{
    CreateOutcome, CredentialChange, EdgeWrite, NewSatellite, Removal, SatelliteStore as _,
    SatelliteUpdate, WriteOutcome,
};
use groundcontrol_core::satellite::{Liveness, SatelliteId};

use super::account::Account;
use super::{Books, Judge, Verdict};
use crate::simulation::violation::Property;

impl Judge {
    /// The fleet-wide settings were set.
    pub(crate) fn liveness_set(&self, liveness: Liveness) {
        self.books.lock().default_threshold = liveness.default_threshold;
    }

    /// A satellite was made.
    pub(crate) fn created(&self, new: &NewSatellite, outcome: CreateOutcome) {
        if outcome != CreateOutcome::Created {
            return;
        }
        let (mut books, satellite) = (self.books.lock(), &new.satellite);
        let known = books.accounts.get(&satellite.id).map(|account| account.removed);
        if known.is_none() {
            let name = satellite.name.as_str().to_owned();
            let account = Account::new(name, satellite.own_threshold, &new.token);
            books.accounts.insert(satellite.id, account);
        }
        drop(books);
        if known == Some(true) {
            let words = "a satellite that was removed exists again".to_owned();
            self.object_to(Property::Removed, Some(satellite.id), words);
        }
    }

    /// A satellite was described anew.
    pub(crate) fn updated(&self, id: SatelliteId, update: &SatelliteUpdate) {
        if let (Some(own), Some(account)) =
            (update.own_threshold, self.books.lock().accounts.get_mut(&id))
        {
            account.own_threshold = own;
        }
    }

    /// An edge was written, or not.
    pub(crate) fn edge_written(&self, write: &EdgeWrite, outcome: WriteOutcome) {
        if outcome != WriteOutcome::Applied {
            return;
        }
        let (id, now) = (write.read.satellite, self.time.now());
        let mut books = self.books.lock();
        let Books { accounts, watching, default_threshold } = &mut *books;
        let Some(account) = accounts.get_mut(&id) else { return };
        let verdict = self.take_history(id, account).and_then(|()| match write.change.edge.cause {
            Cause::Authenticated | Cause::TookOver => account.judge_connect(write, now),
            Cause::HeartbeatResumed => account.judge_resume(write),
            Cause::HeartbeatTimeout => {
                let heard = account.stored_stamp(write.change.next.session);
                let silent = account.threshold(*default_threshold);
                watching.judge_loss(write, heard, silent, self.clock_error)
            }
            Cause::ClientClosed
            | Cause::ConnectionLost
            | Cause::IdleTimeout
            | Cause::ProtocolError
            | Cause::SlowConsumer
            | Cause::Revoked => account.judge_close(write),
        });
        let verdict = verdict.and_then(|()| self.judge_credential(id, account));
        drop(books);
        self.check(id, verdict);
    }

    /// Credentials were changed, or not.
    pub(crate) fn credentials_changed(&self, change: &CredentialChange, outcome: WriteOutcome) {
        if outcome != WriteOutcome::Applied {
            return;
        }
        let id = change.read.satellite;
        let mut books = self.books.lock();
        let Some(account) = books.accounts.get_mut(&id) else { return };
        let once = match account.credentials_changed(&change.action) {
            true => Ok(()),
            false => Err((Property::Idempotent, format!("{:?} was made twice", change.action))),
        };
        let verdict = once.and_then(|()| self.take_history(id, account));
        let verdict = verdict.and_then(|()| self.judge_credential(id, account));
        let harmless = match &change.edge {
            Some(edge) if account.honours(edge.next.token) => Err((
                Property::Revoked,
                format!("{:?} ended a session whose credential goes on", change.action),
            )),
            Some(_) | None => Ok(()),
        };
        drop(books);
        self.check(id, verdict.and(harmless));
    }

    /// A satellite was removed, or not.
    pub(crate) fn removed(&self, removal: &Removal, outcome: WriteOutcome) {
        if outcome != WriteOutcome::Applied {
            return;
        }
        let id = removal.read.satellite;
        let mut books = self.books.lock();
        let Some(account) = books.accounts.get_mut(&id) else { return };
        account.removed = true;
        let verdict = self.take_history(id, account);
        drop(books);
        self.check(id, verdict);
    }

    /// Reads what was committed since, and checks the record with its whole history.
    fn take_history(&self, id: SatelliteId, account: &mut Account) -> Verdict {
        let known = account.history.last().map_or(0, |last| last.seq.0);
        let read = self.memory.transitions(id, None, 4).now_or_never();
        let mut new = read.and_then(Result::ok).unwrap_or_default();
        new.retain(|transition| transition.seq.0 > known);
        new.reverse();
        let several = new.len() > 1;
        account.history.extend(new);
        let stored = self.stored(id);
        let record = stored.as_ref().map(|stored| &stored.record);
        if let Some(record) = record {
            check_record(record)
                .map_err(|fault| (Property::Record, format!("{fault}; {record:?}")))?;
        }
        check_history(&account.history, record).map_err(|fault| {
            (Property::History, format!("{fault}; last {:?}", account.history.last()))
        })?;
        if several {
            return Err((Property::History, "one write recorded several transitions".to_owned()));
        }
        let removed =
            account.history.last().is_some_and(|last| last.kind == Some(TransitionKind::Removed));
        if removed && record.is_some() {
            return Err((Property::Removed, "a removed satellite still has a record".to_owned()));
        }
        Ok(())
    }

    /// P12: no session outlives its credential.
    fn judge_credential(&self, id: SatelliteId, account: &Account) -> Verdict {
        use groundcontrol_core::connection::LifecycleEvent::{Connected, HeartbeatLost};
        let Some(record) = self.stored(id).map(|stored| stored.record) else { return Ok(()) };
        let open = matches!(record.last_event, Some(Connected | HeartbeatLost));
        if open && !account.honours(record.token) {
            let (epoch, token) = (record.epoch, record.token);
            let enabled = account.enabled;
            return Err((
                Property::Revoked,
                format!(
                    "the session of epoch {epoch} goes on with the token {token:?}, which ended \
                     (enabled: {enabled})"
                ),
            ));
        }
        Ok(())
    }
}

//! What must hold at every moment, checked from outside: against what was committed, what was
//! received, and what was told.
//!
//! The judge sits behind every simulated store connection, so that it sees each commit at the
//! moment it is made, and is told by the sockets what they received and how they ended. It keeps
//! its own account of tokens, thresholds and leases, and never asks a pod what it believes.

mod account;
mod commits;
mod edges;
mod heartbeats;
mod watch;
mod status;
mod events;

use std::collections::BTreeMap;

use groundcontrol_core::connection::TransitionKind;
use groundcontrol_core::ports::{SatelliteStore as _, StoredSatellite};
use groundcontrol_core::satellite::{Epoch, SatelliteId};
use groundcontrol_core::time::Millis;
use groundcontrol_memory::MemoryStore;
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::account::Account;
pub(super) use self::events::Follower;
use self::watch::Watching;
use super::clock::StoreTime;
use super::violation::{Class, Property, Violation};

/// The judge of one run.
pub(super) struct Judge {
    memory: MemoryStore,
    time: StoreTime,
    clock_error: Millis,
    books: Mutex<Books>,
    violation: Mutex<Option<Violation>>,
    violated: Notify,
}

/// Everything that the judge remembers.
#[derive(Default)]
struct Books {
    accounts: BTreeMap<SatelliteId, Account>,
    default_threshold: Millis,
    watching: Watching,
}

/// What a check answers: the property and what was seen, where it does not hold.
type Verdict = Result<(), (Property, String)>;

impl Judge {
    /// A judge of what happens in `memory`.
    pub(super) fn new(memory: MemoryStore, time: StoreTime, clock_error: Millis) -> Self {
        Self {
            memory,
            time,
            clock_error,
            books: Mutex::default(),
            violation: Mutex::default(),
            violated: Notify::new(),
        }
    }

    /// Something must not be; the first such thing counts.
    pub(super) fn object(&self, violation: Violation) {
        self.violation.lock().get_or_insert(violation);
        self.violated.notify_one();
    }

    /// Something did not happen in time.
    pub(super) fn object_to_delay(
        &self,
        property: Property,
        satellite: Option<SatelliteId>,
        words: String,
    ) {
        self.object(Violation { class: Class::Liveness, property, words, satellite });
    }

    /// Something happened that never must.
    pub(super) fn object_to(
        &self,
        property: Property,
        satellite: Option<SatelliteId>,
        words: String,
    ) {
        self.object(Violation { class: Class::Safety, property, words, satellite });
    }

    fn check(&self, satellite: SatelliteId, verdict: Verdict) {
        if let Err((property, words)) = verdict {
            self.object_to(property, Some(satellite), words);
        }
    }

    /// Waits until something must not be.
    pub(super) async fn violated(&self) {
        self.violated.notified().await;
    }

    /// The first violation.
    pub(super) fn verdict(&self) -> Option<Violation> {
        self.violation.lock().clone()
    }

    /// What is stored of a satellite, straight from the store.
    pub(super) fn stored(&self, id: SatelliteId) -> Option<StoredSatellite> {
        use futures_util::FutureExt as _;
        self.memory.get(id).now_or_never().and_then(Result::ok).flatten()
    }

    /// The satellites that exist.
    pub(super) fn satellites(&self) -> Vec<SatelliteId> {
        let books = self.books.lock();
        books.accounts.iter().filter(|(_, a)| !a.removed).map(|(id, _)| *id).collect()
    }

    /// How many edges of a satellite were recorded, and the last with its epoch.
    pub(super) fn last_edge(&self, id: SatelliteId) -> (usize, Option<(TransitionKind, Epoch)>) {
        let books = self.books.lock();
        let history = books.accounts.get(&id).map_or(&[][..], |account| &account.history);
        let last = history.last().and_then(|last| Some((last.kind?, last.epoch)));
        (history.len(), last)
    }

    /// The name of a satellite, as traces and reports have it.
    pub(super) fn name(&self, id: SatelliteId) -> String {
        let books = self.books.lock();
        books.accounts.get(&id).map_or_else(|| id.to_string(), |account| account.name.clone())
    }
}

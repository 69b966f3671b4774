//! What satellites run: the ports that know it, and what this pod must still tell its sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use groundcontrol_core::assignment::{Configuration, Fingerprint, Json, Revision};
use groundcontrol_core::ports::{AssignmentSource, RevisionStore, WorkStore};
use groundcontrol_core::satellite::SatelliteId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The ports of the work.
#[derive(Clone)]
pub struct WorkPorts {
    /// What operators want done.
    pub store: Arc<dyn WorkStore>,
    /// What follows for each satellite.
    pub source: Arc<dyn AssignmentSource>,
    /// What each was told, and runs.
    pub revisions: Arc<dyn RevisionStore>,
}

/// The ports, with what waits.
pub struct Work {
    pub(crate) ports: WorkPorts,
    /// Told when there is something to look at.
    pub(crate) look: Notify,
    /// Told when an agent said what it runs.
    pub(crate) said: Notify,
    /// Told when satellites were told something new.
    pub(crate) told: Notify,
    asked: Mutex<Asked>,
    announced: Mutex<BTreeSet<SatelliteId>>,
    /// Counts what was heard of changes.
    heard: AtomicU64,
    applied: Mutex<BTreeMap<SatelliteId, Revision>>,
    policy: Mutex<Option<Json>>,
    shared: Mutex<BTreeMap<Fingerprint, Weak<Configuration>>>,
}

/// Whose work is to be looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Everybody's, the sandbox policy, and the packages.
    pub all: bool,
    /// Which packages there shall be.
    pub packages: bool,
    /// Theirs.
    pub some: BTreeSet<SatelliteId>,
}

impl Work {
    /// The work of a pod that begins, with the policy that is in force.
    pub fn new(ports: WorkPorts, policy: Option<Json>) -> Self {
        Self {
            ports,
            look: Notify::new(),
            said: Notify::new(),
            told: Notify::new(),
            asked: Mutex::default(),
            announced: Mutex::default(),
            heard: AtomicU64::new(0),
            applied: Mutex::default(),
            policy: Mutex::new(policy),
            shared: Mutex::default(),
        }
    }

    /// Asks for a look at everybody's work.
    pub fn ask_all(&self) {
        self.heard.fetch_add(1, Ordering::AcqRel);
        self.asked.lock().all = true;
        self.look.notify_one();
    }

    /// Asks for a look at which packages there shall be.
    pub fn ask_packages(&self) {
        self.asked.lock().packages = true;
        self.look.notify_one();
    }

    /// Asks for a look at one satellite's work.
    pub fn ask(&self, satellite: SatelliteId) {
        self.heard.fetch_add(1, Ordering::AcqRel);
        self.asked.lock().some.insert(satellite);
        self.look.notify_one();
    }

    /// A satellite was told another configuration: all pods shall hear of it.
    pub fn announce(&self, satellite: SatelliteId) {
        self.announced.lock().insert(satellite);
        self.told.notify_one();
    }

    /// Takes at most `most` of those that shall be heard of.
    pub fn take_announced(&self, most: usize) -> Vec<SatelliteId> {
        let mut announced = self.announced.lock();
        std::iter::from_fn(|| announced.pop_first()).take(most).collect()
    }

    /// How often something was heard to have changed.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Acquire)
    }

    /// Takes what was asked for.
    pub fn take_asked(&self) -> Asked {
        std::mem::take(&mut self.asked.lock())
    }

    /// Puts back what could not be looked at.
    pub fn put_back(&self, asked: Asked) {
        let mut waiting = self.asked.lock();
        waiting.all |= asked.all;
        waiting.packages |= asked.packages;
        waiting.some.extend(asked.some);
    }

    /// The sandbox policy that satellites are told.
    pub fn policy(&self) -> Option<Json> {
        self.policy.lock().clone()
    }

    /// Sets the sandbox policy; answers whether it is another.
    pub fn set_policy(&self, policy: Option<Json>) -> bool {
        let mut held = self.policy.lock();
        let is_news = *held != policy;
        *held = policy;
        is_news
    }

    /// An agent said which revision it runs: the latest word counts.
    pub fn applied(&self, satellite: SatelliteId, revision: Revision) {
        self.applied.lock().insert(satellite, revision);
        self.said.notify_one();
    }

    /// Takes what agents said.
    pub fn take_applied(&self) -> Vec<(SatelliteId, Revision)> {
        std::mem::take(&mut *self.applied.lock()).into_iter().collect()
    }

    /// Puts back what could not be stored, unless they said something since.
    pub fn put_back_applied(&self, applied: Vec<(SatelliteId, Revision)>) {
        let mut waiting = self.applied.lock();
        for (satellite, revision) in applied {
            waiting.entry(satellite).or_insert(revision);
        }
    }

    /// The one copy of `configuration` in this pod, so that what many run is kept, and made into
    /// text, once.
    pub fn shared(&self, configuration: Arc<Configuration>) -> Arc<Configuration> {
        let mut shared = self.shared.lock();
        let fingerprint = configuration.fingerprint();
        if let Some(known) = shared.get(&fingerprint).and_then(Weak::upgrade) {
            return known;
        }
        if shared.len() >= 64 && shared.len().is_power_of_two() {
            shared.retain(|_, one| one.strong_count() > 0);
        }
        shared.insert(fingerprint, Arc::downgrade(&configuration));
        configuration
    }
}

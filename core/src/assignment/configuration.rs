//! What one satellite runs.

use std::fmt;
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use super::{Assertion, Check, CheckId, Collector, Revision, System, SystemId};
use crate::hex;
use crate::packages::LockfileHash;

/// Everything that one satellite runs. Satellites that run the same share one.
pub struct Configuration {
    assigned: Vec<Assigned>,
    fingerprint: Fingerprint,
    rendered: OnceLock<Box<str>>,
}

/// One check of one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// How.
    pub check: Arc<Check>,
    /// What.
    pub system: Arc<System>,
}

/// A configuration with the revision under which a satellite is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// What it runs.
    pub configuration: Arc<Configuration>,
    /// The revision.
    pub revision: Revision,
    /// The lockfile of the packages that scripts import, or none; none at all where this server
    /// distributes none.
    pub packages: Option<Option<LockfileHash>>,
}

/// Stands for what a configuration says: two are the same when their fingerprints are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// The stored text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has 64 hexadecimal digits")]
pub struct NotAFingerprint;

impl Configuration {
    /// All of `assigned`, each pair of check and system once, in the order of their ids.
    pub fn new(mut assigned: Vec<Assigned>) -> Self {
        assigned.sort_by_key(Assigned::pair);
        assigned.dedup_by_key(|one| one.pair());
        let fingerprint = Fingerprint::of(&assigned);
        Self { assigned, fingerprint, rendered: OnceLock::new() }
    }

    /// What is run, in the order of ids.
    pub fn assigned(&self) -> &[Assigned] {
        &self.assigned
    }

    /// What it says, in short.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// This check of this system, if it is run: the rule by which a result counts.
    pub fn find(&self, check: CheckId, system: SystemId) -> Option<&Assigned> {
        let place = self.assigned.binary_search_by_key(&(check, system), Assigned::pair);
        place.ok().and_then(|at| self.assigned.get(at))
    }

    /// The first assignment of this check, whichever the system.
    pub fn of_check(&self, check: CheckId) -> Option<&Assigned> {
        let first = self.assigned.partition_point(|one| one.check.id < check);
        self.assigned.get(first).filter(|one| one.check.id == check)
    }

    /// The text in which an adapter sends it, made once for all satellites that share it.
    pub fn rendered(&self, render: impl FnOnce(&[Assigned]) -> Box<str>) -> &str {
        self.rendered.get_or_init(|| render(&self.assigned))
    }
}

impl Assigned {
    /// What names it.
    pub fn pair(&self) -> (CheckId, SystemId) {
        (self.check.id, self.system.id)
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl PartialEq for Configuration {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Configuration {}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Configuration({} assigned, {})", self.assigned.len(), self.fingerprint)
    }
}

impl Fingerprint {
    /// That of a satellite which has nothing to run.
    pub fn of_nothing() -> Self {
        Self::of(&[])
    }

    fn of(assigned: &[Assigned]) -> Self {
        let mut digest = Sha256::new();
        for Assigned { check, system } in assigned {
            let mut text = |part: &str| feed(&mut digest, part);
            text(&check.id.to_string());
            text(&system.id.to_string());
            for part in [check.name.as_str(), check.strategy.as_str(), check.config.as_str()] {
                text(part);
            }
            text(&check.interval.seconds().to_string());
            text(system.name.as_str());
            text(system.metadata.as_str());
            text(&check.collectors.as_slice().len().to_string());
            check.collectors.as_slice().iter().for_each(|one| feed_collector(&mut digest, one));
        }
        Self(digest.finalize().into())
    }
}

fn feed_collector(digest: &mut Sha256, collector: &Collector) {
    for part in [collector.id.as_str(), &collector.collector_id, collector.config.as_str()] {
        feed(digest, part);
    }
    feed(digest, &collector.assertions.len().to_string());
    for Assertion { field, json_path, operator, value } in &collector.assertions {
        feed(digest, field);
        feed(digest, operator);
        for part in [json_path.as_deref(), value.as_ref().map(|value| value.as_str())] {
            feed(digest, if part.is_some() { "some" } else { "none" });
            feed(digest, part.unwrap_or_default());
        }
    }
}

/// With its length, so that no two lists of texts feed the same bytes.
fn feed(digest: &mut Sha256, part: &str) {
    digest.update((part.len() as u64).to_be_bytes());
    digest.update(part.as_bytes());
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Fingerprint {
    type Err = NotAFingerprint;
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        hex::read(text).map(Self).ok_or(NotAFingerprint)
    }
}

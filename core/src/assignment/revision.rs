//! How a satellite's configurations are numbered.

use std::fmt;

use super::{Configuration, Fingerprint};

/// The number of a satellite's configuration: 0 for one that never had work, and one more with
/// every change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// What is stored of a satellite's configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredRevision {
    /// The latest.
    pub revision: Revision,
    /// What it says.
    pub fingerprint: Fingerprint,
    /// The one that its agent said it runs.
    pub applied: Option<Revision>,
}

/// What becomes of a stored revision once a configuration has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revised {
    /// It is what is stored, under this revision.
    Same(Revision),
    /// It is new: to be stored under this revision, if the one stored is still as read.
    Next(Revision),
}

impl Default for StoredRevision {
    /// Of a satellite that never had work.
    fn default() -> Self {
        let fingerprint = Fingerprint::of_nothing();
        Self { revision: Revision::default(), fingerprint, applied: None }
    }
}

impl StoredRevision {
    /// The rule: a revision grows by one when what the configuration says changes, and never
    /// otherwise. What is stored must have been read before the configuration was, so that of two
    /// pods which read different ones the later read wins.
    pub fn revised(&self, configuration: &Configuration) -> Revised {
        if self.fingerprint == configuration.fingerprint() {
            Revised::Same(self.revision)
        } else {
            Revised::Next(self.revision.next())
        }
    }
}

impl Revision {
    /// The revision after the next change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

//! What keeps a thing as it is described somewhere.

use std::fmt;

/// A program that made a satellite, system, check or assignment and keeps it as it is described
/// elsewhere. It may remove what it made, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Manager {
    /// Documents that are kept in Git.
    GitOps,
}

impl Manager {
    /// Every manager.
    pub const ALL: &'static [Self] = &[Self::GitOps];

    /// The name in store and API.
    ///
    /// ```
    /// use groundcontrol_core::desired::Manager;
    /// assert_eq!(Manager::from_name(Manager::GitOps.name()), Some(Manager::GitOps));
    /// assert_eq!(Manager::from_name("somebody"), None);
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::GitOps => "gitops",
        }
    }

    /// The manager called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|manager| manager.name() == name)
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! What a run must never show.

use std::fmt;

use groundcontrol_core::satellite::SatelliteId;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which kind of promise.
    pub class: Class,
    /// The rule or property, by its number or its name.
    pub property: &'static str,
    /// What was seen and why that must not be.
    pub words: String,
    /// The satellite that it was seen at, if it was one.
    pub satellite: Option<SatelliteId>,
}

/// The two kinds of promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Something happened that must never happen, whatever else goes wrong.
    Safety,
    /// Something did not happen in time, although everything worked again.
    Liveness,
}

impl Class {
    /// The exit code that tells it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Safety => 2,
            Self::Liveness => 3,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safety => "safety",
            Self::Liveness => "liveness",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.property, self.class, self.words)
    }
}

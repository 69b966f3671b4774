//! What a proof found.

use std::fmt;

/// A rule or property of ARCHITECTURE.md, "The rules".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// `last_event` is none ⇔ `epoch = 0` ⇔ `seq = 0`.
    R1,
    /// A heartbeat time is present when connected or lost, absent when disconnected.
    R2,
    /// Online exactly when connected and heard within the threshold.
    S1,
    /// Doing a command twice is doing it once.
    P1,
    /// No command of an older epoch, or of a closed session, changes the record.
    P2,
    /// Without heartbeats every reader sees offline once the threshold has passed.
    P3,
    /// At most one loss between two heartbeats; exactly one when the silence was watched.
    P4,
    /// The edges of an epoch follow the grammar, and epochs follow one another.
    P5,
    /// Folding the transitions gives the record.
    P6,
    /// A run gives what some serial order gives.
    P7,
    /// `seq` grows by one; no transition is lost or doubled.
    P8,
    /// A satellite that is heard on an open session is connected and online.
    P9,
    /// Nobody is lost for a silence in which nobody listened.
    P10,
    /// Wrong clocks change nothing.
    P11,
    /// No session outlives its credential, and no newer session is harmed by its end.
    P12,
    /// What came of a step is what the transition rules T1–T8 say.
    Table,
}

/// A property that does not hold, and how that was seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property} ({}): {seen}", property.title())]
pub struct Fault {
    /// Which.
    pub property: Property,
    /// What was seen instead.
    pub seen: String,
}

impl Fault {
    /// `property` does not hold: `seen`.
    pub fn new(property: Property, seen: impl Into<String>) -> Self {
        Self { property, seen: seen.into() }
    }
}

impl Property {
    /// The property in a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::R1 => "never connected is all or nothing",
            Self::R2 => "heartbeat time fits the last event",
            Self::S1 => "status on read",
            Self::P1 => "idempotent",
            Self::P2 => "fenced",
            Self::P3 => "never stuck",
            Self::P4 => "once",
            Self::P5 => "grammar",
            Self::P6 => "history is state",
            Self::P7 => "serial",
            Self::P8 => "gapless",
            Self::P9 => "recovers",
            Self::P10 => "blind",
            Self::P11 => "skew",
            Self::P12 => "revoked",
            Self::Table => "transition table",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

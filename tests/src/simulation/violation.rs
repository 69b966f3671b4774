//! What a run must never show.

use std::fmt;

use groundcontrol_core::satellite::SatelliteId;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which kind of promise.
    pub class: Class,
    /// The rule or property.
    pub property: Property,
    /// What was seen and why that must not be.
    pub words: String,
    /// The satellite that it was seen at, if it was one.
    pub satellite: Option<SatelliteId>,
}

/// What is promised, by the numbers of ARCHITECTURE.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// P1.
    Idempotent,
    /// P2.
    Fenced,
    /// P3 and S1.
    Status,
    /// P4.
    Once,
    /// P5, P6 and P8.
    History,
    /// P9.
    Recovers,
    /// P10.
    Blind,
    /// P12.
    Revoked,
    /// E3.
    Delivered,
    /// R1 and R2.
    Record,
    /// T2.
    Stored,
    /// T3.
    Resumed,
    /// T4.
    Closed,
    /// T5.
    Lost,
    /// T7.
    Removed,
    /// No task of a pod panics.
    NoPanic,
    /// No pod keeps a session that is over.
    NothingLeft,
    /// Every pod goes on.
    NothingStuck,
}

impl Property {
    /// Its number, if it has one, and the promise in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Idempotent => "P1: doing a command twice is doing it once",
            Self::Fenced => {
                "P2: no command of an older epoch, or of a closed session, changes the record"
            }
            Self::Status => {
                "P3, S1: every reader, on any pod, computes the status from what is stored, and \
                 nobody is online who was silent for longer than the threshold"
            }
            Self::Once => {
                "P4: each silence is recorded once, and ended by a heartbeat that was sent"
            }
            Self::History => {
                "P5, P6, P8: a history has no gap, follows the grammar of edges, and gives the record"
            }
            Self::Recovers => {
                "P9: whoever heartbeats steadily, through a pod that can store, is connected and online"
            }
            Self::Blind => {
                "P10: where nobody watched for a while, nobody is lost before a full threshold more"
            }
            Self::Revoked => {
                "P12: a session has no effect after its credential's end, and that end harms no other"
            }
            Self::Delivered => {
                "E3: each recorded event, and no other, is told to every subscriber, once and in order"
            }
            Self::Record => {
                "R1, R2: a record has a heartbeat time and a session exactly where it must"
            }
            Self::Stored => {
                "T2: a heartbeat that a pod took is stored with its own time, and no other is"
            }
            Self::Resumed => "T3: a loss is undone only by a heartbeat from after it",
            Self::Closed => {
                "T4: an end is recorded as it came about, and not where the pod itself is stopping"
            }
            Self::Lost => {
                "T5: a loss is recorded only after a silence beyond the threshold, by a pod that watches"
            }
            Self::Removed => "T7: a removed satellite is gone for good",
            Self::NoPanic => "no task of a pod panics",
            Self::NothingLeft => "no pod keeps a session that is over",
            Self::NothingStuck => "every pod goes on, whatever happened to it",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
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
        write!(f, "{} violated: {}: {}", self.class, self.property, self.words)
    }
}

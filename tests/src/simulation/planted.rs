//! Bugs that are planted on purpose, so that a test can see that they are caught.

use super::violation::Class;

/// A bug in the wiring of the simulated pods, or in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlantedBug {
    /// An event is told before its state is committed.
    EventBeforeState,
    /// Two dispatchers feed one stream.
    DoubledDispatcher,
    /// A pod answers the status that it remembers.
    StatusFromMemory,
    /// Heartbeats that could not be stored are not put back.
    HeartbeatsDropped,
    /// A draining pod records that its sockets closed.
    CloseOnDrain,
    /// The store does not compare the credential version when a session is recorded.
    CredentialNotCompared,
    /// The store does not compare heartbeat, threshold and watch span when a loss is recorded.
    SilenceNotCompared,
    /// The span of watching goes on while no pod watches.
    WatchNeverLapses,
    /// A change of credentials whose answer was lost is made once more, come what may meanwhile.
    CredentialChangeRepeated,
    /// A socket is not told that its session is fenced.
    FencedNotTold,
    /// After one failed read the dispatcher follows the store no more.
    DispatcherStops,
}

impl PlantedBug {
    /// Every planted bug.
    pub const ALL: &'static [Self] = &[
        Self::EventBeforeState,
        Self::DoubledDispatcher,
        Self::StatusFromMemory,
        Self::HeartbeatsDropped,
        Self::CloseOnDrain,
        Self::CredentialNotCompared,
        Self::SilenceNotCompared,
        Self::WatchNeverLapses,
        Self::CredentialChangeRepeated,
        Self::FencedNotTold,
        Self::DispatcherStops,
    ];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventBeforeState => "event-before-state",
            Self::DoubledDispatcher => "doubled-dispatcher",
            Self::StatusFromMemory => "status-from-memory",
            Self::HeartbeatsDropped => "heartbeats-dropped",
            Self::CloseOnDrain => "close-on-drain",
            Self::CredentialNotCompared => "credential-not-compared",
            Self::SilenceNotCompared => "silence-not-compared",
            Self::WatchNeverLapses => "watch-never-lapses",
            Self::CredentialChangeRepeated => "credential-change-repeated",
            Self::FencedNotTold => "fenced-not-told",
            Self::DispatcherStops => "dispatcher-stops",
        }
    }

    /// Which kind of promise it breaks.
    pub const fn class(self) -> Class {
        match self {
            Self::EventBeforeState
            | Self::DoubledDispatcher
            | Self::StatusFromMemory
            | Self::HeartbeatsDropped
            | Self::CloseOnDrain
            | Self::CredentialNotCompared
            | Self::SilenceNotCompared
            | Self::WatchNeverLapses
            | Self::CredentialChangeRepeated => Class::Safety,
            Self::FencedNotTold | Self::DispatcherStops => Class::Liveness,
        }
    }
}

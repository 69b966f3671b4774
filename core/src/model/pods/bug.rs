//! Deliberate bugs in what pods do around the decisions.

/// A pod that does one thing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PodBug {
    /// A Connect that is repeated reads its `seen_epoch` anew.
    ConnectReadsAgain,
    /// A revocation is repeated without a look whether it was done.
    RevokesAgain,
    /// The waiting heartbeats of a satellite are coalesced across epochs.
    CoalescesAcrossEpochs,
    /// A heartbeat gets the time at which it is stored instead of that of its receipt.
    StampsAtFlush,
    /// Time is taken from the machine's wall clock.
    StampsByWallClock,
    /// A pod that fell silent says that it had been watching all along.
    RenewsAfterwards,
    /// A pod remembers the status that it saw last.
    RemembersStatus,
}

impl PodBug {
    /// Every bug.
    pub const ALL: &'static [Self] = &[
        Self::ConnectReadsAgain,
        Self::RevokesAgain,
        Self::CoalescesAcrossEpochs,
        Self::StampsAtFlush,
        Self::StampsByWallClock,
        Self::RenewsAfterwards,
        Self::RemembersStatus,
    ];
}

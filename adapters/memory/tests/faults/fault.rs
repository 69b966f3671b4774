//! Ways in which a satellite store can be wrong.

/// One way; each is a mistake that somebody could make in an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// None: the wrapper itself is right.
    Nothing,
    /// An edge is written whatever was written since the read.
    IgnoresSeq,
    /// A connect is written whatever became of the credential.
    IgnoresCredentialVersion,
    /// A silence is written though the satellite was heard.
    IgnoresHeartbeat,
    /// A silence is written though the satellite's own threshold changed.
    IgnoresOwnThreshold,
    /// A silence is written though the default threshold changed.
    IgnoresDefaultThreshold,
    /// A silence is written though watching lapsed.
    IgnoresWatchSpan,
    /// A silence is written by a pod without a lease.
    IgnoresLease,
    /// A silence is written by a pod without a lease while any other pod has one.
    TakesAnyPodsLease,
    /// A lease ends one millisecond early.
    LeaseEndsEarly,
    /// Heartbeats are coalesced across epochs.
    BeatsAcrossEpochs,
    /// Heartbeats of a lost session count as applied, and are lost with it.
    SwallowsBeatsOfLostSessions,
    /// The heartbeat time is the one that came last.
    BeatsBackInTime,
    /// The heartbeat time is not bounded by now.
    BeatsAheadOfNow,
    /// Heartbeats that are no news count as not applied.
    RefusesStaleBeats,
    /// Online ids are those heard within less than the threshold.
    OnlineBelowThreshold,
    /// Lists filter by the heartbeat alone.
    StatusFromHeartbeatAlone,
    /// Lists and online ids use the default threshold for all.
    StatusByDefaultThreshold,
    /// A transition that is not the first is not stored.
    LosesTransition,
    /// Transitions show the names of today.
    RenamesHistory,
    /// A connect makes a removed satellite again.
    ConnectMakesRemovedAgain,
    /// A removal leaves no transition.
    RemovesSilently,
    /// The same creation again is refused.
    CreateTwiceIsRefused,
    /// The same creation again resets the satellite's description.
    CreateTwiceResets,
    /// An update to a taken name changes the rest.
    UpdatesHalfway,
    /// Text is a pattern.
    TextIsPattern,
    /// Lists are ordered without regard to case.
    ListIgnoresCase,
    /// Events are ordered by satellite.
    EventsBySatellite,
    /// Events get their places before they can be read, so that a later one may be read first.
    EventsAppearLate,
    /// Places of events are counted from the oldest that is left.
    CursorsAreCounted,
    /// One conflict in a batch of edges stops the rest.
    BatchStopsAtConflict,
    /// One conflict in a batch of edges undoes all.
    BatchIsAllOrNothing,
    /// A revocation writes the edge and the credential one after the other.
    RevokesInTwoWrites,
    /// A change of credentials is written whatever their version.
    ChangesAnyVersion,
    /// A rehash counts as a change.
    RehashGrowsVersion,
    /// An overlap sets the end of old tokens also where they end earlier.
    OverlapLengthens,
    /// A satellite is overdue at the end of threshold and settle.
    OverdueEarly,
    /// The overdue are found without the span of watching.
    OverdueIgnoresWatching,
    /// The overdue come in the order of their ids.
    OverdueById,
    /// The next threshold is that of the default.
    NextThresholdByDefault,
    /// The span of watching goes on after a lapse.
    SpanNeverLapses,
    /// Ending a lease does nothing.
    LeaseCannotBeEnded,
    /// Guards are checked before the write and not in it.
    ChecksThenWrites,
    /// A batch of more than 10,000 is cut.
    CutsLongBatches,
    /// Tags are not stored.
    DropsTags,
    /// What agents say of themselves is not stored.
    ForgetsAgents,
    /// An update without tags clears them.
    UpdateClearsTags,
    /// Names that differ in case are the same.
    NamesIgnoreCase,
    /// A name that anybody ever had is taken.
    NamesStayTaken,
    /// A satellite's own name is taken.
    OwnNameIsTaken,
    /// A region selects all that begin with it.
    RegionIsPrefix,
    /// One tag of a query is enough.
    AnyTagWillDo,
    /// Text is found in its own case only.
    TextMindsCase,
    /// Text is found in names only.
    TextInNamesOnly,
    /// A page begins with the last of the one before.
    PagesOverlap,
    /// A page is cut before it is filtered.
    CutsBeforeFiltering,
    /// Who never connected is not listed.
    HidesNeverConnected,
    /// An id that was asked for twice is answered twice.
    AnswersTwice,
    /// The smallest threshold is the default.
    SmallestIsDefault,
    /// Setting the fleet's settings answers the new ones.
    AnswersNewSettings,
    /// Every lease begins a span of its own.
    EveryLeaseIsASpan,
    /// Tokens expire one millisecond late.
    ExpiresLate,
    /// All expired tokens are answered, however few were asked for.
    ExpiredWithoutLimit,
    /// Slow hashes are overlooked.
    OverlooksSlowHashes,
    /// A removal is written whatever was written since the read.
    RemovesAnyState,
    /// An overlap replaces the old tokens.
    OverlapReplaces,
    /// A connect does not store which token it came with.
    ConnectForgetsToken,
    /// A crash loses everything.
    ForgetsInCrash,
    /// A call panics.
    Panics,
    /// A call fails.
    Fails,
    /// A call never answers.
    Hangs,
}

//! Ways in which a store of work, revisions and runs can be wrong.

/// One way; each is a mistake that somebody could make in an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkFault {
    /// None: the wrapper itself is right.
    Nothing,
    /// Metadata is written anew instead of kept.
    RewritesJson,
    /// A system that is made again is changed.
    CreateTwiceResets,
    /// Systems may share a name.
    NamesMayBeShared,
    /// A change of a check without collectors clears them.
    UpdateClearsCollectors,
    /// A change of what is not there counts as made.
    ChangesNothingQuietly,
    /// A refused change leaves what it could change changed.
    UpdatesHalfway,
    /// Systems are listed by their ids.
    ListsSystemsById,
    /// Assignments may name satellites that do not exist.
    AssignsToNobody,
    /// Lists of assignments look at the check alone.
    ListsByCheckAlone,
    /// New satellites of an assignment are added to the old.
    TargetsGrow,
    /// A check's assignments stay when it goes.
    KeepsAssignments,
    /// A policy cannot be unset.
    PolicyStays,
    /// What cannot be read counts as no work.
    EmptyByAccident,
    /// Answers come in the order of ids.
    AnswersInOrderOfIds,
    /// A configuration is remembered for as long as the store is open.
    RemembersConfigurations,
    /// Each satellite has a copy of its own.
    CopiesConfigurations,
    /// A revision is stored whatever was stored.
    StoresAnyRevision,
    /// The same revision again is refused.
    RefusesRepeatedRevision,
    /// One refused revision stops the rest.
    StopsAtRefusedRevision,
    /// What an agent runs goes back.
    AppliedGoesBack,
    /// What an agent says it runs is believed whatever it was told.
    AppliedRunsAhead,
    /// Revisions of satellites that are gone are answered.
    RevisionsOutlive,
    /// Every run is kept, repetitions too.
    KeepsRepetitions,
    /// Runs with the same id are one, whoever ran them.
    IdsAreShared,
    /// Runs are listed in the order in which they came.
    ListsRunsAsTheyCame,
    /// A list goes on after the time of the last run, not after the run.
    PagesByTimeAlone,
    /// Of runs the newest are deleted first.
    PrunesNewestFirst,
    /// All old runs are deleted, however few were asked for.
    PrunesWithoutLimit,
    /// Of what agents lack the first word stays.
    FirstErrorStays,
    /// Results are written anew instead of kept.
    DropsFailures,
    /// A batch of runs is cut.
    CutsLongBatches,
    /// The latest run is the one that came last.
    LatestIsLastToCome,
    /// Environments share a latest run.
    LatestForgetsEnvironment,
    /// Filters of the latest runs by satellite are overlooked.
    LatestOverlooksSatellite,
    /// Of the latest runs a page begins with the last of the one before.
    LatestPagesOverlap,
    /// What was pruned stays the latest.
    LatestOutlives,
    /// A check is quiet one millisecond late.
    QuietLate,
    /// Quiet counts from when the check was made.
    QuietSinceCheck,
    /// Runs do not end the quiet.
    QuietForgetsRuns,
    /// Status goes by the last edge alone.
    QuietStatusFromEdge,
    /// Selectors select nobody.
    QuietForgetsSelectors,
    /// The last assignment of a pair counts alone.
    QuietCountsOneAssignment,
    /// Pages of quiet checks begin anew.
    QuietIgnoresCursor,
    /// A crash loses everything.
    ForgetsInCrash,
}

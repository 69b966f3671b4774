//! Ways in which a store of packages can be wrong.

/// One way; each is a mistake that somebody could make in an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackageFault {
    /// None: the wrapper itself is right.
    Nothing,
    /// What nobody ever said has a time.
    SinceAlways,
    /// Of several versions the order is lost.
    SortsVersions,
    /// A lockfile is set in place of whichever there is.
    IgnoresExpected,
    /// Who was overtaken is not told by what.
    OvertakenByNothing,
    /// A lockfile is set whatever is held of it.
    PublishesHalf,
    /// Of the blobs that are missing the first is told.
    TellsOneMissing,
    /// What is desired already counts anew.
    RestampsRepetitions,
    /// A lockfile that was replaced is gone at once.
    ForgetsReplaced,
    /// Blobs are answered in another order.
    AnswersInAnotherOrder,
    /// Blobs that are not held are left out.
    LeavesOut,
    /// To ask for a blob does not keep it.
    WantingKeepsNothing,
    /// Of two uploads of a blob the later counts.
    LastUploadCounts,
    /// A key is that of the blob that had it first.
    FirstKeyStays,
    /// What is desired ages out too.
    ForgetsDesired,
    /// A lockfile that was replaced once ages out although it is desired again.
    ForgetsDesiredAgain,
    /// Nothing is forgotten.
    NeverForgets,
    /// What is as old as it may be is forgotten.
    ForgetsAtItsTime,
    /// Names of blobs are told apart by the hash alone.
    UnheldByHash,
    /// What strangers say is stored.
    ListensToStrangers,
    /// What a removed satellite said stays.
    StatesOutlive,
    /// Of what a satellite says the first word stays.
    FirstWordStays,
    /// States are listed backwards.
    ListsBackwards,
    /// A page begins with the last of the one before.
    PagesOverlap,
    /// A crash loses everything.
    ForgetsInCrash,
}

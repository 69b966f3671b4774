//! Ways in which a store of webhooks can be wrong.

/// One way; each is a mistake that somebody could make in an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebhookFault {
    /// None: the wrapper itself is right.
    Nothing,
    /// That a secret expires is not stored.
    DropsExpiry,
    /// A change without headers clears them.
    UpdateClearsHeaders,
    /// A change without secrets clears them.
    UpdateClearsSecrets,
    /// A change of what is not there counts as made.
    ChangesNothingQuietly,
    /// Webhooks may share a name.
    NamesMayBeShared,
    /// There may be any number.
    TakesAnyNumber,
    /// They are listed by their ids.
    ListsById,
    /// What is not there can be removed, again and again.
    RemovesNothing,
    /// A new webhook looks at all that ever happened.
    BeginsWithThePast,
    /// Events are no reason to work for a webhook.
    IdleForgetsEvents,
    /// Deliveries are no reason to work for a webhook.
    IdleForgetsDeliveries,
    /// Who is claimed already is offered too.
    IdleIgnoresClaims,
    /// Who is paused is offered too.
    IdleIgnoresPauses,
    /// What was delivered counts as waiting.
    BacklogCountsAll,
    /// What waits for others counts too.
    BacklogCountsOthers,
    /// What is not there has an empty backlog.
    BacklogOfNothing,
    /// A claim is given out whoever has one.
    ClaimsHeld,
    /// A claim is given out although the webhook is paused.
    ClaimsPaused,
    /// A lease never ends.
    LeasesForEver,
    /// Claims of a webhook are all the same.
    ClaimsAreTheSame,
    /// A claim that was lost can be renewed.
    RenewsLost,
    /// A renewal changes nothing.
    RenewalsDoNothing,
    /// A claim that was lost takes the claim of another with it.
    ReleasesOthers,
    /// A claim that was lost makes deliveries.
    EnqueuesUnfenced,
    /// A claim that was lost records attempts.
    RecordsUnfenced,
    /// An event that is queued again is a further delivery.
    MakesDoubles,
    /// The cursor stays where it was.
    CursorStays,
    /// The cursor can be set back.
    CursorGoesBack,
    /// All deliveries of a satellite are due at once.
    DueForgetsOrder,
    /// Of a satellite the first whose time has come is due, whatever waits before it.
    DueByTimeAlone,
    /// Those that waited longest come last.
    DueNewestFirst,
    /// What waits is due at any time.
    DueIgnoresTime,
    /// All that is due is answered, however few were asked for.
    DueIgnoresLimit,
    /// A satellite's deliveries to other webhooks hold up this one's.
    DueWaitsForOthers,
    /// Those behind one that waits keep their time.
    LaterDoNotWait,
    /// Those that are made while one waits do not wait with it.
    NewDoNotWait,
    /// An attempt counts however often it is told.
    CountsEveryAttempt,
    /// What was delivered can be attempted again.
    ReopensDone,
    /// How a webhook fares is not stored.
    HealthStays,
    /// A reason to pause takes the place of another.
    PausesAgain,
    /// No reason to pause is taken.
    NeverPauses,
    /// Of what is listed the state is overlooked.
    ListIgnoresState,
    /// A page begins with the last of the one before.
    PagesOverlap,
    /// Deliveries are listed oldest first.
    ListsOldestFirst,
    /// Deliveries to all webhooks are listed.
    ListIgnoresWebhook,
    /// What is delivered again goes on counting.
    RedeliverKeepsAttempts,
    /// What is delivered again is so to all webhooks.
    RedeliversEverywhere,
    /// All is delivered again, since whatever time.
    RedeliverIgnoresTime,
    /// What waits ages out too.
    PrunesWaiting,
    /// What was given up goes as early as what was delivered.
    PrunesDeadWithDelivered,
    /// What is as old as it may be goes.
    PrunesAtItsTime,
    /// All that is old goes at once.
    PrunesWithoutLimit,
    /// What is done is as old as when it was made.
    PrunesByCreation,
    /// Deliveries stay when their event goes.
    OutlivesEvents,
    /// Deliveries stay when their webhook goes.
    OutlivesWebhooks,
    /// A crash loses everything.
    ForgetsInCrash,
}

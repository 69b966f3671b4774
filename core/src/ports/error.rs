//! What may go wrong with a store.

/// Why a store did not do what it was asked. `doing` completes "could not …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, or answered too late; nothing was changed.
    #[error("could not {doing}: the store is unavailable ({detail})")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What the store or its driver said.
        detail: String,
    },
    /// The store was reached, but whether the change was made is unknown. Only an idempotent
    /// operation may be repeated.
    #[error("could not tell whether the store did {doing}: {detail}")]
    OutcomeUnknown {
        /// What was being done.
        doing: &'static str,
        /// What the store or its driver said.
        detail: String,
    },
    /// The store refuses writes: its disk is full, or it is read-only. Nothing was changed.
    #[error(
        "could not {doing}: the store refuses writes ({detail}); free disk space or make it writable"
    )]
    RefusesWrites {
        /// What was being done.
        doing: &'static str,
        /// What the store or its driver said.
        detail: String,
    },
    /// What is stored makes no sense to this version.
    #[error("could not {doing}: what is stored is not understood ({detail})")]
    Corrupt {
        /// What was being done.
        doing: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

/// The result of a store's operation.
pub type StoreResult<T> = Result<T, StoreError>;

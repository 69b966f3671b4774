//! From redb's errors to the port's. The one distinction that matters: was anything written?

use std::io::ErrorKind;

use groundcontrol_core::ports::StoreError;
use redb::CommitError;

pub(super) type Done<T> = Result<T, Failure>;

/// Why a transaction did not do what it should.
pub(super) enum Failure {
    /// Before the commit: nothing was written.
    Before(redb::Error),
    /// In the commit: nobody knows.
    Commit(CommitError),
    /// What is stored is not understood.
    Corrupt(String),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Before(error.into())
    }
}

impl Failure {
    /// As the port has it. Callers repeat what was `Unavailable`; they repeat what is
    /// `OutcomeUnknown` only where doing it twice is doing it once. An adapter that calls a lost
    /// reply `Unavailable` would have them do things twice.
    pub(super) fn while_doing(self, doing: &'static str) -> StoreError {
        match self {
            Self::Commit(error) => StoreError::OutcomeUnknown { doing, detail: error.to_string() },
            Self::Corrupt(detail) | Self::Before(redb::Error::Corrupted(detail)) => {
                StoreError::Corrupt { doing, detail }
            }
            Self::Before(redb::Error::Io(error)) if refuses_writes(error.kind()) => {
                StoreError::RefusesWrites { doing, detail: error.to_string() }
            }
            Self::Before(error) => StoreError::Unavailable { doing, detail: error.to_string() },
        }
    }
}

fn refuses_writes(kind: ErrorKind) -> bool {
    use ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(kind, FileTooLarge | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

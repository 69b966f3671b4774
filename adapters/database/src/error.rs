//! From the driver's errors to the store's.

use groundcontrol_core::ports::StoreError;
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use crate::dialect::{Dialect, Meaning};
use crate::postgres::is_lost;

/// Why an operation failed, before it is known what was being done for whom.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The database said no, or nothing; what was begun is undone.
    Database(DbErr, Meaning),
    /// The connection was lost while a transaction was being committed.
    OutcomeUnknown(DbErr),
    /// What is stored makes no sense; in words.
    Corrupt(String),
    /// The store was closed.
    Closed,
}

impl Failure {
    pub(crate) fn of(error: DbErr, dialect: Dialect) -> Self {
        let meaning = meaning(&error, dialect);
        Self::Database(error, meaning)
    }

    /// As the store's error; `doing` completes "could not …".
    pub(crate) fn to_store_error(&self, doing: &'static str) -> StoreError {
        match self {
            Self::Database(error, meaning) => {
                let detail = detail(error);
                match meaning {
                    Meaning::RefusesWrites => StoreError::RefusesWrites { doing, detail },
                    Meaning::Corrupt | Meaning::NotADatabase => {
                        StoreError::Corrupt { doing, detail }
                    }
                    Meaning::OneStatement
                    | Meaning::Overtaken
                    | Meaning::Lost
                    | Meaning::Unavailable => StoreError::Unavailable { doing, detail },
                }
            }
            Self::OutcomeUnknown(error) => {
                StoreError::OutcomeUnknown { doing, detail: detail(error) }
            }
            Self::Corrupt(detail) => StoreError::Corrupt { doing, detail: detail.clone() },
            Self::Closed => StoreError::Unavailable { doing, detail: "it was closed".to_owned() },
        }
    }

    /// Whether nothing of it was done, and the same may succeed at once.
    pub(crate) fn is_worth_another_try(&self) -> bool {
        matches!(self, Self::Database(_, Meaning::Overtaken | Meaning::Lost))
    }

    /// Whether one of several writes may be what failed, so that each deserves a try of its own.
    /// One that was alone too: another pod may have made it moot meanwhile, as one that takes the
    /// same name does.
    pub(crate) fn may_be_of_one_write(&self) -> bool {
        matches!(self, Self::Database(_, Meaning::OneStatement) | Self::Corrupt(_))
    }
}

/// What the driver's error means.
pub(crate) fn meaning(error: &DbErr, dialect: Dialect) -> Meaning {
    match sqlx_error(error) {
        Some(error) if dialect == Dialect::Postgres && is_lost(error) => Meaning::Lost,
        Some(SqlxError::Database(error)) => {
            error.code().map_or(Meaning::Unavailable, |code| dialect.meaning(&code))
        }
        _ => Meaning::Unavailable,
    }
}

/// Whether the connection itself broke, so that a commit may or may not have been made.
pub(crate) fn lost_connection(error: &DbErr) -> bool {
    !matches!(sqlx_error(error), Some(SqlxError::Database(_)))
}

/// What the database said, without the layers that it came through.
pub(crate) fn detail(error: &DbErr) -> String {
    match sqlx_error(error) {
        Some(SqlxError::Database(error)) => error.message().to_owned(),
        Some(error) => error.to_string(),
        None => error.to_string(),
    }
}

pub(crate) fn sqlx_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

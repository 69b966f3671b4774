//! Why a database could not be opened, in words that say what to do.

use std::path::PathBuf;

/// Why a database could not be opened, or its schema not be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a URL that names a database file or server.
    #[error(
        "the database URL (scheme {scheme:?}) is not understood; give sqlite://PATH of a file, \
         without parameters"
    )]
    Url {
        /// What stands before the first colon.
        scheme: String,
    },
    /// A database server, which this version is not ready for.
    #[error("PostgreSQL is not supported by this version yet; give sqlite://PATH of a file")]
    NotYet,
    /// The folder of the database file cannot be made or written to.
    #[error("could not make the database folder {}: {source}", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database file cannot be made, or cannot be opened for writing.
    #[error(
        "could not open the database file {} for writing: {source}; check the owner and mode of \
         the file and of its folder", .path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another process has the database file open.
    #[error(
        "the database file {} is in use by another Ground Control; stop that one first, or give \
         this one a file of its own", .path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else than a database.
    #[error(
        "{} is not a SQLite database, or is damaged; name another file, or restore a backup",
        .path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A database of something else.
    #[error(
        "the database holds tables of something else (such as {table:?}) and none of Ground \
         Control; give Ground Control a database of its own"
    )]
    NotOurs {
        /// One of the tables found.
        table: String,
    },
    /// The schema was made by a newer version.
    #[error(
        "the database has a schema step that this version does not know ({step}): it was written \
         by a newer Ground Control; run that version, or restore a backup from before its upgrade"
    )]
    Newer {
        /// The step.
        step: String,
    },
    /// The database did not do something.
    #[error("could not {doing}: {detail}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database or its driver said.
        detail: String,
    },
}

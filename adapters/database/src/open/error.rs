//! Why a database could not be opened, in words that say what to do.

use std::path::PathBuf;

/// Why a database could not be opened, or its schema not be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a URL that names a database file or server.
    #[error(
        "the database URL (scheme {scheme:?}) is not understood; give sqlite://PATH of a file, \
         without parameters, or postgres://USER@HOST/DATABASE"
    )]
    Url {
        /// What stands before the first colon.
        scheme: String,
    },
    /// The URL of a database server makes no sense. The URL is not shown: it may hold a password.
    #[error(
        "the database URL is not understood: {why}; give \
         postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, with what is not a \
         letter or digit in user and password written as %XX"
    )]
    ServerUrl {
        /// What is wrong.
        why: String,
    },
    /// The server is of an old version.
    #[error("the database server is PostgreSQL {version}; Ground Control needs 15 or newer")]
    TooOld {
        /// Its version.
        version: String,
    },
    /// The database cannot hold all characters.
    #[error(
        "the database has the encoding {encoding}; make one with CREATE DATABASE … ENCODING 'UTF8' \
         TEMPLATE template0"
    )]
    Encoding {
        /// Its encoding.
        encoding: String,
    },
    /// The search path of the connection leads to no schema.
    #[error(
        "no schema of the database can be used: the search path names none that exists and that \
         this user may use; make one with CREATE SCHEMA, or correct the search path"
    )]
    NoSchema,
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

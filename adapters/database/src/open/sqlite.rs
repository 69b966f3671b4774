//! An embedded database: a file, one connection that writes, a few that read.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

use super::{OpenError, Options};
use crate::dialect::{Dialect, Meaning};
use crate::error::{detail, meaning};

/// The write-ahead log is copied into the database after this many pages (32 MiB): seldom enough
/// that a page which every heartbeat touches is not copied with each of them.
const CHECKPOINT_PAGES: u32 = 8192;
/// The write-ahead log is cut to this after a checkpoint.
const LOG_BYTES: u64 = 64 * 1024 * 1024;
/// The database is mapped into memory up to here, which spares reads a copy.
const MAPPED_BYTES: u64 = 256 * 1024 * 1024;
/// Each connection keeps this many statements prepared.
const STATEMENTS: usize = 128;
/// Rows that a connection's thread may be ahead of who reads them.
const ROWS_AHEAD: usize = 1024;
/// A lock that is held is tried again after this.
const LOCK_AGAIN: Duration = Duration::from_millis(20);

/// Makes folder and file where they are missing, takes the lock, and connects for writing.
pub(super) async fn open_writer(
    path: &Path,
    options: &Options,
) -> Result<(DatabaseConnection, File), OpenError> {
    make_folder(path)?;
    let lock = lock(path, options.busy_timeout).await?;
    make_file(path)?;
    let (path, cache_kib) = (path.to_owned(), options.cache_kib);
    let busy_timeout = options.busy_timeout;
    let configured = path.clone();
    let connect = pool(1, move |sqlite| {
        configure(sqlite, &configured, cache_kib)
            .busy_timeout(busy_timeout)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
            .pragma("journal_size_limit", LOG_BYTES.to_string())
    });
    Ok((connected(connect, &path).await?, lock))
}

/// Connects for reading.
pub(super) async fn open_readers(
    path: &Path,
    options: &Options,
) -> Result<DatabaseConnection, OpenError> {
    let (configured, cache_kib) = (path.to_owned(), options.cache_kib / 8);
    let busy_timeout = options.busy_timeout;
    let connect = pool(options.readers.max(1), move |sqlite| {
        configure(sqlite, &configured, cache_kib).busy_timeout(busy_timeout).read_only(true)
    });
    connected(connect, path).await
}

fn configure(sqlite: SqliteConnectOptions, path: &Path, cache_kib: u32) -> SqliteConnectOptions {
    sqlite
        .filename(path)
        .in_memory(false)
        .create_if_missing(false)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS_AHEAD)
        .pragma("cache_size", format!("-{cache_kib}"))
        .pragma("mmap_size", MAPPED_BYTES.to_string())
}

/// A pool of exactly `connections` that are kept for good.
fn pool(
    connections: u32,
    configure: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> ConnectOptions {
    // The URL says no more than the kind of database: the path, which a URL would have to escape,
    // is set by `configure`.
    let mut options = ConnectOptions::new("sqlite://groundcontrol.db");
    options
        .max_connections(connections)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .map_sqlx_sqlite_opts(configure);
    options
}

async fn connected(options: ConnectOptions, path: &Path) -> Result<DatabaseConnection, OpenError> {
    Database::connect(options).await.map_err(|error| failed(&error, path))
}

fn failed(error: &DbErr, path: &Path) -> OpenError {
    match meaning(error, Dialect::Sqlite) {
        Meaning::NotADatabase => OpenError::NotADatabase { path: path.to_owned() },
        Meaning::RefusesWrites
        | Meaning::OneStatement
        | Meaning::Corrupt
        | Meaning::Overtaken
        | Meaning::Lost
        | Meaning::Unavailable => {
            OpenError::Database { doing: "open the database", detail: detail(error) }
        }
    }
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder)
            .map_err(|source| OpenError::Folder { path: folder.to_owned(), source }),
        _ => Ok(()),
    }
}

/// One process has the file at a time: the lock is that of a file beside it, because SQLite's own
/// locks would be lost if another handle of the database file were closed. A process that is just
/// ending is given until `patience` is over.
async fn lock(path: &Path, patience: Duration) -> Result<File, OpenError> {
    let began = Instant::now();
    loop {
        match try_lock(path) {
            Err(OpenError::InUse { .. }) if began.elapsed() < patience => {
                tokio::time::sleep(LOCK_AGAIN).await;
            }
            done => return done,
        }
    }
}

fn try_lock(path: &Path) -> Result<File, OpenError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let file = private(&beside).map_err(|source| OpenError::File { path: beside, source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        // A file system without locks: the operator must see to it.
        Err(TryLockError::Error(error)) => {
            tracing::warn!(%error, "could not lock the database; make sure that no other server uses it");
            Ok(file)
        }
    }
}

fn make_file(path: &Path) -> Result<(), OpenError> {
    let made = private(path).map(drop);
    made.map_err(|source| OpenError::File { path: path.to_owned(), source })
}

/// Opens a file for writing; makes it, for its owner alone, where there is none.
fn private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

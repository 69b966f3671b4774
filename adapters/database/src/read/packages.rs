//! Lockfiles, what is held of blobs, and where satellites stand.

use std::collections::HashSet;

use groundcontrol_core::packages::{
    BlobHash, BlobName, Entry, HeldBlob, Integrity, Lockfile, LockfileHash, SyncState, SyncStatus,
};
use groundcontrol_core::ports::Desired;
use groundcontrol_core::satellite::SatelliteId;
use sea_orm::{QueryResult, Value};

use super::filter::Filter;
use crate::database::Database;
use crate::dialect::{Dialect, Type};
use crate::error::Failure;
use crate::rows::{self, Columns};
use crate::table;

type Read<T> = Result<T, Failure>;

/// The columns of [`held_blob`], of the table `b`.
const HELD: &str = "b.sha256, b.upload, b.bytes, b.unpacked_bytes, b.files";
/// Hashes as rows of one column.
pub(crate) const HASHES: &[(&str, Type); 1] = &[("sha256", Type::Text)];

const STATE: &str = "satellite_id, lockfile, status, error, said_at";

pub(crate) async fn desired(database: &Database) -> Read<Desired> {
    let row = database.one("SELECT lockfile_hash, since FROM desired_packages", []).await?;
    let Some(row) = row else { return Ok(Desired::default()) };
    let columns = &mut Columns::of(&row, "desired packages");
    let hash = columns.opt_text()?;
    let parsed = hash.map(|hash| hash.parse::<LockfileHash>()).transpose();
    let lockfile = parsed.map_err(|why| columns.nonsense(why))?;
    Ok(Desired { lockfile, since: Some(columns.time()?) })
}

pub(crate) const LOCKFILE: &str = "SELECT name, version, integrity, blob_sha256 \
    FROM package_entries WHERE lockfile_hash = $1 ORDER BY position";

pub(crate) async fn lockfile(database: &Database, hash: LockfileHash) -> Read<Option<Lockfile>> {
    let rows = database.all(LOCKFILE, [hash.to_string().into()]).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let entries = rows::all(&rows, |row| {
        let columns = &mut Columns::of(row, "lockfile's entry");
        Ok(Entry {
            name: columns.parsed()?,
            version: columns.parsed()?,
            integrity: columns.parsed()?,
            blob: columns.parsed()?,
        })
    })?;
    match Lockfile::new(entries) {
        Ok(lockfile) if lockfile.hash() == hash => Ok(Some(lockfile)),
        Ok(other) => Err(Failure::Corrupt(format!("lockfile {hash} is {}", other.hash()))),
        Err(why) => Err(Failure::Corrupt(format!("lockfile {hash}: {why}"))),
    }
}

pub(crate) async fn blob_of(database: &Database, integrity: &Integrity) -> Read<Option<HeldBlob>> {
    let row = database.one(blob_of_sql(), [integrity.as_str().into()]).await?;
    row.map(|row| held_blob(&row)).transpose()
}

pub(crate) fn blob_of_sql() -> String {
    format!(
        "SELECT {HELD} FROM package_entries AS e \
         JOIN package_lockfiles AS l ON l.hash = e.lockfile_hash \
         JOIN package_blobs AS b ON b.sha256 = e.blob_sha256 WHERE e.integrity = $1 \
         ORDER BY l.retired_at IS NOT NULL, l.desired_at DESC LIMIT 1"
    )
}

pub(crate) fn held_blob(row: &QueryResult) -> Read<HeldBlob> {
    let columns = &mut Columns::of(row, "blob");
    Ok(HeldBlob {
        name: BlobName { hash: columns.parsed::<BlobHash>()?, upload: columns.id()? },
        bytes: columns.count()?,
        unpacked_bytes: columns.count()?,
        files: columns.count()?,
    })
}

/// The blobs that are held, of some hashes.
pub(crate) fn held_sql(dialect: Dialect) -> String {
    format!(
        "SELECT {HELD} FROM package_blobs AS b WHERE b.sha256 IN (SELECT w.sha256 FROM {} AS w)",
        dialect.rows(HASHES)
    )
}

/// Those of `names` under which no blob is held.
pub(crate) async fn unheld(database: &Database, names: &[BlobName]) -> Read<Vec<BlobName>> {
    let rows = names.iter().map(|name| [name.hash.to_string().into()]).collect();
    let rows = table::parameters(database.dialect, HASHES, rows)?;
    let held = rows::all(&database.all(held_sql(database.dialect), rows).await?, held_blob)?;
    let held: HashSet<_> = held.iter().map(|blob| blob.name).collect();
    Ok(names.iter().copied().filter(|name| !held.contains(name)).collect())
}

pub(crate) async fn sync_states(
    database: &Database,
    after: Option<SatelliteId>,
    most: usize,
) -> Read<Vec<SyncState>> {
    let (sql, values) = sync_states_sql(after, most);
    rows::all(&database.all(sql, values).await?, sync_state_of)
}

pub(crate) fn sync_states_sql(after: Option<SatelliteId>, most: usize) -> (String, Vec<Value>) {
    let mut filter = Filter::of(most);
    filter.and_if("satellite_id >", after.map(|id| id.0));
    let (wanted, values) = filter.into_parts();
    let sql =
        format!("SELECT {STATE} FROM package_sync_states {wanted} ORDER BY satellite_id LIMIT $1");
    (sql, values)
}

pub(crate) async fn sync_state(
    database: &Database,
    satellite: SatelliteId,
) -> Read<Option<SyncState>> {
    let sql = format!("SELECT {STATE} FROM package_sync_states WHERE satellite_id = $1");
    let row = database.one(sql, [satellite.0.into()]).await?;
    row.map(|row| sync_state_of(&row)).transpose()
}

fn sync_state_of(row: &QueryResult) -> Read<SyncState> {
    let columns = &mut Columns::of(row, "sync state");
    let satellite = SatelliteId(columns.key()?);
    let lockfile = columns.opt_text()?;
    let name = columns.text()?;
    let status = SyncStatus::from_name(&name)
        .ok_or_else(|| columns.nonsense(format_args!("unknown status {name:?}")))?;
    Ok(SyncState { satellite, lockfile, status, error: columns.opt_text()?, at: columns.time()? })
}

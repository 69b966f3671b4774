//! Lockfiles, what is held of blobs, and where satellites stand.

use std::collections::HashMap;

use async_trait::async_trait;
use groundcontrol_core::packages::{BlobHash, Entry, HeldBlob, Lockfile, SyncState};
use groundcontrol_core::ports::{DesiredChange, DesiredOutcome};
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;

use super::job::Write;
use super::satellites::count;
use super::transitions::Recording;
use crate::database::Database;
use crate::dialect::{Lock, Type};
use crate::error::Failure;
use crate::read::packages::{self as read, HASHES, held_blob, held_sql};
use crate::rows;
use crate::table::{self, Cell};

/// Makes a lockfile the desired one.
pub(crate) struct SetDesired(pub(crate) DesiredChange);

/// Says what is held of blobs, and keeps it for a while.
pub(crate) struct WantBlobs {
    pub(crate) blobs: Vec<BlobHash>,
    pub(crate) now: Timestamp,
}

/// Says that a blob is held.
pub(crate) struct RecordBlob {
    pub(crate) blob: HeldBlob,
    pub(crate) now: Timestamp,
}

/// Forgets what nobody needs.
pub(crate) struct ForgetPackages {
    pub(crate) before: Timestamp,
}

/// Stores what satellites said.
pub(crate) struct RecordSyncStates(pub(crate) Vec<SyncState>);

const ENTRIES: &[(&str, Type); 6] = &[
    ("lockfile_hash", Type::Text),
    ("position", Type::Int),
    ("name", Type::Text),
    ("version", Type::Text),
    ("integrity", Type::Text),
    ("blob_sha256", Type::Text),
];

const STATES: &[(&str, Type); 5] = &[
    ("satellite_id", Type::Id),
    ("lockfile", Type::Text),
    ("status", Type::Text),
    ("error", Type::Text),
    ("said_at", Type::Int),
];

#[async_trait]
impl Write for SetDesired {
    type Output = DesiredOutcome;
    const DOING: &'static str = "say which packages are desired";

    async fn write(
        &self,
        database: &Database,
        _: &mut Recording,
    ) -> Result<DesiredOutcome, Failure> {
        database.lock(Lock::Packages).await?;
        if let Some(settled) = self.0.settled_by(&read::desired(database).await?) {
            return Ok(settled);
        }
        let DesiredChange { expected, lockfile, now } = &self.0;
        let now = Value::from(now.as_millis());
        if let Some(lockfile) = lockfile {
            let missing = missing(database, lockfile).await?;
            if !missing.is_empty() {
                return Ok(DesiredOutcome::Missing(missing));
            }
            keep(database, lockfile, now.clone()).await?;
        }
        let text = |hash: &dyn ToString| Value::from(hash.to_string());
        if let Some(old) = expected {
            let update = "UPDATE package_lockfiles SET retired_at = $2 WHERE hash = $1";
            database.execute(update, [text(old), now.clone()]).await?;
        }
        let wanted = lockfile.as_ref().map(|lockfile| lockfile.hash().to_string());
        let upsert = "INSERT INTO desired_packages (singleton, lockfile_hash, since) \
            VALUES (1, $1, $2) ON CONFLICT (singleton) DO UPDATE SET \
            lockfile_hash = excluded.lockfile_hash, since = excluded.since";
        database.execute(upsert, [wanted.into(), now]).await?;
        Ok(DesiredOutcome::Set)
    }
}

/// The blobs that a lockfile names and that are not held.
async fn missing(database: &Database, lockfile: &Lockfile) -> Result<Vec<BlobHash>, Failure> {
    let wanted: Vec<_> = lockfile.entries().iter().map(|entry| entry.blob).collect();
    let held = held(database, &wanted).await?;
    Ok(wanted.into_iter().filter(|blob| !held.contains_key(blob)).collect())
}

/// Keeps a lockfile with its entries.
async fn keep(database: &Database, lockfile: &Lockfile, now: Value) -> Result<(), Failure> {
    let hash = lockfile.hash().to_string();
    let upsert = "INSERT INTO package_lockfiles (hash, desired_at) VALUES ($1, $2) \
        ON CONFLICT (hash) DO UPDATE SET desired_at = excluded.desired_at, retired_at = NULL";
    database.execute(upsert, [hash.as_str().into(), now]).await?;
    let row = |(position, entry): (usize, &Entry)| -> [Cell<'static>; 6] {
        [
            hash.clone().into(),
            (position as u64).into(),
            entry.name.to_string().into(),
            entry.version.to_string().into(),
            entry.integrity.to_string().into(),
            entry.blob.to_string().into(),
        ]
    };
    let rows = lockfile.entries().iter().enumerate().map(row).collect();
    let rows = table::parameters(database.dialect, ENTRIES, rows)?;
    let insert = format!(
        "INSERT INTO package_entries \
         (lockfile_hash, position, name, version, integrity, blob_sha256) \
         SELECT w.lockfile_hash, w.position, w.name, w.version, w.integrity, w.blob_sha256 \
         FROM {} AS w WHERE true ON CONFLICT DO NOTHING",
        database.dialect.rows(ENTRIES)
    );
    database.execute(insert, rows).await.map(drop)
}

async fn held(
    database: &Database,
    blobs: &[BlobHash],
) -> Result<HashMap<BlobHash, HeldBlob>, Failure> {
    let sql = held_sql(database.dialect);
    let found = database.all(sql, hashes(database, blobs)?).await?;
    let found = rows::all(&found, held_blob)?;
    Ok(found.into_iter().map(|blob| (blob.hash(), blob)).collect())
}

fn hashes(database: &Database, blobs: &[BlobHash]) -> Result<Vec<Value>, Failure> {
    let rows = blobs.iter().map(|blob| [blob.to_string().into()]).collect();
    table::parameters(database.dialect, HASHES, rows)
}

#[async_trait]
impl Write for WantBlobs {
    type Output = Vec<Option<HeldBlob>>;
    const DOING: &'static str = "look which blobs are held";

    async fn write(
        &self,
        database: &Database,
        _: &mut Recording,
    ) -> Result<Vec<Option<HeldBlob>>, Failure> {
        let mut values = hashes(database, &self.blobs)?;
        values.push(self.now.as_millis().into());
        let update = format!(
            "UPDATE package_blobs SET wanted_at = $2 WHERE wanted_at < $2 \
             AND sha256 IN (SELECT w.sha256 FROM {} AS w)",
            database.dialect.rows(HASHES)
        );
        database.execute(update, values).await?;
        let held = held(database, &self.blobs).await?;
        Ok(self.blobs.iter().map(|blob| held.get(blob).copied()).collect())
    }
}

#[async_trait]
impl Write for RecordBlob {
    type Output = HeldBlob;
    const DOING: &'static str = "record a blob";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<HeldBlob, Failure> {
        let HeldBlob { name, bytes, unpacked_bytes, files } = self.blob;
        let upsert = "INSERT INTO package_blobs AS b \
            (sha256, upload, bytes, unpacked_bytes, files, wanted_at) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sha256) DO UPDATE SET wanted_at = \
            CASE WHEN b.wanted_at < excluded.wanted_at THEN excluded.wanted_at \
            ELSE b.wanted_at END";
        let values: [Value; 6] = [
            name.hash.to_string().into(),
            name.upload.into(),
            count(bytes),
            count(unpacked_bytes),
            count(files),
            self.now.as_millis().into(),
        ];
        database.execute(upsert, values).await?;
        let held = held(database, &[name.hash]).await?;
        held.get(&name.hash).copied().ok_or_else(|| {
            Failure::Corrupt(format!("blob {} was recorded, and is not held", name.hash))
        })
    }
}

#[async_trait]
impl Write for ForgetPackages {
    type Output = u64;
    const DOING: &'static str = "forget packages that nobody needs";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<u64, Failure> {
        database.lock(Lock::Packages).await?;
        let before = Value::from(self.before.as_millis());
        let delete = "DELETE FROM package_lockfiles WHERE retired_at < $1";
        database.execute(delete, [before.clone()]).await?;
        let delete = "DELETE FROM package_blobs WHERE wanted_at < $1 AND NOT EXISTS \
            (SELECT 1 FROM package_entries AS e WHERE e.blob_sha256 = package_blobs.sha256)";
        database.execute(delete, [before]).await
    }
}

#[async_trait]
impl Write for RecordSyncStates {
    type Output = ();
    const DOING: &'static str = "store where satellites stand with their packages";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let row = |state: &SyncState| -> [Cell<'static>; 5] {
            [
                state.satellite.0.into(),
                text(state.lockfile.clone()),
                state.status.name().into(),
                text(state.error.clone()),
                state.at.as_millis().into(),
            ]
        };
        let rows = table::parameters(database.dialect, STATES, self.0.iter().map(row).collect())?;
        let sql = format!(
            "INSERT INTO package_sync_states (satellite_id, lockfile, status, error, said_at) \
             SELECT w.satellite_id, w.lockfile, w.status, w.error, w.said_at FROM {} AS w \
             JOIN satellites AS s ON s.id = w.satellite_id WHERE true \
             ON CONFLICT (satellite_id) DO UPDATE SET lockfile = excluded.lockfile, \
             status = excluded.status, error = excluded.error, said_at = excluded.said_at",
            database.dialect.rows(STATES)
        );
        database.execute(sql, rows).await.map(drop)
    }
}

fn text(text: Option<String>) -> Cell<'static> {
    text.map_or(Cell::Text(None), Cell::from)
}

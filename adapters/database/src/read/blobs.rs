//! The bytes of blobs.

use groundcontrol_core::packages::{Blob, BlobName};
use groundcontrol_core::time::Timestamp;

use super::limit;
use crate::database::Database;
use crate::error::Failure;
use crate::rows::{self, Columns};

type Read<T> = Result<T, Failure>;

/// All pieces, one after the other: what is in memory at a time is one blob and one piece. None
/// where any is lacking.
pub(crate) async fn get(database: &Database, name: BlobName) -> Read<Option<Blob>> {
    let sql = "SELECT pieces, content FROM package_blob_pieces WHERE name = $1 AND number = $2";
    let mut read: Vec<Box<[u8]>> = Vec::new();
    loop {
        let number = read.len() as i64;
        let row = database.one(sql, [name.to_string().into(), number.into()]).await?;
        let Some(row) = row else { return Ok(None) };
        let columns = &mut Columns::of(&row, "blob's piece");
        let pieces = columns.count()?;
        read.push(columns.take::<Vec<u8>>()?.into());
        if read.len() as u64 >= pieces {
            return Ok(Some(Blob::new(read)));
        }
    }
}

pub(crate) const PUT_BEFORE: &str = "SELECT name FROM package_blob_pieces \
    WHERE name > $1 AND number = 0 AND put_at < $2 ORDER BY name LIMIT $3";

/// Names under which something was put before a time.
pub(crate) async fn put_before(
    database: &Database,
    before: Timestamp,
    after: Option<BlobName>,
    most: usize,
) -> Read<Vec<BlobName>> {
    // Every name comes after the empty text.
    let after = after.map(|name| name.to_string()).unwrap_or_default();
    let rows =
        database.all(PUT_BEFORE, [after.into(), before.as_millis().into(), limit(most)]).await?;
    rows::all(&rows, |row| Columns::of(row, "blob's piece").parsed())
}

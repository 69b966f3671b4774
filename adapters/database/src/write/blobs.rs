//! The bytes of blobs, a piece at a time.

use std::sync::Arc;

use async_trait::async_trait;
use groundcontrol_core::packages::{Blob, BlobName};
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;

use super::job::Write;
use super::transitions::Recording;
use crate::database::Database;
use crate::dialect::Type;
use crate::error::Failure;
use crate::table;

/// Puts one piece of a blob.
pub(crate) struct PutPiece {
    pub(crate) name: BlobName,
    pub(crate) blob: Arc<Blob>,
    pub(crate) number: usize,
    pub(crate) now: Timestamp,
}

/// Deletes blobs.
pub(crate) struct DeleteBlobs(pub(crate) Vec<BlobName>);

const NAMES: &[(&str, Type); 1] = &[("name", Type::Text)];

#[async_trait]
impl Write for PutPiece {
    type Output = ();
    const DOING: &'static str = "store a blob";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let pieces = self.blob.pieces();
        let Some(piece) = pieces.get(self.number) else { return Ok(()) };
        let insert = "INSERT INTO package_blob_pieces (name, number, pieces, put_at, content) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let values: [Value; 5] = [
            self.name.to_string().into(),
            (self.number as i64).into(),
            (pieces.len() as i64).into(),
            self.now.as_millis().into(),
            piece.to_vec().into(),
        ];
        database.execute(insert, values).await.map(drop)
    }
}

#[async_trait]
impl Write for DeleteBlobs {
    type Output = ();
    const DOING: &'static str = "delete blobs";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let rows = self.0.iter().map(|name| [name.to_string().into()]).collect();
        let rows = table::parameters(database.dialect, NAMES, rows)?;
        let sql = format!(
            "DELETE FROM package_blob_pieces WHERE name IN (SELECT w.name FROM {} AS w)",
            database.dialect.rows(NAMES)
        );
        database.execute(sql, rows).await.map(drop)
    }
}

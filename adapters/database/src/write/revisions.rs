//! Revisions of configurations: one statement for any number of satellites.

use std::collections::HashSet;

use async_trait::async_trait;
use groundcontrol_core::assignment::Revision;
use groundcontrol_core::ports::RevisionWrite;
use groundcontrol_core::satellite::SatelliteId;

use super::job::Write;
use super::transitions::Recording;
use crate::database::Database;
use crate::dialect::Type;
use crate::error::Failure;
use crate::rows::Columns;
use crate::table::{self, Cell};

/// Stores revisions, each in place of the one before it.
pub(crate) struct RecordRevisions(pub(crate) Vec<RevisionWrite>);

/// Stores what agents run.
pub(crate) struct RecordApplied(pub(crate) Vec<(SatelliteId, Revision)>);

const REVISIONS: &[(&str, Type); 3] =
    &[("id", Type::Id), ("revision", Type::Int), ("fingerprint", Type::Text)];
const APPLIED: &[(&str, Type); 2] = &[("id", Type::Id), ("revision", Type::Int)];

#[async_trait]
impl Write for RecordRevisions {
    type Output = Vec<bool>;
    const DOING: &'static str = "record revisions";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<Vec<bool>, Failure> {
        let row = |write: &RevisionWrite| -> [Cell<'static>; 3] {
            [
                write.satellite.0.into(),
                write.revision.0.into(),
                write.fingerprint.to_string().into(),
            ]
        };
        let rows = self.0.iter().map(row).collect();
        let rows = table::parameters(database.dialect, REVISIONS, rows)?;
        let sql = format!(
            "INSERT INTO satellite_configurations (satellite_id, revision, fingerprint) \
             SELECT w.id, w.revision, w.fingerprint FROM {} AS w \
             JOIN satellites AS s ON s.id = w.id \
             WHERE w.revision = 1 OR EXISTS (SELECT 1 FROM satellite_configurations AS o \
             WHERE o.satellite_id = w.id) ORDER BY w.id \
             ON CONFLICT (satellite_id) DO UPDATE SET revision = excluded.revision, \
             fingerprint = excluded.fingerprint \
             WHERE satellite_configurations.revision = excluded.revision - 1 \
             OR (satellite_configurations.revision = excluded.revision \
             AND satellite_configurations.fingerprint = excluded.fingerprint) \
             RETURNING satellite_id",
            database.dialect.rows(REVISIONS)
        );
        let stored = database.all(sql, rows).await?;
        let stored: Result<HashSet<_>, _> =
            stored.iter().map(|row| Columns::of(row, "revision").id()).collect();
        let stored = stored?;
        Ok(self.0.iter().map(|write| stored.contains(&write.satellite.0)).collect())
    }
}

#[async_trait]
impl Write for RecordApplied {
    type Output = ();
    const DOING: &'static str = "record what agents run";

    async fn write(&self, database: &Database, _: &mut Recording) -> Result<(), Failure> {
        let row = |(satellite, revision): &(SatelliteId, Revision)| -> [Cell<'static>; 2] {
            [satellite.0.into(), revision.0.into()]
        };
        let rows = self.0.iter().map(row).collect();
        let rows = table::parameters(database.dialect, APPLIED, rows)?;
        let sql = format!(
            "UPDATE satellite_configurations AS c SET applied = w.revision FROM {} AS w \
             WHERE c.satellite_id = w.id AND w.revision <= c.revision \
             AND (c.applied IS NULL OR c.applied < w.revision)",
            database.dialect.rows(APPLIED)
        );
        database.execute(sql, rows).await.map(drop)
    }
}

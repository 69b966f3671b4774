//! What deciding about connections needs.

use std::collections::HashMap;

use groundcontrol_core::ports::{ConnectionSnapshot, Credentials};
use groundcontrol_core::satellite::SatelliteId;
use sea_orm::{QueryResult, Value};

use crate::database::Database;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::rows::{self, Columns};
use crate::table;

/// The connections of those of `ids` that exist.
pub(crate) async fn snapshots(
    database: &Database,
    ids: Vec<SatelliteId>,
) -> Result<HashMap<SatelliteId, ConnectionSnapshot>, Failure> {
    let rows = database.all(snapshots_sql(database.dialect), [id_list(database, &ids)?]).await?;
    let read = |row: &QueryResult| rows::snapshot(&mut Columns::of(row, "satellite"));
    rows.iter().map(|row| read(row).map(|snapshot| (snapshot.satellite, snapshot))).collect()
}

/// The credentials of those of `ids` that exist, each read at once with its connection.
pub(crate) async fn credentials(
    database: &Database,
    ids: Vec<SatelliteId>,
) -> Result<HashMap<SatelliteId, Credentials>, Failure> {
    let rows = database.all(credentials_sql(database.dialect), [id_list(database, &ids)?]).await?;
    let mut found: HashMap<SatelliteId, Credentials> = HashMap::with_capacity(ids.len());
    for row in &rows {
        let columns = &mut Columns::of(row, "satellite");
        let snapshot = rows::snapshot(columns)?;
        let enabled = rows::enabled(columns)?;
        let agent = rows::agent(columns)?;
        let token = rows::token(columns)?;
        let credentials = found.entry(snapshot.satellite).or_insert_with(|| Credentials {
            snapshot,
            enabled,
            tokens: Vec::with_capacity(1),
            agent,
        });
        credentials.tokens.extend(token);
    }
    Ok(found)
}

pub(crate) fn snapshots_sql(dialect: Dialect) -> String {
    format!(
        "SELECT {} FROM satellite_connections AS c \
         JOIN satellites AS s ON s.id = c.satellite_id WHERE c.satellite_id IN {}",
        rows::snapshot_columns(),
        dialect.ids()
    )
}

/// One row for each token, so that one statement sees tokens and record as they are together.
pub(crate) fn credentials_sql(dialect: Dialect) -> String {
    format!(
        "SELECT {}, s.enabled, s.version, s.capabilities, t.token_id, t.hash, t.expires_at \
         FROM satellite_connections AS c JOIN satellites AS s ON s.id = c.satellite_id \
         LEFT JOIN satellite_tokens AS t ON t.satellite_id = c.satellite_id \
         WHERE c.satellite_id IN {}",
        rows::snapshot_columns(),
        dialect.ids()
    )
}

/// Ids as the parameter of [`Dialect::ids`].
pub(super) fn id_list(database: &Database, ids: &[SatelliteId]) -> Result<Value, Failure> {
    table::ids(database.dialect, ids.iter().map(|id| id.0))
}

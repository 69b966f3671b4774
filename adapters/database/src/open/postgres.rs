//! A database server.

use sea_orm::ConnectOptions;

use super::{OpenError, Options};
use crate::database::Database;
use crate::dialect::Dialect;
use crate::error::detail;

/// Connects, with exactly `connections`.
pub(super) async fn connect(
    url: &str,
    connections: u32,
    options: &Options,
) -> Result<Database, OpenError> {
    if !options.postgres_preview {
        return Err(OpenError::NotYet);
    }
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections.max(1)).sqlx_logging(false);
    let connection = sea_orm::Database::connect(options).await;
    let connection = connection.map_err(|error| OpenError::Database {
        doing: "connect to the database server",
        detail: detail(&error),
    })?;
    Ok(Database { connection, dialect: Dialect::Postgres })
}

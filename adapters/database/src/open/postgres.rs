//! A database server: what it must be, and the schema in it.

use sea_orm::sqlx::postgres::PgPoolOptions;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use super::{MigrationStep, OpenError, schema};
use crate::dialect::Dialect;
use crate::error::detail;
use crate::postgres::Address;

/// The oldest version that has all that is used here, as the server tells it.
const OLDEST: i32 = 150_000;

/// Checks the server and brings the schema of the database up to date.
pub(super) async fn bring_up_to_date(address: &Address) -> Result<Vec<String>, OpenError> {
    let connection = connect(address).await?;
    let done = schema::bring_up_to_date(&connection, Dialect::Postgres).await;
    close(connection).await;
    done
}

/// The steps of the schema and whether each was applied.
pub(super) async fn status(address: &Address) -> Result<Vec<MigrationStep>, OpenError> {
    let connection = connect(address).await?;
    let status = schema::status(&connection, Dialect::Postgres).await;
    close(connection).await;
    status
}

/// One connection for what is done once, to a server that is as it must be.
async fn connect(address: &Address) -> Result<DatabaseConnection, OpenError> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(address.limits.connect)
        .connect_with(address.migrating())
        .await;
    let pool = pool.map_err(|error| OpenError::Database {
        doing: "connect to the database server",
        detail: error.to_string(),
    })?;
    let connection = DatabaseConnection::from(pool);
    match check(&connection).await {
        Ok(()) => Ok(connection),
        Err(error) => {
            close(connection).await;
            Err(error)
        }
    }
}

async fn check(connection: &DatabaseConnection) -> Result<(), OpenError> {
    let asked = "SELECT current_setting('server_version_num')::int4, \
        current_setting('server_version'), current_setting('server_encoding'), \
        current_schema()::text";
    let failed = |error: DbErr| OpenError::Database {
        doing: "ask the database server what it is",
        detail: detail(&error),
    };
    let asked = Statement::from_string(Dialect::Postgres.backend(), asked);
    let Some(row) = connection.query_one_raw(asked).await.map_err(failed)? else {
        return Err(failed(DbErr::RecordNotFound("it did not say".to_owned())));
    };
    let text = |column| row.try_get_by_index::<String>(column).map_err(failed);
    let number: i32 = row.try_get_by_index(0).map_err(failed)?;
    if number < OLDEST {
        return Err(OpenError::TooOld { version: text(1)? });
    }
    let encoding = text(2)?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { encoding });
    }
    match row.try_get_by_index::<Option<String>>(3) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(OpenError::NoSchema),
        Err(error) => Err(failed(error)),
    }
}

async fn close(connection: DatabaseConnection) {
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "could not close a connection to the database server");
    }
}

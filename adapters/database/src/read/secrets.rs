//! Sealed secrets, and the record of deliveries.

use std::collections::BTreeSet;

use groundcontrol_core::ports::{SealedSecret, SecretDeliveryQuery};
use groundcontrol_core::satellite::{PodName, SatelliteId};
use groundcontrol_core::secrets::{Delivery, DeliveryPlace, SecretName, StoredDelivery};
use groundcontrol_core::time::Timestamp;
use sea_orm::{QueryResult, Value};

use super::filter::Filter;
use super::{limit, signed};
use crate::database::Database;
use crate::dialect::Type;
use crate::error::Failure;
use crate::rows::{self, Columns};
use crate::table::{self, Cell};

type Read<T> = Result<T, Failure>;

const NAMES: &[(&str, Type); 1] = &[("name", Type::Text)];

/// Those of `names` that there are.
pub(crate) async fn sealed(
    database: &Database,
    names: &BTreeSet<SecretName>,
) -> Read<Vec<SealedSecret>> {
    let rows: Vec<[Cell<'_>; 1]> = names.iter().map(|name| [name.as_str().into()]).collect();
    let values = table::parameters(database.dialect, NAMES, rows)?;
    let sql = format!(
        "SELECT s.name, s.key_id, s.sealed FROM {} AS w \
         JOIN sealed_secrets AS s ON s.name = w.name",
        database.dialect.rows(NAMES)
    );
    rows::all(&database.all(sql, values).await?, sealed_secret)
}

/// All names.
pub(crate) async fn sealed_names(database: &Database) -> Read<BTreeSet<SecretName>> {
    let rows = database.all("SELECT name FROM sealed_secrets", []).await?;
    let name = |row: &QueryResult| Columns::of(row, "sealed secret").parsed();
    Ok(rows::all(&rows, name)?.into_iter().collect())
}

/// Some that are sealed under another key.
pub(crate) async fn sealed_otherwise(
    database: &Database,
    key_id: &str,
    most: usize,
) -> Read<Vec<SealedSecret>> {
    let sql = "SELECT name, key_id, sealed FROM sealed_secrets WHERE key_id <> $2 LIMIT $1";
    let rows = database.all(sql, [limit(most), key_id.into()]).await?;
    rows::all(&rows, sealed_secret)
}

fn sealed_secret(row: &QueryResult) -> Read<SealedSecret> {
    let columns = &mut Columns::of(row, "sealed secret");
    Ok(SealedSecret { name: columns.parsed()?, key_id: columns.text()?, sealed: columns.text()? })
}

/// Those that match, newest first.
pub(crate) async fn deliveries(
    database: &Database,
    query: &SecretDeliveryQuery,
) -> Read<Vec<StoredDelivery>> {
    let (sql, values) = deliveries_sql(query);
    rows::all(&database.all(sql, values).await?, delivery)
}

pub(crate) fn deliveries_sql(query: &SecretDeliveryQuery) -> (String, Vec<Value>) {
    let mut filter = Filter::of(query.limit);
    filter.and_if("satellite_id =", query.satellite.map(|id| id.0));
    filter.and_if("at >=", query.since.map(Timestamp::as_millis));
    filter.and_if("at <", query.until.map(Timestamp::as_millis));
    filter.and_if("number <", query.after.map(signed));
    let (wanted, values) = filter.into_parts();
    let sql = format!(
        "SELECT number, satellite_id, config_id, collector_id, run_id, names, error, at, pod \
         FROM secret_deliveries {wanted} ORDER BY number DESC LIMIT $1"
    );
    (sql, values)
}

fn delivery(row: &QueryResult) -> Read<StoredDelivery> {
    let columns = &mut Columns::of(row, "delivery of secrets");
    let number = columns.count()?;
    let satellite = SatelliteId(columns.id()?);
    let place = DeliveryPlace { config_id: columns.text()?, collector_id: columns.opt_text()? };
    let run_id = columns.text()?;
    let names: Vec<String> = columns.json()?;
    let names = names.iter().map(|name| name.parse()).collect::<Result<_, _>>();
    let names = names.map_err(|why| columns.nonsense(why))?;
    let (error, at) = (columns.opt_text()?, columns.time()?);
    let pod = PodName::new(columns.text()?.as_str());
    let delivery = Delivery { satellite, place, run_id, names, error, at, pod };
    Ok(StoredDelivery { number, delivery })
}

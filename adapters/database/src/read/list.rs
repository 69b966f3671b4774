//! Satellites for operators: by id, by filter, and those that are online (rule S3).

use groundcontrol_core::connection::Status;
use groundcontrol_core::ports::{ListQuery, StoredSatellite};
use groundcontrol_core::satellite::{Name, SatelliteId};
use groundcontrol_core::time::Timestamp;
use sea_orm::Value;
use uuid::Uuid;

use super::connections::id_list;
use super::filter::Filter;
use crate::database::Database;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::rows;

/// Those of `ids` that exist.
pub(crate) async fn get_many(
    database: &Database,
    ids: &[SatelliteId],
) -> Result<Vec<StoredSatellite>, Failure> {
    let sql = format!("{} WHERE s.id IN {}", select(), database.dialect.ids());
    let rows = database.all(sql, [id_list(database, ids)?]).await?;
    rows::all(&rows, rows::stored_satellite)
}

/// Those that match, ordered by name.
pub(crate) async fn list(
    database: &Database,
    query: &ListQuery,
) -> Result<Vec<StoredSatellite>, Failure> {
    let (sql, values) = list_sql(database.dialect, query);
    rows::all(&database.all(sql, values).await?, rows::stored_satellite)
}

/// The ids of those that are online at `now`.
pub(crate) async fn online_ids(
    database: &Database,
    now: Timestamp,
) -> Result<Vec<SatelliteId>, Failure> {
    let sql = online_ids_sql(database.dialect);
    match database.one(sql, [now.as_millis().into()]).await? {
        Some(row) => rows::all_ids(&row),
        None => Ok(Vec::new()),
    }
}

fn select() -> String {
    format!(
        "SELECT {} FROM satellites AS s \
         JOIN satellite_connections AS c ON c.satellite_id = s.id",
        rows::stored_columns()
    )
}

/// Rule S1 as a cutoff, with `satellite_connections` as `c`; `now` is a placeholder.
pub(super) fn is_online(now: &str) -> String {
    let default = rows::default_threshold();
    format!(
        "COALESCE(c.last_event = 'connected' AND c.last_heartbeat_at >= \
         {now} - COALESCE(c.offline_threshold_ms, {default}), 1 = 0)"
    )
}

/// As [`is_online`], in two halves that each have their index.
pub(crate) fn online_ids_sql(dialect: Dialect) -> String {
    let default = rows::default_threshold();
    let all_ids = dialect.all_ids("satellite_id");
    format!(
        "SELECT {all_ids} FROM (SELECT satellite_id FROM satellite_connections WHERE last_event = 'connected' \
         AND offline_threshold_ms IS NULL AND last_heartbeat_at >= $1 - {default} \
         UNION ALL SELECT satellite_id FROM satellite_connections WHERE last_event = 'connected' \
         AND offline_threshold_ms IS NOT NULL \
         AND last_heartbeat_at + offline_threshold_ms >= $1) AS online"
    )
}

pub(crate) fn list_sql(dialect: Dialect, query: &ListQuery) -> (String, Vec<Value>) {
    let mut filter = Filter::of(query.limit);
    filter.and_if("s.name >", query.after.as_ref().map(Name::as_str));
    filter.and_if("s.region =", query.region.as_deref());
    for (key, value) in &query.tags {
        let (key, value) = (filter.value(key.as_str()), filter.value(value.as_str()));
        filter.and(dialect.has_tag("s.tags", &key, &value));
    }
    if let Some(text) = &query.text {
        let found = found_by(&mut filter, dialect, &text.to_ascii_lowercase());
        filter.and(found);
    }
    if let Some(status) = query.status {
        let online = is_online(&filter.value(query.now.as_millis()));
        filter.and(match status {
            Status::Online => online,
            Status::Offline => format!("NOT {online}"),
        });
    }
    let (wanted, values) = filter.into_parts();
    (format!("{} {wanted} ORDER BY s.name LIMIT $1", select()), values)
}

/// Name or region has `text` in it, or the id begins with it.
fn found_by(filter: &mut Filter, dialect: Dialect, text: &str) -> String {
    let placeholder = filter.value(text);
    let name = dialect.contains("s.name", &placeholder);
    let region = dialect.contains("s.region", &placeholder);
    let mut either = format!("{name} OR {region}");
    if let Some((first, last)) = ids_beginning_with(text) {
        let (first, last) = (filter.value(first), filter.value(last));
        either = format!("{either} OR s.id BETWEEN {first} AND {last}");
    }
    format!("({either})")
}

/// The first and the last id whose text begins with `text`.
fn ids_beginning_with(text: &str) -> Option<(Uuid, Uuid)> {
    const FORM: &str = "00000000-0000-0000-0000-000000000000";
    let rest = FORM.get(text.len()..)?;
    let first = format!("{text}{rest}");
    let last = format!("{text}{}", rest.replace('0', "f"));
    let hyphenated = |text: &str| {
        text.bytes().zip(FORM.bytes()).all(|(byte, form)| (byte == b'-') == (form == b'-'))
    };
    if !hyphenated(text) {
        return None;
    }
    Some((Uuid::try_parse(&first).ok()?, Uuid::try_parse(&last).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_of_an_id_is_a_range_of_ids() {
        let range = |text| ids_beginning_with(text).map(|(a, b)| (a.to_string(), b.to_string()));
        let (first, last) = range("0a1b2c3d-4").unwrap();
        assert_eq!(first, "0a1b2c3d-4000-0000-0000-000000000000");
        assert_eq!(last, "0a1b2c3d-4fff-ffff-ffff-ffffffffffff");
        let whole = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
        assert_eq!(range(whole), Some((whole.to_owned(), whole.to_owned())));
    }

    #[test]
    fn text_that_begins_no_id_is_no_range() {
        for text in ["g", "0a1b2c3d4", "0a1b-", "{0a1b2c3d", "é", &"0".repeat(40)] {
            assert_eq!(ids_beginning_with(text), None, "{text}");
        }
    }
}

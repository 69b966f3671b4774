//! The satellites of a Checkstack database, as they are there.
//!
//! Rows are read whole, as JSON, so that columns which an older or newer Checkstack lacks are
//! merely absent. What they mean for Ground Control is not decided here.

use std::collections::BTreeMap;
use std::fmt;

use groundcontrol_core::time::Timestamp;
use sea_orm::sqlx::postgres::{PgConnection, PgRow};
use sea_orm::sqlx::{self, Connection as _, Row as _};
use sea_orm::{DbErr, RuntimeErr, SqlxError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::error::detail;
use crate::open::OpenError;
use crate::postgres::{Address, ServerLimits, within};

/// Rows that are read at most.
const MAX_ROWS: i64 = 200_000;

/// A row of Checkstack's table `satellites`.
pub struct CheckstackSatellite {
    /// Its id, as text.
    pub id: String,
    /// Its name; none where it has none.
    pub name: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Bcrypt of its token.
    pub token_hash: Option<SecretString>,
    /// Its own offline threshold in milliseconds; not positive: none.
    pub offline_threshold_ms: Option<i64>,
    /// What its agent said of itself.
    pub version: Option<String>,
    /// What its agent said that it can do.
    pub capabilities: Vec<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// What could not be understood of the row.
    pub faults: Vec<String>,
}

/// Reads the satellites of the Checkstack database at `url`, in the order of their ids. Changes
/// nothing there.
pub async fn checkstack_satellites(
    url: &str,
    password: Option<&SecretString>,
) -> Result<Vec<CheckstackSatellite>, OpenError> {
    let limits = ServerLimits::default();
    let address = Address::of(url, password, limits).map_err(|why| OpenError::ServerUrl { why })?;
    let failed = |doing: &'static str| {
        move |error: SqlxError| {
            let error = DbErr::Query(RuntimeErr::SqlxError(error.into()));
            OpenError::Database { doing, detail: detail(&error) }
        }
    };
    let options = address.reading();
    let connecting = within(limits.connect, PgConnection::connect_with(&options));
    let mut connection =
        connecting.await.map_err(failed("connect to the database of Checkstack"))?;
    let read = "SELECT to_jsonb(s)::text FROM satellites AS s ORDER BY s.id LIMIT $1";
    let rows = sqlx::query(read).bind(MAX_ROWS + 1).fetch_all(&mut connection);
    let doing = "read the table satellites of Checkstack";
    let rows: Vec<PgRow> = rows.await.map_err(failed(doing))?;
    // Whatever becomes of it: everything was read.
    let _ = connection.close().await;
    if rows.len() as i64 > MAX_ROWS {
        let detail = format!("it has more than {MAX_ROWS} rows");
        return Err(OpenError::Database { doing, detail });
    }
    let row = |row: &PgRow| {
        let text: String = row.try_get(0).map_err(failed(doing))?;
        let members: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|why| OpenError::Database { doing, detail: why.to_string() })?;
        Ok(CheckstackSatellite::of(members))
    };
    rows.iter().map(row).collect()
}

impl CheckstackSatellite {
    fn of(mut members: Map<String, Value>) -> Self {
        let mut take = |name: &str| members.remove(name).filter(|value| !value.is_null());
        let mut faults = Vec::new();
        let id = take("id").map(plain).unwrap_or_default();
        let (name, region) = (take("name").map(plain), take("region").map(plain));
        let (hash, version) = (take("token_hash").map(plain), take("version").map(plain));
        let (tags, threshold) = (take("tags"), take("offline_threshold_ms"));
        let (capabilities, created_at) = (take("capabilities"), take("created_at"));
        let mut understood = |result: Result<(), String>| faults.extend(result.err());
        let mut satellite = Self {
            id,
            name,
            region,
            tags: BTreeMap::new(),
            token_hash: hash.map(SecretString::from),
            offline_threshold_ms: None,
            version,
            capabilities: Vec::new(),
            created_at: None,
            faults: Vec::new(),
        };
        understood(tags_of(tags).map(|tags| satellite.tags = tags));
        understood(threshold_of(threshold).map(|own| satellite.offline_threshold_ms = own));
        understood(time_of(created_at).map(|time| satellite.created_at = time));
        satellite.capabilities = capabilities_of(capabilities);
        satellite.faults = faults;
        satellite
    }
}

/// A value as text, without quotes.
fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// JSON in a column of type text.
fn opened(value: Value) -> Value {
    match &value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

fn tags_of(value: Option<Value>) -> Result<BTreeMap<String, String>, String> {
    match value.map(opened) {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(members)) => {
            Ok(members.into_iter().map(|(key, value)| (key, plain(value))).collect())
        }
        Some(Value::Array(keys)) => {
            Ok(keys.into_iter().map(|key| (plain(key), String::new())).collect())
        }
        Some(_) => Err("tags are neither an object nor an array".to_owned()),
    }
}

fn threshold_of(value: Option<Value>) -> Result<Option<i64>, String> {
    let Some(value) = value else { return Ok(None) };
    let millis = plain(value);
    millis.parse().map(Some).map_err(|_| format!("offline_threshold_ms {millis:?} is no number"))
}

fn time_of(value: Option<Value>) -> Result<Option<Timestamp>, String> {
    let at = match value {
        None => return Ok(None),
        Some(Value::Number(millis)) => millis.as_i64().map(Timestamp::from_millis),
        Some(Value::String(text)) => {
            // Without an offset it is UTC.
            text.parse().or_else(|_| format!("{text}Z").parse()).ok()
        }
        Some(_) => None,
    };
    at.map(Some).ok_or_else(|| "created_at is no point in time".to_owned())
}

/// Only for people to read: what is not understood is dropped.
fn capabilities_of(value: Option<Value>) -> Vec<String> {
    match value.map(opened) {
        Some(Value::Array(items)) => items.into_iter().map(plain).collect(),
        Some(_) | None => Vec::new(),
    }
}

impl fmt::Debug for CheckstackSatellite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckstackSatellite")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl CheckstackSatellite {
    /// The hash of its token, for the store alone.
    pub fn hash(&self) -> Option<&str> {
        self.token_hash.as_ref().map(|hash| hash.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> CheckstackSatellite {
        CheckstackSatellite::of(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn columns_that_are_absent_or_null_are_none() {
        let bare = row(r#"{"id": 7, "name": null}"#);
        assert_eq!((bare.id.as_str(), bare.name.as_deref(), bare.hash()), ("7", None, None));
        assert!(bare.tags.is_empty() && bare.faults.is_empty());
    }

    #[test]
    fn tags_are_understood_as_object_array_and_text() {
        let tags = |text: &str| {
            let tags = row(&format!(r#"{{"tags": {text}}}"#)).tags;
            tags.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(tags(r#"{"a": "b", "n": 1}"#), ["a=b", "n=1"]);
        assert_eq!(tags(r#"["a", "b"]"#), ["a=", "b="]);
        assert_eq!(tags(r#""{\"a\":\"b\"}""#), ["a=b"]);
        assert_eq!(row(r#"{"tags": 5}"#).faults, ["tags are neither an object nor an array"]);
    }

    #[test]
    fn points_in_time_are_understood_with_and_without_an_offset() {
        let at = |text: &str| row(&format!(r#"{{"created_at": {text}}}"#)).created_at;
        let expected = Some(Timestamp::from_millis(1_769_860_800_123));
        assert_eq!(at(r#""2026-01-31T12:00:00.123+00:00""#), expected);
        assert_eq!(at(r#""2026-01-31T14:00:00.123456+02:00""#), expected);
        assert_eq!(at(r#""2026-01-31T12:00:00.123""#), expected);
        assert_eq!(at("1769860800123"), expected);
        let nonsense = row(r#"{"created_at": "soon", "offline_threshold_ms": "x"}"#);
        assert_eq!(nonsense.faults.len(), 2);
    }

    #[test]
    fn a_row_shows_no_hash() {
        let shown = format!("{:?}", row(r#"{"id": "a", "token_hash": "$2b$10$hidden"}"#));
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

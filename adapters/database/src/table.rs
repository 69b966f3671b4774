//! Many rows as the parameters of one statement.

use std::borrow::Cow;

use sea_orm::Value;
use sea_orm::sea_query::ArrayType;
use serde::Serialize;
use uuid::Uuid;

use crate::database::json;
use crate::dialect::{Dialect, Type};
use crate::error::Failure;

/// One value of a row.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Cell<'a> {
    Id(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<Cow<'a, str>>),
}

/// `rows` as the parameters that [`Dialect::rows`] reads, in the order of `columns`: for SQLite one
/// JSON text, for PostgreSQL one array a column. Either way it is one prepared statement for any
/// number of rows.
pub(crate) fn parameters<const N: usize>(
    dialect: Dialect,
    columns: &[(&str, Type); N],
    rows: Vec<[Cell<'_>; N]>,
) -> Result<Vec<Value>, Failure> {
    match dialect {
        Dialect::Sqlite => {
            // serde knows arrays of a few lengths only.
            let rows: Vec<&[Cell<'_>]> = rows.iter().map(<[_; N]>::as_slice).collect();
            Ok(vec![json(&rows)?.into()])
        }
        Dialect::Postgres => Ok(arrays(columns, rows)),
    }
}

/// Ids as the parameter that [`Dialect::ids`] reads.
pub(crate) fn ids(dialect: Dialect, ids: impl IntoIterator<Item = Uuid>) -> Result<Value, Failure> {
    match dialect {
        Dialect::Sqlite => Ok(json(&ids.into_iter().collect::<Vec<_>>())?.into()),
        Dialect::Postgres => {
            let ids = ids.into_iter().map(|id| Value::Uuid(Some(id))).collect();
            Ok(Value::Array(ArrayType::Uuid, Some(Box::new(ids))))
        }
    }
}

fn arrays<const N: usize>(columns: &[(&str, Type); N], rows: Vec<[Cell<'_>; N]>) -> Vec<Value> {
    let mut arrays: Vec<Vec<Value>> =
        columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for (array, cell) in arrays.iter_mut().zip(row) {
            array.push(match cell {
                Cell::Id(id) => Value::Uuid(id),
                Cell::Int(number) => Value::BigInt(number),
                Cell::Text(text) => Value::String(text.map(Cow::into_owned)),
            });
        }
    }
    let of_type = |((_, kind), array): (&(&str, Type), Vec<Value>)| {
        let kind = match kind {
            Type::Id => ArrayType::Uuid,
            Type::Int => ArrayType::BigInt,
            Type::Text => ArrayType::String,
        };
        Value::Array(kind, Some(Box::new(array)))
    };
    columns.iter().zip(arrays).map(of_type).collect()
}

impl From<Uuid> for Cell<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(Some(id))
    }
}

impl From<Option<Uuid>> for Cell<'_> {
    fn from(id: Option<Uuid>) -> Self {
        Self::Id(id)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Cell<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Cell<'_> {
    /// A counter; none comes near the end of the signed range.
    fn from(number: u64) -> Self {
        Self::Int(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

impl From<Option<u64>> for Cell<'_> {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Int(None), Self::from)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

//! Values as a server takes them.

use sea_orm::Value;
use sea_orm::sea_query::ArrayType;
use sea_orm::sqlx::postgres::{PgArguments, Postgres};
use sea_orm::sqlx::{Arguments as _, Encode, Error, Type};
use uuid::Uuid;

/// `values` as the parameters of one statement.
pub(super) fn arguments(values: Vec<Value>) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        add(&mut arguments, value)?;
    }
    Ok(arguments)
}

fn add(arguments: &mut PgArguments, value: Value) -> Result<(), Error> {
    match value {
        Value::Bool(value) => put(arguments, value),
        Value::BigInt(value) => put(arguments, value),
        Value::String(value) => put(arguments, value),
        Value::Uuid(value) => put(arguments, value),
        Value::Bytes(value) => put(arguments, value),
        Value::Array(kind, values) => {
            let values = values.map(|values| *values).unwrap_or_default();
            match kind {
                ArrayType::BigInt => put(arguments, column::<i64>(values)?),
                ArrayType::String => put(arguments, column::<String>(values)?),
                ArrayType::Uuid => put(arguments, column::<Uuid>(values)?),
                other => Err(strange(&other)),
            }
        }
        other => Err(strange(&other)),
    }
}

/// The values of an array, each of which may be null.
fn column<T: Cell>(values: Vec<Value>) -> Result<Vec<Option<T>>, Error> {
    values.into_iter().map(|value| T::of(value).map_err(|other| strange(&other))).collect()
}

/// What an array may be of.
trait Cell: Sized {
    /// The value as this type; the value itself where it is of another.
    fn of(value: Value) -> Result<Option<Self>, Value>;
}

macro_rules! cell {
    ($($type:ty: $variant:ident),+) => {$(
        impl Cell for $type {
            fn of(value: Value) -> Result<Option<Self>, Value> {
                match value {
                    Value::$variant(value) => Ok(value),
                    other => Err(other),
                }
            }
        }
    )+};
}

cell!(i64: BigInt, String: String, Uuid: Uuid);

fn put<T>(arguments: &mut PgArguments, value: T) -> Result<(), Error>
where
    T: for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    arguments.add(value).map_err(Error::Encode)
}

fn strange(value: &dyn std::fmt::Debug) -> Error {
    Error::Encode(format!("no statement has parameters like {value:?}").into())
}

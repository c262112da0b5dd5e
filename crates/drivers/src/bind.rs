//! Values of a statement as sqlx takes them, for the few types our columns have.

use chrono::{DateTime, Utc};
use sea_orm::{
    Value, Values,
    sea_query::{self, ArrayType},
    sqlx::{Arguments as _, error::BoxDynError, postgres::PgArguments, sqlite::SqliteArguments},
};
use uuid::Uuid;

use crate::StoreError;

pub(crate) fn postgres(values: Option<Values>) -> Result<PgArguments, StoreError> {
    let mut args = PgArguments::default();
    add(&mut args, values.map_or_else(Vec::new, |values| values.0))?;
    Ok(args)
}

/// Adds values behind the arguments that are there.
pub(crate) fn add(args: &mut PgArguments, values: Vec<Value>) -> Result<(), StoreError> {
    args.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Bool(v) => args.add(v),
            Value::BigInt(v) => args.add(v),
            Value::BigUnsigned(v) => args.add(v.map(i64::try_from).transpose().map_err(odd)?),
            Value::String(v) => args.add(v),
            Value::Bytes(v) => args.add(v),
            Value::ChronoDateTimeUtc(v) => args.add(v),
            Value::Uuid(v) => args.add(v),
            Value::Array(of, items) => array(args, &of, items.map_or_else(Vec::new, |items| *items)),
            other => return Err(unknown(&other)),
        }
        .map_err(odd)?;
    }
    Ok(())
}

/// An array, NULLs included: a whole column of rows in one argument.
fn array(args: &mut PgArguments, of: &ArrayType, items: Vec<Value>) -> Result<(), BoxDynError> {
    match of {
        ArrayType::Bool => args.add(column::<bool>(of, items)?),
        ArrayType::BigInt => args.add(column::<i64>(of, items)?),
        ArrayType::String => args.add(column::<String>(of, items)?),
        ArrayType::Bytes => args.add(column::<Vec<u8>>(of, items)?),
        ArrayType::ChronoDateTimeUtc => args.add(column::<DateTime<Utc>>(of, items)?),
        ArrayType::Uuid => args.add(column::<Uuid>(of, items)?),
        other => Err(format!("no column of ours is {other:?}").into()),
    }
}

/// The items of an array of that type, none where one is NULL.
fn column<T>(of: &ArrayType, items: Vec<Value>) -> Result<Vec<Option<T>>, BoxDynError>
where
    Option<T>: sea_query::ValueType,
{
    let items = items.into_iter().map(<Option<T> as sea_query::ValueType>::try_from);
    let items: Result<Vec<_>, _> = items.collect();
    items.map_err(|_| format!("an array of {of:?} holds something else").into())
}

pub(crate) fn sqlite(values: Option<Values>) -> Result<SqliteArguments, StoreError> {
    let values = values.map_or_else(Vec::new, |values| values.0);
    let mut args = SqliteArguments::default();
    args.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Bool(v) => args.add(v),
            Value::BigInt(v) => args.add(v),
            Value::BigUnsigned(v) => args.add(v.map(i64::try_from).transpose().map_err(odd)?),
            Value::String(v) => args.add(v),
            Value::Bytes(v) => args.add(v),
            Value::ChronoDateTimeUtc(v) => args.add(v),
            Value::Uuid(v) => args.add(v),
            other => return Err(unknown(&other)),
        }
        .map_err(odd)?;
    }
    Ok(args)
}

fn odd(why: impl Into<BoxDynError>) -> StoreError {
    StoreError::Database(why.into())
}

/// Names the type and not the value: errors are logged, values are not.
pub(crate) fn unknown(value: &Value) -> StoreError {
    StoreError::Database(format!("no column of ours is {:?}", value.array_type()).into())
}

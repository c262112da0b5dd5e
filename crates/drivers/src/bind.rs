//! Values of a statement as sqlx takes them, for the few types our columns have.

use sea_orm::{
    Value, Values,
    sea_query::ArrayType,
    sqlx::{Arguments as _, error::BoxDynError, postgres::PgArguments, sqlite::SqliteArguments},
};

use crate::StoreError;

pub(crate) fn postgres(values: Option<Values>) -> Result<PgArguments, StoreError> {
    let values = values.map_or_else(Vec::new, |values| values.0);
    let mut args = PgArguments::default();
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
            Value::Array(of, items) => array(&mut args, &of, items.map_or_else(Vec::new, |items| *items)),
            other => return Err(unknown(&other)),
        }
        .map_err(odd)?;
    }
    Ok(args)
}

/// An array, NULLs included: a whole column of rows in one argument.
fn array(args: &mut PgArguments, of: &ArrayType, items: Vec<Value>) -> Result<(), BoxDynError> {
    macro_rules! add {
        ($variant:ident) => {
            args.add(
                items
                    .into_iter()
                    .map(|item| {
                        if let Value::$variant(v) = item {
                            Ok(v)
                        } else {
                            Err(format!("an array of {of:?} holds something else"))
                        }
                    })
                    .collect::<Result<Vec<_>, _>>()?,
            )
        };
    }
    match of {
        ArrayType::Bool => add!(Bool),
        ArrayType::BigInt => add!(BigInt),
        ArrayType::String => add!(String),
        ArrayType::Bytes => add!(Bytes),
        ArrayType::ChronoDateTimeUtc => add!(ChronoDateTimeUtc),
        ArrayType::Uuid => add!(Uuid),
        other => Err(format!("no column of ours is {other:?}").into()),
    }
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

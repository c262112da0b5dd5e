//! How an id stands in a column: as its uuid.

use std::fmt;

use sea_orm::{
    ColIdx, DbErr, QueryResult, TryFromU64, TryGetError, TryGetable, Value,
    prelude::Uuid,
    sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr},
};

/// A column that keeps ids of one kind. `models` knows no store, so what a store asks of an id is said here, once for
/// all kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<T>(pub T);

impl<T: Into<Uuid>> Id<T> {
    /// The uuid that is stored.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0.into()
    }
}

impl<T: fmt::Display> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Into<Uuid>> From<Id<T>> for Value {
    fn from(id: Id<T>) -> Self {
        Self::from(id.uuid())
    }
}

impl<T: From<Uuid>> TryGetable for Id<T> {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        <Uuid as TryGetable>::try_get_by(row, index).map(|uuid| Self(T::from(uuid)))
    }
}

impl<T: From<Uuid>> ValueType for Id<T> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <Uuid as ValueType>::try_from(value).map(|uuid| Self(T::from(uuid)))
    }

    fn type_name() -> String {
        "Id".to_owned()
    }

    fn array_type() -> ArrayType {
        <Uuid as ValueType>::array_type()
    }

    fn column_type() -> ColumnType {
        <Uuid as ValueType>::column_type()
    }
}

impl<T> Nullable for Id<T> {
    fn null() -> Value {
        <Uuid as Nullable>::null()
    }
}

// A primary key must say whether a database can count it up. Ours cannot.
impl<T> TryFromU64 for Id<T> {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64("an id"))
    }
}

#[cfg(test)]
mod tests {
    use models::ids::RunId;

    use super::*;

    #[test]
    fn an_id_is_stored_as_its_uuid_and_read_back_as_its_kind() {
        let run = RunId(Uuid::from_u128(7));
        let stored = Value::from(Id(run));
        assert_eq!(stored, Value::from(run.0));
        assert_eq!(<Id<RunId> as ValueType>::try_from(stored).ok(), Some(Id(run)));
        assert!(<Id<RunId> as ValueType>::try_from(Value::from("run_1")).is_err());
        assert!(matches!(<Id<RunId> as ValueType>::column_type(), ColumnType::Uuid));
        assert_eq!(Value::from(None::<Id<RunId>>), Value::from(None::<Uuid>));
    }
}

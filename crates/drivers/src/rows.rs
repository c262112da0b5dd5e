//! Pairing a table's rows with the values or records that they keep.
//!
//! Both sides are written out whole, so that a field without a column, or a column without a field, does not compile.

/// Pairs a row with the value it keeps: makes `$put(&Value, ..) -> Row` and `$get(Row) -> Value`.
///
/// `same` are fields and columns of one name, `renamed` are `field => column`, and `extra` are columns that the
/// value does not hold, with what they get. `key` names a row in an error.
macro_rules! rows {
    (
        $value:ident, $entity:ident, key($($key:ident),+), fn $put:ident($v:ident $(, $arg:ident: $of:ty)*), fn $get:ident,
        same { $($same:ident),* $(,)? } renamed { $($field:ident => $column:ident),* $(,)? }
        extra { $($extra:ident = $made:expr),* $(,)? }
    ) => {
        pub(super) fn $put($v: &$value $(, $arg: $of)*) -> Result<$entity::Model, $crate::StoreError> {
            let bad = |column: &str, why: String| {
                let row = [$($v.$key.to_string()),+].join("/");
                $crate::field::corrupt(&$entity::Entity, row, column, &why)
            };
            Ok($entity::Model {
                $($same: $crate::field::Field::put(&$v.$same).map_err(|why| bad(stringify!($same), why))?,)*
                $($column: $crate::field::Field::put(&$v.$field).map_err(|why| bad(stringify!($column), why))?,)*
                $($extra: $crate::field::Field::put(&$made).map_err(|why| bad(stringify!($extra), why))?,)*
            })
        }

        pub(super) fn $get(row: $entity::Model) -> Result<$value, $crate::StoreError> {
            let key = ($(row.$key.clone(),)+);
            let bad = |column: &str, why: String| {
                let ($($key,)+) = &key;
                let row = [$($key.to_string()),+].join("/");
                $crate::field::corrupt(&$entity::Entity, row, column, &why)
            };
            let $entity::Model { $($same,)* $($column,)* $($extra: _,)* } = row;
            Ok($value {
                $($same: $crate::field::Field::get($same).map_err(|why| bad(stringify!($same), why))?,)*
                $($field: $crate::field::Field::get($column).map_err(|why| bad(stringify!($column), why))?,)*
            })
        }
    };
}
pub(crate) use rows;

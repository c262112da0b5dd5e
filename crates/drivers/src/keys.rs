//! Keys of rows, as conditions take them, and rows of values, as bulk writes take them.

use sea_orm::{TryGetable, Value};

use crate::StoreError;

/// What rows are looked for by: a value, and what stands in the column for it.
pub(crate) trait Key: Clone + Ord {
    /// What stands in the column.
    type Column: Into<Value> + TryGetable;
    /// As it is stored.
    fn stored(self) -> Self::Column;
    /// As it was.
    fn of(stored: Self::Column) -> Self;
}

impl Key for String {
    type Column = Self;
    fn stored(self) -> Self {
        self
    }
    fn of(stored: Self) -> Self {
        stored
    }
}

/// Keys of one column, in order and each once: rows are locked in the order of their keys.
pub(crate) fn sorted<K: Key>(keys: &[K]) -> Vec<[Value; 1]> {
    in_order(keys).into_iter().map(|key| [key.stored().into()]).collect()
}

/// The keys in order, each once.
pub(crate) fn in_order<K: Clone + Ord>(keys: &[K]) -> Vec<K> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Each value as its row.
pub(crate) fn rows<'v, V: 'v, R>(
    values: impl IntoIterator<Item = &'v V>,
    to_row: impl Fn(&V) -> Result<R, StoreError>,
) -> Result<Vec<R>, StoreError> {
    values.into_iter().map(to_row).collect()
}

/// Keys by column instead of by row.
pub(crate) fn transposed<const N: usize>(keys: &[[Value; N]]) -> Vec<Vec<Value>> {
    (0..N).map(|column| keys.iter().map(|key| key[column].clone()).collect()).collect()
}

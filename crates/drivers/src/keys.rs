//! Keys of rows, as conditions take them, and rows of values, as bulk writes take them.

use sea_orm::Value;

use crate::StoreError;

/// Keys of one column, in order and each once: rows are locked in the order of their keys.
pub(crate) fn sorted<K: Clone + Ord + Into<Value>>(keys: &[K]) -> Vec<[Value; 1]> {
    in_order(keys).into_iter().map(|key| [key.into()]).collect()
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

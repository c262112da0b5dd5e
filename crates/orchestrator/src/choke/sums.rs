//! Sums that are recorded: none is more than a record holds.

use rules::Count;

/// Adds to a total, which stops where a record can hold no more: each number is refused above that at the door, but
/// two of them may come. Whether it is the sum still.
pub(super) fn add(total: &mut u64, more: u64) -> bool {
    let is_sum = total.checked_add(more).is_some_and(|sum| sum <= Count::MAX.get());
    *total = (Count::from(*total) + Count::from(more)).get();
    is_sum
}

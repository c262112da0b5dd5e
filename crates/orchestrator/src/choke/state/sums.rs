//! Sums that are recorded: none is more than a record holds.

use rules::Count;

/// Adds to a total, which stops where a record can hold no more: each number is refused above that at the door, but
/// two of them may come. Whether it is the sum still.
pub(in crate::choke) fn add(total: &mut u64, more: u64) -> bool {
    let is_sum = total.checked_add(more).is_some_and(|sum| sum <= Count::MAX.get());
    *total = (Count::from(*total) + Count::from(more)).get();
    is_sum
}

/// Takes from what a limit counts. What was cut is no sum any more: nobody knows what is left of it, so nothing is given
/// back, lest one absurd count wipe out all that was used before.
pub(in crate::choke) fn take(total: &mut u64, less: u64) {
    if *total < Count::MAX.get() {
        *total = total.saturating_sub(less);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_from_a_sum_that_was_cut() {
        let mut total = 0;
        assert!(add(&mut total, 900));
        take(&mut total, 100);
        assert_eq!(total, 800);
        assert!(!add(&mut total, Count::MAX.get()));
        take(&mut total, Count::MAX.get());
        assert_eq!(total, Count::MAX.get());
    }
}

//! Sums that are recorded: none is more than a record holds.

use rules::Count;

/// Adds to a total, which stops where a record can hold no more: each number is refused above that at the door, but
/// two of them may come. Whether it is the sum still.
pub(in crate::choke) fn add(total: &mut u64, more: u64) -> bool {
    let is_sum = total.checked_add(more).is_some_and(|sum| sum <= Count::MAX.get());
    *total = (Count::from(*total) + Count::from(more)).get();
    is_sum
}

/// Takes from a total. What was cut is no sum any more: nobody knows what is left of it, so nothing is given back, lest
/// one absurd count wipe out all that was used before. Whether it is the sum still.
pub(in crate::choke) fn take(total: &mut u64, less: u64) -> bool {
    let is_sum = *total < Count::MAX.get();
    if is_sum {
        *total = total.saturating_sub(less);
    }
    is_sum || less == 0
}

/// Adds to what permits hold together, and gives what that added: where the total is as much as a record holds, less
/// than was asked. What each permit gives back is what it added, so the others keep theirs.
pub(in crate::choke) fn hold(total: &mut u64, more: u64) -> u64 {
    let before = *total;
    add(total, more);
    total.saturating_sub(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_from_a_sum_that_was_cut() {
        let mut total = 0;
        assert!(add(&mut total, 900));
        assert!(take(&mut total, 100));
        assert_eq!(total, 800);
        assert!(!add(&mut total, Count::MAX.get()));
        assert!(!take(&mut total, Count::MAX.get()));
        assert_eq!(total, Count::MAX.get());
    }

    #[test]
    fn what_one_permit_gives_back_leaves_what_the_others_hold() {
        let mut total = 0;
        assert_eq!(hold(&mut total, 900), 900);
        let rest = hold(&mut total, Count::MAX.get());
        assert_eq!((total, rest), (Count::MAX.get(), Count::MAX.get() - 900));
        assert_eq!(hold(&mut total, 5), 0, "there is no number for it");
        assert_eq!(total - rest, 900);
    }
}

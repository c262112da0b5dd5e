//! The model calls next above a step, and what they come to that lie next below one: two spans of one call lie near
//! each other, so no list grows with what a trace holds.

use super::sums::{Sum, comes_to, plus};

/// So many calls above a step are asked whether it tells of one of them: a framework, a gateway and a client or two.
const MOST: usize = 4;

/// The calls above a step that tell a use, by their places, the next one first; neither through a tool nor through a
/// search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Near {
    calls: [Call; MOST],
    many: usize,
}

/// One of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) at: usize,
    /// An agent that tells a use lies between.
    pub(super) is_beyond_a_sum: bool,
    /// A step that failed, and is none of these calls, lies between it and the one before it here; of the first,
    /// between it and what is below them all.
    pub(super) is_over_a_failure: bool,
}

impl Near {
    /// Those above what lies below a call in that place.
    pub(super) fn below(mut self, at: usize) -> Self {
        self.calls.rotate_right(1);
        self.calls[0] = Call { at, ..Call::default() };
        self.many = MOST.min(self.many + 1);
        self
    }

    /// Those above what lies below an agent that tells a use.
    pub(super) fn beyond_a_sum(mut self) -> Self {
        for call in self.calls.iter_mut().take(self.many) {
            call.is_beyond_a_sum = true;
        }
        self
    }

    /// Those above what lies below a step that failed and is no call that tells a use.
    pub(super) fn over_a_failure(mut self) -> Self {
        if let Some(next) = self.calls[..self.many].first_mut() {
            next.is_over_a_failure = true;
        }
        self
    }

    pub(super) fn calls(&self) -> &[Call] {
        &self.calls[..self.many]
    }
}

/// Whether a call is told by those next to it, below or above, and so counts no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Elsewhere {
    #[default]
    Untold,
    /// By what leaves out something that it tells.
    InPart,
    InFull,
}

/// What of the calls next to one is known: what those come to that lie next below it and may be it; and whether these,
/// or one above it that tells more of a use, tell of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    below: Sum,
    told: Elsewhere,
}

impl Met {
    /// A call below tells of it, or one above tells more of it; and whether that one leaves out nothing that it tells.
    pub(super) fn tell(&mut self, in_full: bool) {
        self.told = self.told.max(if in_full { Elsewhere::InFull } else { Elsewhere::InPart });
    }

    /// One next below it may be a part of it, which tells so much.
    pub(super) fn add(&mut self, used: Sum, told: Sum) {
        self.below = plus(self.below, used);
        if comes_to(self.below, told) {
            self.told = Elsewhere::InFull;
        }
    }

    /// Whether the call counts no more.
    pub(super) fn takes_away(self) -> bool {
        self.told > Elsewhere::Untold
    }

    /// Whether whoever tells of the call leaves out something that it tells: which of them is right nobody knows.
    pub(super) fn leaves_doubt(self) -> bool {
        self.told == Elsewhere::InPart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_calls_are_known() {
        let mut near = Near::default();
        assert!(near.calls().is_empty() && near.beyond_a_sum() == near && near.over_a_failure() == near);
        for at in 7..7 + MOST + 2 {
            near = near.below(at);
        }
        let places: Vec<usize> = near.calls().iter().map(|call| call.at).collect();
        assert_eq!(places, [12, 11, 10, 9]);
        let beyond = near.beyond_a_sum().below(13);
        let sums: Vec<bool> = beyond.calls().iter().map(|call| call.is_beyond_a_sum).collect();
        assert_eq!(sums, [false, true, true, true]);
        let over = near.over_a_failure().below(13);
        let failures: Vec<bool> = over.calls().iter().map(|call| call.is_over_a_failure).collect();
        assert_eq!(failures, [false, true, false, false]);
    }

    #[test]
    fn calls_come_to_one_together() {
        let mut met = Met::default();
        met.add([60, 6, 0], [100, 10, 0]);
        assert!(!met.takes_away());
        met.add([40, 3, 0], [100, 10, 0]);
        assert!(!met.takes_away(), "not yet what went out");
        met.add([1, 1, 0], [100, 10, 0]);
        assert!(met.takes_away() && !met.leaves_doubt());
    }

    #[test]
    fn what_is_told_in_part_is_in_doubt_until_all_of_it_is_told() {
        let told = [100, 10, 0];
        let mut one = Met::default();
        one.tell(false);
        assert!(one.takes_away() && one.leaves_doubt());
        let (mut by_one, mut together) = (one, one);
        by_one.tell(true);
        together.add([100, 4, 0], told);
        assert!(together.leaves_doubt(), "not yet");
        together.add([20, 6, 0], told);
        assert!(!by_one.leaves_doubt() && !together.leaves_doubt());
        by_one.tell(false);
        assert!(!by_one.leaves_doubt(), "whichever came first");
    }
}

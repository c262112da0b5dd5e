//! What the uses come to that lie nearest below a step, so that a sum is known for what it sums up.

/// Tokens in and out, and a cost.
pub(super) type Sum = [u64; 3];

/// The places of the three numbers.
pub(super) const NUMBERS: [usize; 3] = [0, 1, 2];

/// Sums of steps, by their places. Of each number that a step does not tell itself it has what lies below it in common
/// with the one above, to which it is joined in that number: so nothing is handed up a long way.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    tops: Vec<[usize; 3]>,
    sums: Vec<Sum>,
}

impl Sums {
    /// Adds the next step, below which there is nothing.
    pub(super) fn push(&mut self) {
        self.tops.push([self.tops.len(); 3]);
        self.sums.push(Sum::default());
    }

    /// What was handed to a step, of each number in which it is joined to none.
    pub(super) fn of(&self, at: usize) -> Sum {
        self.sums[at]
    }

    /// Hands more of a number to it.
    pub(super) fn hand(&mut self, at: usize, number: usize, more: u64) {
        self.sums[at][number] = self.sums[at][number].saturating_add(more);
    }

    /// Forgets what was handed to it.
    pub(super) fn forget(&mut self, at: usize) {
        self.sums[at] = Sum::default();
    }

    /// Joins a step that is joined to none yet in a number to one above that is not either.
    pub(super) fn join(&mut self, below: usize, number: usize, above: usize) {
        self.tops[below][number] = above;
    }

    /// The step to which one is joined in a number, by others or by itself.
    pub(super) fn top(&mut self, mut at: usize, number: usize) -> usize {
        while self.tops[at][number] != at {
            // The way is halved while it is gone, so that no way stays long.
            self.tops[at][number] = self.tops[self.tops[at][number]][number];
            at = self.tops[at][number];
        }
        at
    }
}

pub(super) fn plus(one: Sum, other: Sum) -> Sum {
    [0, 1, 2].map(|at| one[at].saturating_add(other[at]))
}

/// Whether what lies below comes to what a step tells: its tokens, or its cost where it tells none. A use that nobody
/// can read is come to by nothing.
pub(super) fn comes_to(below: Sum, told: Sum) -> bool {
    let [input, output, cost] = told;
    if (input, output) == (0, 0) {
        cost > 0 && below[2] >= cost
    } else {
        below[0] >= input && below[1] >= output
    }
}

/// So much more than what lies below an agent may it tell, and tell of it: some add up what an agent used in all its
/// life.
const MOST_PARTS: u64 = 20;

/// How much of what a step tells lies below it, from little to much. A use that nobody can read may be of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Summed {
    Little,
    /// So much that it may be what one sums up who adds up what was used before too.
    Part,
    Half,
    All,
}

impl Summed {
    pub(super) fn of(below: Sum, told: Sum) -> Self {
        let comes = |times: u64| comes_to(below.map(|one| one.saturating_mul(times)), told);
        if comes(1) {
            Self::All
        } else if told == Sum::default() || comes(2) {
            Self::Half
        } else if comes(MOST_PARTS) {
            Self::Part
        } else {
            Self::Little
        }
    }
}

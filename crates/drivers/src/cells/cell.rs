//! A counter, and what it says.

use std::ops::{AddAssign, Neg};

use models::{counters::Counted, ids::TenantId};
use proof::hash::sha256;

pub(crate) const TABLE: &str = "counters";

/// By so much counts the high part of an amount.
pub(crate) const LOW: i128 = 1 << 20;

/// What a counter says is taken for no more than this, nor for less than as much below 0, whatever stands there: what
/// is beyond would leave the numbers of a store.
pub(crate) const MOST: i64 = 1 << 62;

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) tenant: TenantId,
    pub(crate) counted: Counted,
    pub(crate) place: String,
    pub(crate) part: String,
    pub(crate) kind: String,
}

impl Cell {
    /// What its rows are found by. In this order they are locked, by whoever locks several.
    pub(super) fn key(&self) -> (TenantId, &'static str, String, Vec<u8>) {
        (self.tenant, self.counted.as_str(), self.place.clone(), digest(&self.part, &self.kind))
    }
}

/// What stands for part and kind in the key of a row.
pub(crate) fn digest(part: &str, kind: &str) -> Vec<u8> {
    sha256(format!("{part}\n{kind}").as_bytes()).0[..16].to_vec()
}

/// What a counter says, or what is added to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many runs, or calls.
    pub(crate) number: i64,
    /// How many of the calls have a cost that nobody knows.
    pub(crate) unknown: i64,
    pub(crate) cost: i128,
    pub(crate) input: i128,
    pub(crate) output: i128,
}

/// What somebody wrote past HOC may be as large as a number can be.
impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.number = self.number.saturating_add(more.number);
        self.unknown = self.unknown.saturating_add(more.unknown);
        self.cost = self.cost.saturating_add(more.cost);
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
    }
}

impl Neg for Tally {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            number: self.number.saturating_neg(),
            unknown: self.unknown.saturating_neg(),
            cost: self.cost.saturating_neg(),
            input: self.input.saturating_neg(),
            output: self.output.saturating_neg(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let one = Tally { number: 1, unknown: 1, cost: 1 << 53, input: 7, output: 0 };
        let mut sum = Tally::default();
        sum += one;
        sum += -one;
        assert_eq!(sum, Tally::default());
    }
}

//! Which call is of a try that broke, and is billed beside what is told above it.

use super::{
    Tally,
    near::Call,
    node::{NO_CHANCE, Node},
    told::Tells,
};

impl Tally {
    /// Whether a call is of a try that failed within one of these, which are the next ones above it: then it is neither
    /// that one nor one above that.
    pub(super) fn failed_within(&self, node: &Node, calls: &[Call]) -> bool {
        let mut broke = node.failed;
        for call in calls {
            let above = &self.nodes[call.at];
            broke |= call.is_over_a_failure;
            if broke && node.is_another_try_than(above) {
                return true;
            }
            broke |= above.failed;
        }
        false
    }

    /// Whether a call is of a try that broke as it began, as the last of these above it did, and tells a token less of
    /// what came out: it may be the same try or another one, and what is told of it stays.
    pub(super) fn broke_as_early(&self, node: &Node, calls: &[Call]) -> bool {
        let Some((last, nearer)) = calls.split_last() else { return false };
        let broke = node.failed
            || calls.iter().any(|call| call.is_over_a_failure)
            || nearer.iter().any(|call| self.nodes[call.at].failed);
        let above = &self.nodes[last.at];
        broke && node.falls_short_of(above) && above.failed_as_it_began()
    }
}

impl Node {
    /// Whether a call of a try that broke is of another one than that call above it: it tells the same that went in and
    /// less of what came out, or half of a use, and in that what the other does not tell.
    fn is_another_try_than(&self, above: &Self) -> bool {
        if self.falls_short_of(above) {
            return !above.failed_as_it_began();
        }
        self.tells == Tells::Half && self.tells < above.tells && !self.tells_no_other(above)
    }

    /// Whether the same went in as into that call above it, and less came out.
    fn falls_short_of(&self, above: &Self) -> bool {
        self.used[0] >= NO_CHANCE && self.used[0] == above.used[0] && self.used[1] < above.used[1]
    }

    fn failed_as_it_began(&self) -> bool {
        self.failed && self.tells_no_more_than_begun()
    }

    /// Whether all that half of a use tells is told by that call too: what came out alone, the total alone, a cost
    /// alone, or both sides. Of what went in alone it is not: what came out of that is open.
    fn tells_no_other(&self, above: &Self) -> bool {
        let ([input, output, cost], [its_input, its_output, its_cost]) = (self.used, above.used);
        match (input, output) {
            (0, 0) => cost == its_cost,
            (0, _) => output == its_output,
            (_, 0) => its_output > 0 && input == its_input.saturating_add(its_output),
            _ => (input, output) == (its_input, its_output),
        }
    }
}

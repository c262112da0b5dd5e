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

    /// Whether a call is of the same try as the last of these above it, of which that one tells no more than how it
    /// began; or of another that broke as early. Both say that they failed, so what is told of the lower one stays.
    pub(super) fn broke_as_early(&self, node: &Node, calls: &[Call]) -> bool {
        let Some((last, nearer)) = calls.split_last() else { return false };
        let broke = node.failed
            || calls.iter().any(|call| call.is_over_a_failure)
            || nearer.iter().any(|call| self.nodes[call.at].failed);
        broke && node.tells_no_more_of_a_beginning(&self.nodes[last.at])
    }
}

impl Node {
    /// Whether a call of a try that broke is of another one than that call above it: it tells the same that went in and
    /// less of what came out, or half of a use, and in that what the other does not tell.
    fn is_another_try_than(&self, above: &Self) -> bool {
        let tells_half = self.tells == Tells::Half && self.tells < above.tells;
        let is_another = self.falls_short_of(above) || (tells_half && !self.tells_no_other(above));
        is_another && !self.tells_no_more_of_a_beginning(above)
    }

    /// Whether the same went in as into that call above it, and less came out.
    fn falls_short_of(&self, above: &Self) -> bool {
        self.has_input_of(above) && self.used[1] < above.used[1]
    }

    /// Whether that call above it failed behind its beginning, and it tells no more of that.
    fn tells_no_more_of_a_beginning(&self, above: &Self) -> bool {
        let is_half = self.tells == Tells::Half && self.used[1] <= above.used[1];
        let is_begun = above.failed && above.tells_no_more_than_begun() && self.has_input_of(above);
        is_begun && (is_half || self.falls_short_of(above))
    }

    fn has_input_of(&self, above: &Self) -> bool {
        self.used[0] >= NO_CHANCE && self.used[0] == above.used[0]
    }

    /// Whether all that half of a use tells is told by that call too: what came out alone, the total alone, a cost
    /// alone, or both sides.
    fn tells_no_other(&self, above: &Self) -> bool {
        let ([input, output, cost], [its_input, its_output, its_cost]) = (self.used, above.used);
        match (input, output) {
            (0, 0) => cost == its_cost,
            (0, _) => output == its_output,
            (_, 0) => input == its_input.saturating_add(its_output),
            _ => (input, output) == (its_input, its_output),
        }
    }
}

//! What comes of it that calls to models come to lie next to each other in the tree.

use std::collections::BTreeMap;

use super::{
    Tally,
    near::{Call, Met, Near},
};

impl Tally {
    /// What the calls come to that lie next to others by a step that has just come: of each whose count hangs on that.
    pub(super) fn met_by(&self, at: usize) -> BTreeMap<usize, Met> {
        let mut met = BTreeMap::new();
        let node = &self.nodes[at];
        self.meet(at, node.near, 0, &mut met);
        let mut next = vec![(at, node.near_below(at))];
        while let Some((above, near)) = next.pop() {
            let above = &self.nodes[above];
            for child in self.children_of(above.span) {
                let node = &self.nodes[*child];
                let known = node.near.calls().len();
                if known < near.calls().len() && node.talks_to(above) {
                    self.meet(*child, near, known, &mut met);
                    next.push((*child, node.near_below_with(*child, near)));
                }
            }
        }
        met
    }

    /// What comes of it that these calls lie next above a step, of which it knows the first already.
    fn meet(&self, at: usize, near: Near, known: usize, met: &mut BTreeMap<usize, Met>) {
        let node = &self.nodes[at];
        if !node.is_telling_call() {
            return;
        }
        let calls = near.calls();
        for (between, call) in calls.iter().enumerate().skip(known) {
            let (above, nearer) = (&self.nodes[call.at], &calls[..between]);
            if self.failed_within(node, &calls[..=between]) {
                break;
            }
            // Where both broke as they began, the lower one stays: it is told by the upper one, or of a try beside it.
            let may_give_way = !call.is_beyond_a_sum && !self.broke_as_early(node, &calls[..=between]);
            let is_begun = may_give_way
                && node.begins(above)
                && nearer.iter().all(|one| self.nodes[one.at].tells_no_other_input(node));
            if is_begun {
                met.entry(at).or_insert(node.met).tell(true);
            } else if node.may_retell(above) {
                let of_above = met.entry(call.at).or_insert(above.met);
                if node.tells_the_same(above) {
                    of_above.tell(node.tells_no_less_than(above));
                }
                // What tells of it by itself may be a part of all that it tells too.
                if !self.have_a_part_of(&calls[..=between]) {
                    of_above.add(node.used, above.used);
                }
            } else if may_give_way && node.gives_way_to(above) {
                met.entry(at).or_insert(node.met).tell(node.is_told_in_full_by(above));
            }
        }
    }

    /// Whether one of these calls above another may retell the last of them, in the other's place.
    fn have_a_part_of(&self, calls: &[Call]) -> bool {
        let Some((above, between)) = calls.split_last() else { return false };
        let is_part = |(at, one): (usize, &Call)| {
            let one = &self.nodes[one.at];
            one.is_a_part_of(&self.nodes[above.at]) && !self.failed_within(one, &calls[at + 1..])
        };
        between.iter().enumerate().any(is_part)
    }

    /// Tells the calls next to a step that has just come what they come to; gives those before it that count no longer.
    pub(super) fn tell_near(&mut self, at: usize, met: &BTreeMap<usize, Met>) -> Vec<u64> {
        let mut no_longer = Vec::new();
        for (of, met) in met {
            let node = &mut self.nodes[*of];
            let had_doubt = node.leaves_doubt();
            node.met = *met;
            self.doubts = self.doubts + usize::from(node.leaves_doubt()) - usize::from(had_doubt);
            if node.counts && !node.would_count() {
                node.counts = false;
                no_longer.extend(Some(node.index).filter(|_| *of != at));
            }
        }
        no_longer
    }
}

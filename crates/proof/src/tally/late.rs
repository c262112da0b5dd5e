//! Steps that come after their run was sealed: its totals stay, so only that counts which takes nothing away.

use std::collections::BTreeMap;

use super::{
    Tally,
    marks::Marks,
    near::Met,
    node::{Shown, Sort},
    sums::{NUMBERS, Sum, Summed, plus},
    told::{Tells, Told},
};

impl Tally {
    /// Adds a step that came after the run was sealed: whether it counts. It takes no use and no tool's call away from
    /// what counts.
    pub fn add_late(&mut self, told: Told<'_>) -> bool {
        if !told.is_in_tree() {
            return self.pass_by(&told);
        }
        let at = self.plant(told);
        let met = self.met_by(at);
        let node = &self.nodes[at];
        let own = met.get(&at).copied().unwrap_or(node.met);
        if node.would_count_over(&node.below, own) && !self.takes_away(at, &met) {
            self.tell_other_side(at);
            self.tell_near(at, &met);
            self.tell_upwards(at);
            self.hand_up(at);
            self.tell_downwards(at);
            return true;
        }
        // It is there, and hands up nothing of itself or of what is below it now.
        let node = &mut self.nodes[at];
        let weighed = node.weight();
        (node.sort, node.tells, node.counts) = (Sort::Other, Tells::Nothing, false);
        (node.below, node.marks, node.used) = (Shown::default(), Marks::default(), Sum::default());
        node.hand_down();
        self.weight = self.weight - weighed + node.weight();
        self.sums.forget(at);
        self.hand_up(at);
        false
    }

    /// Whether a late step that was planted would take away a use that counts, or a tool's call. A sealed call below it
    /// that tells no use stays, and takes nothing from one that does.
    fn takes_away(&mut self, at: usize, met: &BTreeMap<usize, Met>) -> bool {
        if self.other_side(at).is_some_and(|tool| self.nodes[tool].counts) {
            return true;
        }
        let is_gone = |(of, met): (&usize, &Met)| {
            let node = &self.nodes[*of];
            *of != at && node.counts && !node.would_count_over(&node.below, *met)
        };
        if met.iter().any(is_gone) {
            return true;
        }
        let tops = self.tops(at);
        let mut heard = NUMBERS.map(|_| Marks::default());
        let mut shown = self.nodes[at].shows();
        let mut next = self.hearer(at);
        while let Some(above) = next {
            let node = &self.nodes[above];
            if node.below.covers(&shown) {
                break;
            }
            let mut below = node.below.clone();
            below.add(&shown);
            if node.counts && !node.would_count_over(&below, node.met) {
                return true;
            }
            for (heard, top) in heard.iter_mut().zip(tops.into_iter().flatten()) {
                if top == above {
                    heard.clone_from(&below.text);
                }
            }
            shown = node.shows_over(&below);
            next = self.hearer(above);
        }
        let Some(tops) = tops else { return false };
        let used = self.used_at(at);
        tops.into_iter().zip(heard.iter()).any(|(top, heard)| {
            let handed = NUMBERS.map(|number| if tops[number] == top { used[number] } else { 0 });
            let of = plus(self.sums.of(top), handed);
            let node = &self.nodes[top];
            let text = if heard.is_empty() { &node.below.text } else { heard };
            let is_summed = node.sums_up_those(Summed::of(of, node.used), text);
            node.counts && node.sums_up() && node.sort != Sort::Model && is_summed
        })
    }
}

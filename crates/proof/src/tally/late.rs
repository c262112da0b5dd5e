//! Steps that come after their run was sealed: its totals stay, so only that counts which takes nothing away.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Tally,
    marks::Marks,
    near::Met,
    node::{Shown, Sort},
    sums::{NUMBERS, Sum, Summed, plus},
    told::{Tells, Told},
};

/// What a step comes to that came after its run was sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CameLate {
    /// Its use and its call are counted.
    pub counts: bool,
    /// It would have taken away what counts, and tells of another use than that; or it is told by what leaves out
    /// something that it tells: what stays is not what was used.
    pub is_in_doubt: bool,
}

impl Tally {
    /// Adds a step that came after the run was sealed: whether it counts. It takes no use and no tool's call away from
    /// what counts.
    pub fn add_late(&mut self, told: Told<'_>) -> bool {
        self.come_late(told).counts
    }

    /// The same, and whether what the run used is known with what stays.
    pub fn come_late(&mut self, told: Told<'_>) -> CameLate {
        if !told.is_in_tree() {
            return CameLate { counts: self.pass_by(&told), is_in_doubt: false };
        }
        let at = self.plant(told);
        let met = self.met_by(at);
        let node = &self.nodes[at];
        let own = met.get(&at).copied().unwrap_or(node.met);
        let would_count = node.would_count_over(&node.below, own);
        let gone = self.taken_away(at, &met);
        if would_count && gone.is_empty() {
            self.tell_other_side(at);
            self.tell_near(at, &met);
            self.tell_upwards(at);
            self.hand_up(at);
            self.tell_downwards(at);
            return CameLate { counts: true, is_in_doubt: false };
        }
        // What stays may leave out something that it tells.
        let had_doubt = self.nodes[at].leaves_doubt();
        let is_short = own.leaves_doubt() || had_doubt;
        let stays = gone.iter().fold(Sum::default(), |sum, of| plus(sum, self.nodes[*of].used));
        let instead = if would_count { self.nodes[at].used } else { Sum::default() };
        // It is there, and hands up nothing of itself or of what is below it now.
        let node = &mut self.nodes[at];
        let weighed = node.weight();
        (node.sort, node.tells, node.counts) = (Sort::Other, Tells::Nothing, false);
        (node.below, node.marks, node.used) = (Shown::default(), Marks::default(), Sum::default());
        node.hand_down();
        self.doubts -= usize::from(had_doubt);
        self.weight = self.weight - weighed + node.weight();
        self.sums.forget(at);
        self.hand_up(at);
        CameLate { counts: false, is_in_doubt: is_short || stays != instead }
    }

    /// The uses that count, and the calls of tools, that a late step that was planted would take away. A sealed call
    /// below it that tells no use stays, and takes nothing from one that does.
    fn taken_away(&mut self, at: usize, met: &BTreeMap<usize, Met>) -> BTreeSet<usize> {
        let tool = self.other_side(at).filter(|tool| self.nodes[*tool].counts);
        let mut gone: BTreeSet<usize> = tool.into_iter().collect();
        let is_gone = |(of, met): (&usize, &Met)| {
            let node = &self.nodes[*of];
            *of != at && node.counts && !node.would_count_over(&node.below, *met)
        };
        gone.extend(met.iter().filter(|of| is_gone(*of)).map(|(of, _)| *of));
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
                gone.insert(above);
            }
            for (heard, top) in heard.iter_mut().zip(tops.into_iter().flatten()) {
                if top == above {
                    heard.clone_from(&below.text);
                }
            }
            shown = node.shows_over(&below);
            next = self.hearer(above);
        }
        let Some(tops) = tops else { return gone };
        let used = self.used_at(at);
        for (top, heard) in tops.into_iter().zip(&heard) {
            let handed = NUMBERS.map(|number| if tops[number] == top { used[number] } else { 0 });
            let of = plus(self.sums.of(top), handed);
            let node = &self.nodes[top];
            let text = if heard.is_empty() { &node.below.text } else { heard };
            let is_summed = node.sums_up_those(Summed::of(of, node.used), text);
            if node.counts && node.sums_up() && node.sort != Sort::Model && is_summed {
                gone.insert(top);
            }
        }
        gone
    }
}

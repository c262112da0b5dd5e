//! A step in the tree of its run: what it tells, what is told around it, and whether it counts so.

use super::{
    marks::Marks,
    near::{Met, Near},
    sums::{Sum, Summed},
    told::Tells,
    tools::names_tool,
};
use crate::words::{CallClass, CostNote};

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that is told of the step")]
pub(super) struct Node {
    pub(super) index: u64,
    pub(super) parent: Option<u64>,
    pub(super) span: Option<u64>,
    pub(super) reporter: u32,
    pub(super) sort: Sort,
    /// How much of a use it tells, and which.
    pub(super) tells: Tells,
    pub(super) used: Sum,
    /// Its cost was reported: the price book has made none of what it tells.
    pub(super) reports_cost: bool,
    /// Its caller says that it failed.
    pub(super) failed: bool,
    /// Why its cost is not known.
    pub(super) note: Option<CostNote>,
    /// By what it is known, of a model call; of what else tells a use, whose calls of text it may sum up.
    pub(super) marks: Marks,
    /// What is shown of calls below it.
    pub(super) below: Shown,
    /// What the calls next to it come to.
    pub(super) met: Met,
    /// How much of what it tells is used right below it, and what that cost.
    pub(super) summed: Summed,
    pub(super) cost_below: u64,
    /// The other side of it is told too.
    pub(super) same: bool,
    /// The calls that tell a use and that it lies below: kept once, as what the step above hands down.
    pub(super) above: Marks,
    /// Those that what is below it lies below.
    pub(super) hands: Marks,
    /// The next ones above it.
    pub(super) near: Near,
    pub(super) counts: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Model,
    Tool(Box<str>),
    /// A call over HTTP, by either side.
    Http,
    Retrieval,
    Other,
}

/// Two calls that tell so many tokens alike, in or out, tell of one: what leaves out what was read from a cache. Of
/// fewer, as of the one word of a judge, two calls often are.
pub(super) const NO_CHANCE: u64 = 16;

/// So many tokens came out as a stream tells when it begins: none, or Anthropic's one.
const BEGUN: u64 = 1;

/// The model calls that are shown nearby, that is, neither through a tool nor through a search: that tell a use, that
/// tell nothing of one, that tell that there was none; whether one is that tells a part of one; and those of text that
/// tell a use, through tools and searches too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) told: Marks,
    pub(super) silent: Marks,
    pub(super) unused: Marks,
    pub(super) part: bool,
    pub(super) text: Marks,
}

impl Shown {
    /// Adds what another shows. Whether that is something new.
    pub(super) fn add(&mut self, other: &Self) -> bool {
        let mut is_new = self.told.add_all(&other.told);
        is_new |= self.silent.add_all(&other.silent);
        is_new |= self.unused.add_all(&other.unused);
        is_new |= self.text.add_all(&other.text);
        is_new |= other.part && !self.part;
        self.part |= other.part;
        is_new
    }

    /// Whether the other shows nothing that it does not.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.told.cover(&other.told)
            && self.silent.cover(&other.silent)
            && self.unused.cover(&other.unused)
            && self.text.cover(&other.text)
            && (self.part || !other.part)
    }

    fn weight(&self) -> usize {
        self.told.weight() + self.silent.weight() + self.unused.weight() + self.text.weight()
    }
}

impl Node {
    pub(super) fn would_count(&self) -> bool {
        self.would_count_over(&self.below, self.met)
    }

    /// Whether it would count if that were shown below it, and the calls next to it came to that.
    pub(super) fn would_count_over(&self, below: &Shown, met: Met) -> bool {
        match self.sort {
            Sort::Model if self.uses() => !met.takes_away(),
            Sort::Model => {
                // A call of which nobody tells the use may have cost something, though a try of it did not.
                let is_tried = self.tells == Tells::Unused && self.marks.are_named_as(&below.unused);
                let others = [&below.told, &self.above];
                !is_tried
                    && !others.into_iter().any(|of| self.marks.may_be_of(of))
                    && !self.marks.are_named_as(&below.silent)
            }
            Sort::Tool(_) => !self.same,
            Sort::Http | Sort::Retrieval | Sort::Other => {
                !(self.uses() && self.sums_up_those(self.summed, &below.text))
            }
        }
    }

    /// Whether it sums up what lies below it, of which there is so much, and these calls of text. An agent tells more
    /// than is below it where it adds up its life, and then calls of its own model are there; a helper of another model
    /// is small.
    pub(super) fn sums_up_those(&self, summed: Summed, text: &Marks) -> bool {
        match summed {
            Summed::All => true,
            _ if self.sort == Sort::Retrieval => false,
            Summed::Half => !text.is_empty(),
            Summed::Part => self.marks.may_be_of(text),
            Summed::Little => false,
        }
    }

    /// Whether it tells a use.
    pub(super) fn uses(&self) -> bool {
        self.tells > Tells::Nothing
    }

    /// Whether it is a model call that may tell a part of a use, and gives way to one above it that tells more.
    pub(super) fn tells_part(&self) -> bool {
        self.is_telling_call() && (self.tells < Tells::All || self.may_be_begun())
    }

    /// Whether it may be a stream of text of which only the beginning is told.
    fn may_be_begun(&self) -> bool {
        let is_text = self.is_telling_call() && self.marks.are_of(CallClass::Text);
        is_text && self.used[0] >= NO_CHANCE && self.tells_no_more_than_begun()
    }

    /// Whether it tells of no more that came out than a stream tells when it begins.
    pub(super) fn tells_no_more_than_begun(&self) -> bool {
        self.used[1] <= BEGUN
    }

    /// Whether it tells the beginning of that call above it: the same that went in, and nothing of what came out, or
    /// one token of more.
    pub(super) fn begins(&self, above: &Self) -> bool {
        let is_more = self.used[1] < above.used[1] && above.marks.are_of(CallClass::Text);
        let is_same = self.used[0] == above.used[0] && self.tells <= above.tells && self.may_be(above);
        self.may_be_begun() && is_more && is_same
    }

    /// Whether it tells that this went in, or no tokens.
    pub(super) fn tells_no_other_input(&self, of: &Self) -> bool {
        self.used[..2] == [0, 0] || self.used[0] == of.used[0]
    }

    /// Whether it is a model call that tells a use.
    pub(super) fn is_telling_call(&self) -> bool {
        self.sort == Sort::Model && self.uses()
    }

    /// Whether what lies below it is none of the calls above it.
    pub(super) fn sets_apart(&self) -> bool {
        self.is_tool() || self.sort == Sort::Retrieval
    }

    /// Whether both may tell of one call: for the same thing, and of models of one family, or of as many tokens, or one
    /// names no model.
    pub(super) fn may_be(&self, above: &Self) -> bool {
        let [input, output, _] = self.used;
        let are_alike = (input, output) != (0, 0) && [input, output] == above.used[..2];
        let is_named_so = self.marks.may_be_of(&above.marks);
        is_named_so || (are_alike && self.marks.are_of_a_class_of(&above.marks))
    }

    /// Whether it may be that call above it, and tells no less of a use.
    pub(super) fn may_retell(&self, above: &Self) -> bool {
        self.is_telling_call() && self.tells >= above.tells && self.may_be(above)
    }

    /// Whether it may retell that call above it in the place of those below it.
    pub(super) fn is_a_part_of(&self, above: &Self) -> bool {
        self.may_retell(above) && !self.begins(above)
    }

    /// Whether it tells the tokens of that call, which may be the same: both, or so many in or out that it is no
    /// chance; or both together, of which that one tells the total alone; or that call tells none.
    pub(super) fn tells_the_same(&self, of: &Self) -> bool {
        let is_no_chance = |at: usize| of.used[at] >= NO_CHANCE && self.used[at] == of.used[at];
        let [input, output, _] = self.used;
        let is_total =
            of.used[1] == 0 && of.used[0] >= NO_CHANCE && input.saturating_add(output) == of.used[0];
        let are_alike = of.used[..2] == [0, 0] || of.used[..2] == self.used[..2];
        are_alike || is_no_chance(0) || is_no_chance(1) || is_total
    }

    /// Whether it leaves out no token that this call, of which it tells, tells; nor of its cost, where that tells no
    /// token. Of a total alone nobody knows which of it went in.
    pub(super) fn tells_no_less_than(&self, of: &Self) -> bool {
        let ([input, output, cost], [its_input, its_output, its_cost]) = (self.used, of.used);
        match (its_input, its_output) {
            (0, 0) => cost >= its_cost,
            (_, 0) => input.saturating_add(output) >= its_input,
            _ => input >= its_input && output >= its_output,
        }
    }

    /// Whether its counts may be meant in two ways, of which nobody knows which is right.
    pub(super) fn contradicts_itself(&self) -> bool {
        self.note == Some(CostNote::CountsContradict)
    }

    /// Whether no token that it tells is lost where that call above it counts alone. A cost without tokens is of the
    /// same call in any sense.
    fn leaves_no_tokens_to(&self, above: &Self) -> bool {
        self.used[..2] == [0, 0] || above.tells_no_less_than(self)
    }

    /// Whether that call above it, to which it gives way, tells all of it: of counts that contradict each other nobody
    /// knows which are right, and of two costs neither.
    pub(super) fn is_told_in_full_by(&self, above: &Self) -> bool {
        !self.contradicts_itself() && above.tells_no_less_than(self)
    }

    /// Whether it gives way to that call above it, which may be the same and tells more of a use. No token that it
    /// tells may be lost by that, but of counts that contradict each other; and one that tells all but a price, or both
    /// sides of its tokens, tells the same: of fewer it may be another call, as of a judge whose model nobody names.
    pub(super) fn gives_way_to(&self, above: &Self) -> bool {
        let is_less = self.is_telling_call() && self.tells < above.tells && self.may_be(above);
        let is_told = self.leaves_no_tokens_to(above) || self.contradicts_itself();
        let tells_both = self.used[0] > 0 && self.used[1] > 0 && !self.contradicts_itself();
        let is_compared = self.tells == Tells::Free || tells_both;
        let is_same = !is_compared || (self.used[0] <= above.used[0] && self.tells_the_same(above));
        is_less && is_told && is_same
    }

    /// What it shows its parent.
    pub(super) fn shows(&self) -> Shown {
        self.shows_over(&self.below)
    }

    /// What it would show if that were shown below it.
    pub(super) fn shows_over(&self, below: &Shown) -> Shown {
        if self.sets_apart() {
            return Shown { text: below.text.clone(), ..Shown::default() };
        }
        let mut shown = below.clone();
        if self.sort == Sort::Model {
            let kind = match self.tells {
                Tells::Unused => &mut shown.unused,
                Tells::Nothing => &mut shown.silent,
                Tells::Half | Tells::Free | Tells::All => &mut shown.told,
            };
            kind.add_all(&self.marks);
            shown.part |= self.tells_part();
            if self.uses() && self.marks.are_of(CallClass::Text) {
                shown.text.add_all(&self.marks);
            }
        }
        shown
    }

    /// Says anew what it hands down.
    pub(super) fn hand_down(&mut self) {
        if self.sets_apart() {
            self.hands = Marks::default();
            return;
        }
        self.hands = self.above.clone();
        if self.is_telling_call() {
            self.hands.add_all(&self.marks);
        }
    }

    /// The next calls above what lies below it, of a step in that place.
    pub(super) fn near_below(&self, at: usize) -> Near {
        self.near_below_with(at, self.near)
    }

    /// The same if those were the next above it.
    pub(super) fn near_below_with(&self, at: usize, near: Near) -> Near {
        if self.sets_apart() {
            return Near::default();
        }
        if self.is_telling_call() {
            return near.below(at);
        }
        let near = if self.failed { near.over_a_failure() } else { near };
        // An agent that tells a use is none of the call above it, and nor are the calls that the agent sums up.
        if self.uses() { near.beyond_a_sum() } else { near }
    }

    /// The bytes that it holds beside itself: those of all that is shown below it, shared or not, so it may be less.
    pub(super) fn weight(&self) -> usize {
        let name = match &self.sort {
            Sort::Tool(name) => name.len(),
            _ => 0,
        };
        let hands = if self.hands.are_kept_with(&self.above) { 0 } else { self.hands.weight() };
        name + self.marks.weight() + self.below.weight() + hands
    }

    pub(super) fn is_tool(&self) -> bool {
        matches!(self.sort, Sort::Tool(_))
    }

    /// Is told what is used right below it.
    pub(super) fn sum_up(&mut self, below: Sum) {
        self.summed = Summed::of(below, self.used);
        self.cost_below = below[2];
    }

    /// Whether it counts no more, and whoever tells of it leaves out something that it tells: which of them is right
    /// nobody knows. Of a sum that is asked of its cost alone, if that was reported, and of a part of it: other prices
    /// come to a little more, and the price book of a sum has neither the caches nor the models below it.
    pub(super) fn leaves_doubt(&self) -> bool {
        let is_sum = self.sort != Sort::Model && self.sums_up() && self.reports_cost;
        let costs_more = is_sum && self.cost_below.saturating_mul(2) < self.used[2];
        self.met.leaves_doubt() || (costs_more && !self.would_count())
    }

    /// Whether it may sum up what lies below it: it tells a use, and is no tool's call.
    pub(super) fn sums_up(&self) -> bool {
        self.uses() && !self.is_tool()
    }

    /// Whether it tells that number of a use itself: what is told of it below is none of what lies right below another.
    pub(super) fn tells_number(&self, number: usize) -> bool {
        self.sums_up() && self.used[number] > 0
    }

    /// Whether it is the other side of that call of a tool. A use that the call tells is taken away by its own reporter
    /// only, who tells one in its place.
    pub(super) fn is_other_side(&self, tool: &Self) -> bool {
        let (Sort::Tool(ran), Sort::Tool(asked)) = (&self.sort, &tool.sort) else { return false };
        names_tool(asked, ran) && (!tool.uses() || (self.uses() && self.talks_to(tool)))
    }

    /// Whether it may tell another of its use, and hear of the other's.
    pub(super) fn talks_to(&self, other: &Self) -> bool {
        self.reporter == other.reporter
    }
}

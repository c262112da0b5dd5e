//! A step in the tree of its run: what it tells, what is told around it, and whether it counts so.

use super::{marks::Marks, sums::Sum};
use crate::words::CallClass;

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that is known of it, and only ever set")]
pub(super) struct Node {
    pub(super) index: u64,
    pub(super) parent: Option<u64>,
    pub(super) span: Option<u64>,
    pub(super) reporter: u32,
    pub(super) sort: Sort,
    /// It tells a use; that is half of one.
    pub(super) uses: bool,
    pub(super) half: bool,
    pub(super) used: Sum,
    /// By what it is known, of a model call.
    pub(super) marks: Marks,
    /// What is shown of calls below it.
    pub(super) below: Shown,
    /// What is used right below it comes to what it tells.
    pub(super) summed: bool,
    /// The other side of it is told too.
    pub(super) same: bool,
    /// The calls that it lies below: kept once, as what the step above hands down.
    pub(super) above: Above,
    /// The calls that what is below it lies below.
    pub(super) hands: Above,
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

/// The model calls that are shown nearby, that is, not through a tool: that tell all of a use, half of one, none; and whether
/// one of text that tells a use is shown at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) full: Marks,
    pub(super) half: Marks,
    pub(super) silent: Marks,
    pub(super) text: bool,
}

impl Shown {
    /// Adds what another shows. Whether that is something new.
    pub(super) fn add(&mut self, other: &Self) -> bool {
        let mut is_new = self.full.add_all(&other.full);
        is_new |= self.half.add_all(&other.half);
        is_new |= self.silent.add_all(&other.silent);
        is_new |= other.text && !self.text;
        self.text |= other.text;
        is_new
    }

    /// Whether the other shows nothing that it does not.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.full.cover(&other.full)
            && self.half.cover(&other.half)
            && self.silent.cover(&other.silent)
            && (self.text || !other.text)
    }

    fn weight(&self) -> usize {
        self.full.weight() + self.half.weight() + self.silent.weight()
    }
}

/// The model calls that a step lies below, not through a tool: that tell a use; that tell all of one, and not through an agent
/// that tells one either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Above {
    pub(super) uses: Marks,
    pub(super) full: Marks,
}

impl Above {
    /// Adds others. Whether that is something new.
    pub(super) fn add(&mut self, other: &Self) -> bool {
        let is_new = self.uses.add_all(&other.uses);
        self.full.add_all(&other.full) || is_new
    }
}

impl Node {
    pub(super) fn would_count(&self) -> bool {
        self.would_count_over(&self.below)
    }

    /// Whether it would count if that were shown below it.
    pub(super) fn would_count_over(&self, below: &Shown) -> bool {
        let is_one_of = |calls: &Marks| self.marks.may_be_of(calls);
        match self.sort {
            Sort::Model if self.tells_all() => !is_one_of(&below.full),
            Sort::Model if self.half => {
                !is_one_of(&below.full) && !is_one_of(&below.half) && !is_one_of(&self.above.full)
            }
            Sort::Model => {
                !is_one_of(&below.full)
                    && !is_one_of(&below.half)
                    && !is_one_of(&self.above.uses)
                    && !self.marks.are_named_as(&below.silent)
            }
            Sort::Tool(_) => !self.same,
            Sort::Retrieval => !(self.uses && self.summed),
            Sort::Http | Sort::Other => !(self.uses && (below.text || self.summed)),
        }
    }

    /// Whether it tells a use, and all of it.
    fn tells_all(&self) -> bool {
        self.uses && !self.half
    }

    /// What it shows its parent.
    pub(super) fn shows(&self) -> Shown {
        self.shows_over(&self.below)
    }

    /// What it would show if that were shown below it.
    pub(super) fn shows_over(&self, below: &Shown) -> Shown {
        if self.is_tool() {
            return Shown { text: below.text, ..Shown::default() };
        }
        let mut shown = below.clone();
        if self.sort == Sort::Model {
            let kind = match (self.uses, self.half) {
                (true, false) => &mut shown.full,
                (true, true) => &mut shown.half,
                (false, _) => &mut shown.silent,
            };
            kind.add_all(&self.marks);
            shown.text |= self.uses && self.marks.are_of(CallClass::Text);
        }
        shown
    }

    /// Says anew what it hands down.
    pub(super) fn hand_down(&mut self) {
        if self.is_tool() {
            self.hands = Above::default();
            return;
        }
        let is_call = self.sort == Sort::Model;
        let Above { mut uses, mut full } = self.above.clone();
        // An agent that tells a use is none of the call above it, and nor are the calls that the agent sums up.
        if !is_call && self.uses {
            full = Marks::default();
        }
        if is_call && self.uses {
            uses.add_all(&self.marks);
        }
        if is_call && self.tells_all() {
            full.add_all(&self.marks);
        }
        self.hands = Above { uses, full };
    }

    /// The bytes that it holds beside itself: those of all that is shown below it, shared or not, so it may be less.
    pub(super) fn weight(&self) -> usize {
        let name = match &self.sort {
            Sort::Tool(name) => name.len(),
            _ => 0,
        };
        let own = |hands: &Marks, above: &Marks| if hands.are_kept_with(above) { 0 } else { hands.weight() };
        let hands = own(&self.hands.uses, &self.above.uses) + own(&self.hands.full, &self.above.full);
        name + self.marks.weight() + self.below.weight() + hands
    }

    pub(super) fn is_tool(&self) -> bool {
        matches!(self.sort, Sort::Tool(_))
    }

    /// Whether it may sum up what lies below it: it tells a use, and is no tool's call.
    pub(super) fn sums_up(&self) -> bool {
        self.uses && !self.is_tool()
    }

    /// Whether it is the other side of that call of a tool. A use that the call tells is taken away by its own reporter only, who
    /// tells one in its place.
    pub(super) fn is_other_side(&self, tool: &Self) -> bool {
        self.sort == tool.sort && (!tool.uses || (self.uses && self.talks_to(tool)))
    }

    /// Whether it may tell another of its use, and hear of the other's.
    pub(super) fn talks_to(&self, other: &Self) -> bool {
        self.reporter == other.reporter
    }
}

//! A step in the tree of its run: what it tells, what is told around it, and whether it counts so.

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
    /// What is shown of uses below it.
    pub(super) below: Shown,
    /// The other side of it is told too.
    pub(super) same: bool,
    /// It lies below a model call that tells a use, not through a tool; below one that tells all of it, and not through an agent
    /// that tells one either.
    pub(super) under: bool,
    pub(super) under_full: bool,
    pub(super) counts: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Model,
    Tool(Box<str>),
    Http,
    Other,
}

/// What is shown of uses: all of one nearby, that is, not through a tool; half of one nearby; any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) near: bool,
    pub(super) half: bool,
    pub(super) any: bool,
}

impl Shown {
    pub(super) fn and(self, other: Self) -> Self {
        let Self { near, half, any } = other;
        Self { near: self.near || near, half: self.half || half, any: self.any || any }
    }

    /// Whether the other shows nothing that it does not.
    pub(super) fn covers(self, other: Self) -> bool {
        self.and(other) == self
    }
}

impl Node {
    pub(super) fn would_count(&self) -> bool {
        self.would_count_over(self.below)
    }

    /// Whether it would count if that were shown below it.
    pub(super) fn would_count_over(&self, below: Shown) -> bool {
        match self.sort {
            Sort::Model if self.tells_all() => !below.near,
            Sort::Model => {
                let is_covered = if self.half { self.under_full } else { self.under };
                !below.near && !below.half && !is_covered
            }
            Sort::Tool(_) => !self.same,
            Sort::Http | Sort::Other => !(self.uses && below.any),
        }
    }

    /// Whether it tells a use, and all of it.
    fn tells_all(&self) -> bool {
        self.uses && !self.half
    }

    /// What it shows its parent.
    pub(super) fn shows(&self) -> Shown {
        self.shows_over(self.below)
    }

    /// What it would show if that were shown below it.
    pub(super) fn shows_over(&self, below: Shown) -> Shown {
        let nearby = !self.is_tool();
        Shown {
            near: nearby && (self.tells_all() || below.near),
            half: nearby && (self.half || below.half),
            any: self.uses || below.any,
        }
    }

    /// Whether what is below it lies below a model call that tells a use, and below one that tells all of it.
    pub(super) fn hands_down(&self) -> (bool, bool) {
        let (nearby, is_call) = (!self.is_tool(), self.sort == Sort::Model);
        let under = self.under || (is_call && self.uses);
        // An agent that tells a use is none of the call above it, and nor are the calls that the agent sums up.
        let full = (self.under_full && (is_call || !self.uses)) || (is_call && self.tells_all());
        (nearby && under, nearby && full)
    }

    pub(super) fn is_tool(&self) -> bool {
        matches!(self.sort, Sort::Tool(_))
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

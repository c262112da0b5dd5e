//! Which steps of a run count: each call once, however many tell of it.
//!
//! A trace tells of one call more than once: a framework's span over the provider's, an agent that sums up its calls, both
//! sides of a tool. What counts is decided by the tree and not by a step's own word, and whatever the order in which steps
//! arrive ends in the same: a later step may take the count away from an earlier one. Steps that are in no tree, as those
//! that an agent reports by itself, count.
//!
//! - A model call counts unless a call below it tells what was used. What a tool did below it is another call.
//! - A model call that tells nothing does not count below one that does.
//! - An agent, a chain, whatever else tells use counts it if nothing below it tells any.
//! - A tool call counts unless its own child is a call of the same tool.
//!
//! The totals of a sealed run stay: of what comes later only that counts which takes nothing away.

use std::collections::HashMap;

use crate::words::StepKind;

/// A step, as far as the tree asks.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its place in the run.
    pub index: u64,
    /// Its span's id and its parent's: 16 hex digits. Any other text is no place in a tree.
    pub span: Option<&'a str>,
    /// The same of its parent.
    pub parent: Option<&'a str>,
    /// What it is.
    pub kind: StepKind,
    /// The tool or skill.
    pub skill_name: &'a str,
    /// It tells tokens or a cost.
    pub uses: bool,
}

/// What a step comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Its use and its call are counted.
    pub counts: bool,
    /// Steps before it that counted, and do so no longer, by their places in the run.
    pub no_longer: Vec<u64>,
}

/// The steps of a run, as a tree.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    nodes: Vec<Node>,
    by_span: HashMap<u64, usize>,
    /// By the parent's span, there or still to come.
    children: HashMap<u64, Vec<usize>>,
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that is known of it, and only ever set")]
struct Node {
    index: u64,
    parent: Option<u64>,
    span: Option<u64>,
    sort: Sort,
    uses: bool,
    /// Something below it tells use, not through a tool; anything below it does; its own child is the same tool.
    near: bool,
    any: bool,
    same: bool,
    /// It lies below a model call that tells use, not through a tool.
    under: bool,
    counts: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sort {
    Model,
    Tool(Box<str>),
    Other,
}

impl Node {
    fn would_count(&self) -> bool {
        match self.sort {
            Sort::Model => !self.near && (self.uses || !self.under),
            Sort::Tool(_) => !self.same,
            Sort::Other => !(self.uses && self.any),
        }
    }

    /// Whether it shows its parent a use, through no tool; at all.
    fn shows(&self) -> (bool, bool) {
        let any = self.uses || self.any;
        (!self.is_tool() && (self.uses || self.near), any)
    }

    /// Whether what is below it lies below a model call that tells use.
    fn hands_down(&self) -> bool {
        !self.is_tool() && (self.under || (self.sort == Sort::Model && self.uses))
    }

    fn is_tool(&self) -> bool {
        matches!(self.sort, Sort::Tool(_))
    }
}

impl Tally {
    /// The number of steps in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds the next step of a run.
    pub fn add(&mut self, told: Told<'_>) -> Counted {
        let at = self.plant(told);
        let mut no_longer = self.tell_upwards(at);
        no_longer.extend(self.tell_downwards(at));
        Counted { counts: self.nodes[at].counts, no_longer }
    }

    /// Adds a step that came after the run was sealed: whether it counts. It takes nothing away from what counts.
    pub fn add_late(&mut self, told: Told<'_>) -> bool {
        let at = self.plant(told);
        if self.nodes[at].counts && !self.takes_away(at) {
            self.tell_upwards(at);
            self.tell_downwards(at);
            return true;
        }
        // It is there, and tells nothing of itself or of what is below it.
        let node = &mut self.nodes[at];
        (node.sort, node.uses, node.near, node.any, node.counts) = (Sort::Other, false, false, false, false);
        false
    }

    /// The places of those above a span that count a use now.
    #[must_use]
    pub fn counted_above(&self, parent: Option<&str>) -> Vec<u64> {
        let mut found = Vec::new();
        let mut next = parent.and_then(span_key);
        // Where spans are each other's parents, nobody is above all.
        for _ in 0..self.nodes.len() {
            let Some(node) = next.and_then(|span| self.by_span.get(&span)).map(|at| &self.nodes[*at]) else {
                break;
            };
            if node.counts && (node.uses || node.is_tool()) {
                found.push(node.index);
            }
            next = node.parent;
        }
        found
    }

    /// Puts a step in its place, with what is known around it.
    fn plant(&mut self, told: Told<'_>) -> usize {
        let at = self.nodes.len();
        let sort = match told.kind {
            StepKind::LlmCall => Sort::Model,
            StepKind::ToolCall => Sort::Tool(told.skill_name.into()),
            _ => Sort::Other,
        };
        let mut node = Node {
            index: told.index,
            parent: told.parent.and_then(span_key),
            span: told.span.and_then(span_key),
            sort,
            uses: told.uses,
            near: false,
            any: false,
            same: false,
            under: false,
            counts: false,
        };
        // Two keys may tell of spans of one id: what names it as its parent is below the first.
        let own = node.span.filter(|span| !self.by_span.contains_key(span));
        for child in own.and_then(|span| self.children.get(&span)).into_iter().flatten() {
            let child = &self.nodes[*child];
            let (near, any) = child.shows();
            node.near |= near;
            node.any |= any;
            node.same |= child.is_tool() && child.sort == node.sort;
        }
        if let Some(parent) = node.parent {
            self.children.entry(parent).or_default().push(at);
            if let Some(above) = self.by_span.get(&parent) {
                node.under = self.nodes[*above].hands_down();
            }
        }
        if let Some(span) = own {
            self.by_span.insert(span, at);
        } else {
            node.span = None;
        }
        node.counts = node.would_count();
        self.nodes.push(node);
        at
    }

    /// Tells those above of a step; gives those that count no longer.
    fn tell_upwards(&mut self, at: usize) -> Vec<u64> {
        let mut no_longer = Vec::new();
        let mut child = at;
        while let Some(above) = self.above(child) {
            let told = self.told_by(above, child, child == at);
            let node = &mut self.nodes[above];
            // Flags are only ever set, so that this ends, also where spans are each other's parents.
            if (node.near, node.any, node.same) == told {
                break;
            }
            (node.near, node.any, node.same) = told;
            if node.counts && !node.would_count() {
                node.counts = false;
                no_longer.push(node.index);
            }
            child = above;
        }
        no_longer
    }

    /// What a step knows of those below it, one of them included.
    fn told_by(&self, above: usize, child: usize, is_new: bool) -> (bool, bool, bool) {
        let (above, child) = (&self.nodes[above], &self.nodes[child]);
        let (near, any) = child.shows();
        let same = is_new && child.is_tool() && child.sort == above.sort;
        (above.near || near, above.any || any, above.same || same)
    }

    /// Tells those below a step that they are below a call which tells use; gives those that count no longer.
    fn tell_downwards(&mut self, at: usize) -> Vec<u64> {
        let mut no_longer = Vec::new();
        let mut next = vec![at];
        while let Some(above) = next.pop() {
            let node = &self.nodes[above];
            let Some(span) = node.span.filter(|_| node.hands_down()) else { continue };
            for child in self.children.get(&span).cloned().unwrap_or_default() {
                let node = &mut self.nodes[child];
                if std::mem::replace(&mut node.under, true) {
                    continue;
                }
                if node.counts && !node.would_count() {
                    node.counts = false;
                    no_longer.push(node.index);
                }
                next.push(child);
            }
        }
        no_longer
    }

    /// Whether a step that was planted would take a count away, above it or below.
    fn takes_away(&self, at: usize) -> bool {
        let mut child = self.nodes[at].clone();
        let mut is_new = true;
        let mut next = self.above(at);
        for _ in 0..self.nodes.len() {
            let Some(above) = next else { break };
            let mut node = self.nodes[above].clone();
            let (near, any) = child.shows();
            let told = (
                node.near || near,
                node.any || any,
                node.same || (is_new && child.is_tool() && child.sort == node.sort),
            );
            if (node.near, node.any, node.same) == told {
                break;
            }
            (node.near, node.any, node.same) = told;
            if node.counts && !node.would_count() {
                return true;
            }
            (child, is_new, next) = (node, false, self.above(above));
        }
        let node = &self.nodes[at];
        let below = node.span.filter(|_| node.hands_down()).and_then(|span| self.children.get(&span));
        below.into_iter().flatten().any(|child| {
            let child = &self.nodes[*child];
            child.counts && !child.under && child.sort == Sort::Model && !child.uses
        })
    }

    fn above(&self, at: usize) -> Option<usize> {
        self.by_span.get(&self.nodes[at].parent?).copied().filter(|above| *above != at)
    }
}

/// A span's id as a number.
fn span_key(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests;

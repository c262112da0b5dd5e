//! Which steps of a run count: each call once, however many tell of it.
//!
//! A trace tells of one call more than once: a framework's span over the provider's, an agent that sums up its calls,
//! both sides of a tool. What counts is decided by the tree and not by a step's own word, and whatever the order in
//! which steps arrive ends in the same: a later step may take the count away from an earlier one. Steps that are in no
//! tree, as those that an agent reports by itself, count.
//!
//! - A model call counts unless a call near below it that *may be* the same one tells of its use: one for the same
//!   thing, as text or speech, of a model of the same family, or one that used as many tokens, or where one names no
//!   model; and that has the same tokens, in or out, or with others beside it comes to as much. A small call below, as
//!   a judge makes it, is another. What a tool or a search did below it is another call, and so is what is no model
//!   call: a guardrail, a reranker.
//! - A call that failed, or lies below a step that did, under one that did not, or that tells more than a stream's
//!   beginning, and that tells the same that went in and less of what came out, is of a try of its own, as of a stream
//!   that broke: it is billed, and both count. So is one that tells half of a use, and in it what that one does not.
//! - Where both failed, and the outer one tells one token that came out and the inner one none, the inner one counts,
//!   and the outer one, which is told by it, does not.
//! - Of two others that tell the same that went in, one that tells nothing of what came out, or one token, as when a
//!   stream begins, does not count below one that tells more of it.
//! - A model call that tells nothing does not count near one that does and may be it, nor above one that tells nothing
//!   either and is named as it is. One that tells half, a side of which nothing is told or counts that contradict each
//!   other, or that cost nothing, does not below one that tells more of a use, and all that it does: that one counts,
//!   unless another below it tells of that. Where it tells both sides, the two have the same tokens, or the same in or
//!   out: a judge whose model nobody names is another call. What contradicts itself is not compared, nor a cost without
//!   tokens.
//! - An agent, a chain, whatever else tells use counts it if what is used right below it does not come to as much; or,
//!   where a model call of text is below it that tells any, not to half of it; or, where that may be of its own model,
//!   not to a part of it that is worth the name.
//! - A tool call counts unless a call of the same tool, named with its server or without, is its child, or lies below
//!   it with nothing but HTTP calls between.
//!
//! Of a model call that others below it tell of, and that tells tokens which they leave out, or without tokens a cost
//! that is more than theirs, nobody knows which is right: those count, and what the call cost is not known. It is again
//! once what lies below it and may be it tells as much. Nor is it known of one that contradicts itself and gives way,
//! or tells a cost without tokens that is more; nor of a sum that counts no more and reports, and is not priced at,
//! more than twice the cost of what lies right below it.
//!
//! Who reports a step takes no use away from what another reports: the ids of a trace's spans go to whoever is called,
//! and a span of one token below a call of a million would give the million back. Both count. The two sides of a tool
//! are often reported by two, and are one call, unless the outer one tells a use that would be taken away with it.
//!
//! The totals of a sealed run stay: of what comes later only that counts which takes nothing away. Of a run of very
//! many steps the first are in the tree, so that there is a bound on what it holds.

mod circles;
mod class;
mod late;
mod marks;
mod meet;
mod near;
mod node;
mod numbers;
mod sides;
mod sums;
mod told;
mod tools;
mod tries;
mod version;

use std::collections::{HashMap, HashSet};

use self::{
    circles::Circles,
    marks::{Mark, Marks, Sign, family},
    near::{Met, Near},
    node::{Node, Shown, Sort},
    numbers::Numbers,
    sums::{NUMBERS, Sum, Summed, Sums},
    told::span_key,
};
pub use self::{
    late::CameLate,
    told::{MAX_STEPS, Told, is_request},
    tools::MAX_HTTP_BETWEEN,
    version::{VERSION, counts_alike, judging_parts},
};
use crate::words::{CallClass, StepKind};

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
    /// The parents' spans that are still to come.
    awaited: HashSet<u64>,
    circles: Circles,
    sums: Sums,
    /// A number for each of those who reported, and for each family of models.
    reporters: Numbers,
    families: Numbers,
    /// So many calls and sums are told by others that leave out something which they tell.
    doubts: usize,
    /// The bytes that the steps hold beside themselves.
    weight: usize,
}

/// The bytes of a step itself: of its node, in a list that may have room for as many again, and of its places in the
/// maps and in the other lists.
const WEIGHT_OF_STEP: usize = 2 * size_of::<Node>() + 320;

impl Tally {
    /// The number of steps in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many bytes of memory it holds, at most.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.nodes.len() * WEIGHT_OF_STEP + self.weight + self.reporters.weight + self.families.weight
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many steps name this span as their parent.
    #[must_use]
    pub fn children_of_span(&self, span: &str) -> usize {
        self.children_of(span_key(span)).len()
    }

    /// Whether steps name parents that are still to come, other than these, of which each is named once.
    #[must_use]
    pub fn awaits_others<'s>(&self, than: impl IntoIterator<Item = &'s str>) -> bool {
        let these = than.into_iter().filter_map(span_key).filter(|span| self.awaited.contains(span));
        these.count() < self.awaited.len()
    }

    /// Adds the next step of a run.
    pub fn add(&mut self, told: Told<'_>) -> Counted {
        if !told.is_in_tree() {
            return Counted { counts: self.pass_by(&told), no_longer: Vec::new() };
        }
        let at = self.plant(told);
        let mut no_longer: Vec<u64> = self.tell_other_side(at).into_iter().collect();
        no_longer.extend(self.tell_near(at, &self.met_by(at)));
        no_longer.extend(self.tell_upwards(at));
        no_longer.extend(self.hand_up(at));
        no_longer.extend(self.tell_downwards(at));
        Counted { counts: self.nodes[at].counts, no_longer }
    }

    /// Sets whether the step in this place counts, as it was decided when it came: another version of the tally may say
    /// otherwise of it, and what was counted may be given back once.
    pub fn set_counts(&mut self, index: u64, counts: bool) {
        if let Ok(at) = self.nodes.binary_search_by_key(&index, |node| node.index) {
            self.nodes[at].counts = counts;
        }
    }

    /// Whether the step in this place is a call or a sum of which others tell, and which tells something that those
    /// leave out: what was used is not known.
    #[must_use]
    pub fn is_in_doubt(&self, index: u64) -> bool {
        let place = self.nodes.binary_search_by_key(&index, |node| node.index);
        place.is_ok_and(|at| self.nodes[at].leaves_doubt())
    }

    /// Whether there is such a one.
    #[must_use]
    pub fn leaves_doubt(&self) -> bool {
        self.doubts > 0
    }

    /// The places of those that may count no longer once steps with these parents are added: what they and the steps
    /// below them tell is handed up.
    #[must_use]
    pub fn counted_above<'p>(&self, parents: impl IntoIterator<Item = Option<&'p str>>) -> Vec<u64> {
        let mut found = Vec::new();
        let (mut tools, mut calls_found, mut seen) = (HashSet::new(), HashSet::new(), HashSet::new());
        for parent in parents {
            let parent = parent.and_then(span_key).and_then(|span| self.by_span.get(&span)).copied();
            let tool = parent.and_then(|parent| self.tool_from(parent, MAX_HTTP_BETWEEN));
            found
                .extend(tool.filter(|(tool, _)| tools.insert(*tool)).map(|(tool, _)| self.nodes[tool].index));
            let near = parent.map(|at| self.nodes[at].near_below(at)).unwrap_or_default();
            let calls = near.calls().iter().map(|call| call.at);
            found.extend(
                calls
                    .filter(|at| self.nodes[*at].counts && calls_found.insert(*at))
                    .map(|at| self.nodes[at].index),
            );
            let mut next = parent;
            while let Some(at) = next.filter(|at| seen.insert(*at)) {
                let node = &self.nodes[at];
                if node.counts && node.sums_up() && node.sort != Sort::Model {
                    found.push(node.index);
                }
                next = self.hearer(at);
            }
        }
        found
    }

    /// The places of those that tell a part of a use and may count no longer once steps with these spans are added: of
    /// one above them that tells more of it, or that leads to one.
    #[must_use]
    pub fn counted_below<'s>(&self, spans: impl IntoIterator<Item = Option<&'s str>>) -> Vec<u64> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut next: Vec<Option<u64>> = spans.into_iter().map(|span| span.and_then(span_key)).collect();
        while let Some(span) = next.pop() {
            for child in self.children_of(span) {
                let node = &self.nodes[*child];
                if !seen.insert(*child) {
                    continue;
                }
                if node.tells_part() && node.counts {
                    found.push(node.index);
                }
                if node.below.part && !node.sets_apart() {
                    next.push(node.span);
                }
            }
        }
        found
    }

    /// A step that is in no tree counts; and nobody waits for it any more.
    fn pass_by(&mut self, told: &Told<'_>) -> bool {
        if let Some(span) = told.span.and_then(span_key) {
            self.awaited.remove(&span);
        }
        true
    }

    /// Puts a step in its place, with what is known around it.
    fn plant(&mut self, told: Told<'_>) -> usize {
        let at = self.nodes.len();
        let sort = match told.kind {
            StepKind::LlmCall => Sort::Model,
            StepKind::ToolCall => Sort::Tool(told.skill_name.into()),
            StepKind::HttpCall => Sort::Http,
            StepKind::Other if !told.uses() && is_request(told.skill_name) => Sort::Http,
            StepKind::Retrieval => Sort::Retrieval,
            _ => Sort::Other,
        };
        let (input, output, cost) = told.used;
        // Two keys may tell of spans of one id: what names it as its parent is below the first.
        let span = told.span.and_then(span_key).filter(|span| !self.by_span.contains_key(span));
        let mut node = Node {
            index: told.index,
            parent: told.parent.and_then(span_key).filter(|parent| Some(*parent) != span),
            span,
            reporter: self.reporter(told.reporter),
            sort,
            tells: told.tells(),
            used: [input, output, cost],
            reports_cost: told.reports_cost(),
            failed: told.failed,
            note: told.note,
            marks: self.marks(&told),
            below: Shown::default(),
            met: Met::default(),
            summed: Summed::Little,
            cost_below: 0,
            same: false,
            above: Marks::default(),
            hands: Marks::default(),
            near: Near::default(),
            counts: false,
        };
        self.circles.add();
        self.sums.push();
        for child in self.children_of(span).iter().map(|child| &self.nodes[*child]) {
            if !child.talks_to(&node) {
                continue;
            }
            node.below.add(&child.shows());
        }
        for child in span.and_then(|span| self.children.get(&span)).into_iter().flatten() {
            self.circles.join(*child, at);
        }
        // A parent that lies below its own child is none.
        let above = node.parent.and_then(|parent| self.by_span.get(&parent)).copied();
        if above.is_some_and(|above| !self.circles.join(at, above)) {
            node.parent = None;
        }
        if let Some(parent) = node.parent {
            self.children.entry(parent).or_default().push(at);
            if above.is_none() {
                self.awaited.insert(parent);
            }
            if let Some(at) = above.filter(|above| self.nodes[*above].talks_to(&node)) {
                let above = &self.nodes[at];
                (node.above, node.near) = (above.hands.clone(), above.near_below(at));
            }
        }
        node.hand_down();
        if let Some(span) = span {
            self.by_span.insert(span, at);
            self.awaited.remove(&span);
        }
        node.same = node.is_tool() && self.has_below(span, &node, MAX_HTTP_BETWEEN);
        self.weight += node.weight();
        self.nodes.push(node);
        self.gather(at);
        let node = &mut self.nodes[at];
        node.counts = node.would_count();
        self.doubts += usize::from(node.leaves_doubt());
        at
    }

    /// Tells those above of a step; gives those that count no longer.
    fn tell_upwards(&mut self, at: usize) -> Vec<u64> {
        let mut no_longer = Vec::new();
        let mut child = at;
        while let Some(above) = self.hearer(child) {
            let shown = self.nodes[child].shows();
            let node = &mut self.nodes[above];
            let (weighed, had_doubt) = (node.weight(), node.leaves_doubt());
            let is_new = node.below.add(&shown);
            // A list may be exchanged for an equal one that has room for more.
            self.weight = self.weight - weighed + node.weight();
            if !is_new {
                break;
            }
            self.doubts = self.doubts + usize::from(node.leaves_doubt()) - usize::from(had_doubt);
            if node.counts && !node.would_count() {
                node.counts = false;
                no_longer.push(node.index);
            }
            child = above;
        }
        no_longer
    }

    /// Tells those below a step which calls they lie below; gives those that count no longer.
    fn tell_downwards(&mut self, at: usize) -> Vec<u64> {
        let mut no_longer = Vec::new();
        let mut next = vec![at];
        while let Some(above) = next.pop() {
            let node = &self.nodes[above];
            let (calls, near) = (node.hands.clone(), node.near_below(above));
            let Some(span) = node.span.filter(|_| !calls.is_empty()) else { continue };
            let reporter = node.reporter;
            for child in self.children.get(&span).into_iter().flatten() {
                let node = &mut self.nodes[*child];
                if node.reporter != reporter {
                    continue;
                }
                let weighed = node.weight();
                let is_nearer = node.near != near;
                node.near = near;
                let is_new = node.above.add_all(&calls) || is_nearer;
                if is_new {
                    node.hand_down();
                }
                self.weight = self.weight - weighed + node.weight();
                if !is_new {
                    continue;
                }
                if node.counts && !node.would_count() {
                    node.counts = false;
                    no_longer.push(node.index);
                }
                next.push(*child);
            }
        }
        no_longer
    }

    /// Takes what was used right below a step that has just come.
    fn gather(&mut self, at: usize) {
        let node = &self.nodes[at];
        for child in node.span.and_then(|span| self.children.get(&span)).into_iter().flatten() {
            if !self.nodes[*child].talks_to(node) {
                continue;
            }
            let used = self.used_at(*child);
            for number in NUMBERS {
                self.sums.hand(at, number, used[number]);
                if !self.nodes[*child].tells_number(number) {
                    self.sums.join(*child, number, at);
                }
            }
        }
        let of = self.sums.of(at);
        self.nodes[at].sum_up(of);
    }

    /// What a step hands up that is joined to none yet: of each number what it tells, or what is told right below it. A
    /// tool tells of its own cost alone.
    fn used_at(&self, at: usize) -> Sum {
        let (node, below) = (&self.nodes[at], self.sums.of(at));
        NUMBERS.map(|number| {
            let below = if node.tells_number(number) { 0 } else { below[number] };
            node.used[number].saturating_add(below)
        })
    }

    /// The steps above that hear of what is used at a step, of each number.
    fn tops(&mut self, at: usize) -> Option<[usize; 3]> {
        let above = self.hearer(at)?;
        Some(NUMBERS.map(|number| self.sums.top(above, number)))
    }

    /// Hands up what is used at a step that has just come; gives the sums that count no longer.
    fn hand_up(&mut self, at: usize) -> Vec<u64> {
        let Some(tops) = self.tops(at) else { return Vec::new() };
        let used = self.used_at(at);
        for number in NUMBERS {
            self.sums.hand(tops[number], number, used[number]);
            if !self.nodes[at].tells_number(number) {
                self.sums.join(at, number, tops[number]);
            }
        }
        let mut no_longer = Vec::new();
        for top in tops {
            let of = self.sums.of(top);
            let node = &mut self.nodes[top];
            let had_doubt = node.leaves_doubt();
            node.sum_up(of);
            self.doubts = self.doubts + usize::from(node.leaves_doubt()) - usize::from(had_doubt);
            if node.counts && !node.would_count() {
                node.counts = false;
                no_longer.push(node.index);
            }
        }
        no_longer
    }

    /// By what a model call is known; what else tells a use may sum up calls of text.
    fn marks(&mut self, told: &Told<'_>) -> Marks {
        let mut marks = Marks::default();
        let class = match told.kind {
            StepKind::LlmCall => CallClass::of(told.skill_name),
            StepKind::ToolCall => return marks,
            _ if told.uses() => CallClass::Text,
            _ => return marks,
        };
        marks.add(Mark { class, sign: Sign::Any });
        let mut is_named = false;
        for family in told.models.into_iter().flatten().filter_map(family) {
            is_named = true;
            let sign = Sign::Family(self.families.of(&family));
            marks.add(Mark { class, sign });
        }
        if !is_named {
            marks.add(Mark { class, sign: Sign::Unnamed });
        }
        marks
    }

    fn above(&self, at: usize) -> Option<usize> {
        self.by_span.get(&self.nodes[at].parent?).copied()
    }

    /// The step above, if it hears of this one's use.
    fn hearer(&self, at: usize) -> Option<usize> {
        self.above(at).filter(|above| self.nodes[*above].talks_to(&self.nodes[at]))
    }

    fn reporter(&mut self, name: Option<&str>) -> u32 {
        name.map_or(0, |name| self.reporters.of(name))
    }

    fn children_of(&self, span: Option<u64>) -> &[usize] {
        span.and_then(|span| self.children.get(&span)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;

//! The two sides of a tool's call, as the client tells of it and the server: which step of a tree is the other side of
//! which.

use super::{
    Tally,
    node::{Node, Sort},
    tools::MAX_HTTP_BETWEEN,
};

impl Tally {
    /// Tells the call of a tool that a step is, or leads to, the other side of it; gives it if it counts no longer.
    pub(super) fn tell_other_side(&mut self, at: usize) -> Option<u64> {
        let tool = self.other_side(at)?;
        let tool = &mut self.nodes[tool];
        tool.same = true;
        std::mem::take(&mut tool.counts).then_some(tool.index)
    }

    /// The call of a tool above, of which a step is, or leads to, the other side.
    pub(super) fn other_side(&self, at: usize) -> Option<usize> {
        let node = &self.nodes[at];
        let is_http = node.sort == Sort::Http;
        if !is_http && !node.is_tool() {
            return None;
        }
        let may_lie_between = MAX_HTTP_BETWEEN - usize::from(is_http);
        let (tool, may_follow) = self.tool_from(self.above(at)?, may_lie_between)?;
        let of = &self.nodes[tool];
        let is_told =
            if is_http { self.has_below(node.span, of, may_follow) } else { node.is_other_side(of) };
        is_told.then_some(tool)
    }

    /// The call of a tool that a step is, or that lies above it with at most so many HTTP calls between; and how many
    /// more there might be.
    pub(super) fn tool_from(&self, mut at: usize, mut http: usize) -> Option<(usize, usize)> {
        while self.nodes[at].sort == Sort::Http {
            http = http.checked_sub(1)?;
            at = self.above(at)?;
        }
        self.nodes[at].is_tool().then_some((at, http))
    }

    /// Whether the other side of a tool's call lies below a span with at most so many HTTP calls between.
    pub(super) fn has_below(&self, span: Option<u64>, tool: &Node, http: usize) -> bool {
        let mut next = vec![(span, http)];
        while let Some((span, http)) = next.pop() {
            for child in self.children_of(span).iter().map(|child| &self.nodes[*child]) {
                if child.is_other_side(tool) {
                    return true;
                }
                if child.sort == Sort::Http
                    && let Some(http) = http.checked_sub(1)
                {
                    next.push((child.span, http));
                }
            }
        }
        false
    }
}

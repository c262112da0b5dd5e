//! The two sides of a tool's call, as the client tells of it and the server: which step of a tree is the other side of which.

use super::{
    Tally,
    node::{Node, Sort},
};

/// What stands between the name of a server, or of a place for tools, and that of its tool.
const BEHIND_A_SERVER: [&str; 4] = ["__", ".", "/", ":"];

/// Whether a client that calls a tool by the first name calls the one that its server knows by the second: both are the same, or
/// the first says whose it is before it, as `mcp__server__tool`.
pub(super) fn names_tool(name: &str, tool: &str) -> bool {
    let Some(before) = name.strip_suffix(tool) else { return false };
    let is_server = |mark: &str| before.strip_suffix(mark).is_some_and(|server| !server.is_empty());
    before.is_empty() || (!tool.is_empty() && BEHIND_A_SERVER.into_iter().any(is_server))
}

/// So many HTTP calls may lie between the two sides of a tool call: one on each side, and what passes it on.
pub const MAX_HTTP_BETWEEN: usize = 4;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_may_be_named_with_its_server() {
        for name in ["t", "mcp__gh__t", "gh__t", "gh.t", "gh/t", "gh:t", "a.b.t"] {
            assert!(names_tool(name, "t"), "{name}");
        }
        for (name, tool) in [
            ("gh-t", "t"),
            ("gh_t", "t"),
            ("__t", "t"),
            ("ght", "t"),
            ("t", "gh__t"),
            ("gh__t", ""),
            ("t", "T"),
        ] {
            assert!(!names_tool(name, tool), "{name} {tool}");
        }
        assert!(names_tool("", ""));
    }
}

//! By what the two sides of a tool's call are known for that: how they name the tool, and how far they lie apart.

/// What stands between the name of a server, or of a place for tools, and that of its tool.
const BEHIND_A_SERVER: [&str; 4] = ["__", ".", "/", ":"];

/// Whether a client that calls a tool by the first name calls the one that its server knows by the second: both are the
/// same, or the first says whose it is before it, as `mcp__server__tool`.
pub(super) fn names_tool(name: &str, tool: &str) -> bool {
    let Some(before) = name.strip_suffix(tool) else { return false };
    let is_server = |mark: &str| before.strip_suffix(mark).is_some_and(|server| !server.is_empty());
    before.is_empty() || (!tool.is_empty() && BEHIND_A_SERVER.into_iter().any(is_server))
}

/// So many HTTP calls may lie between the two sides of a tool call: one on each side, and what passes it on.
pub const MAX_HTTP_BETWEEN: usize = 4;

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

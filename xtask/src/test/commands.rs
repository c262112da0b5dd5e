//! Commands that pages of the documentation use, found in the search path or installed: the pages are done as written.

use super::tool::Tool;
use crate::settings::in_search_path;
use std::{path::PathBuf, process::Command};

/// The variable by which the tests find the Node that runs the loop of docs/agents.md.
const VARIABLE: &str = "HOC_TEST_NODE";

/// The oldest Node that the page names.
const OLDEST: u32 = 18;

/// It runs the loop of docs/agents.md.
pub(super) static NODE: Tool = Tool {
    name: "Node",
    package: "nodejs",
    find: find_node,
    wanted: || {
        format!(
            "the loop of docs/agents.md needs Node {OLDEST} or newer (Debian, Fedora: package `nodejs`; Homebrew: `node`), or its path in {VARIABLE}"
        )
    },
    variable: Some(VARIABLE),
};

/// docs/operations.md backs an embedded store up with it.
pub(super) static SQLITE: Tool = Tool {
    name: "sqlite3",
    package: "sqlite3",
    find: || in_search_path(&["sqlite3"]),
    wanted: || {
        "docs/operations.md, which a test does as written, needs `sqlite3` (the package of that name)"
            .to_owned()
    },
    variable: None,
};

fn find_node() -> Option<PathBuf> {
    let node = in_search_path(&["node", "nodejs"])?;
    let told = Command::new(&node).arg("--version").output().ok()?;
    let version = String::from_utf8(told.stdout).ok()?;
    let major: u32 = version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()?;
    (major >= OLDEST).then_some(node)
}

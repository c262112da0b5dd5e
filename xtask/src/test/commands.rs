//! Commands that pages of the documentation use, found in the search path or installed: the pages are done as written.

use super::install;
use crate::settings::in_search_path;
use anyhow::Context as _;
use std::{path::PathBuf, process::Command};

/// The variable by which the tests find the Node that runs the loop of docs/agents.md.
pub(crate) const NODE: &str = "HOC_TEST_NODE";

/// The oldest Node that the page names.
const OLDEST: u32 = 18;

/// Where Node is; it is installed where there is none and that can be done without asking anybody.
pub(crate) fn node() -> anyhow::Result<PathBuf> {
    find_node().map_or_else(
        || {
            install::package(
                "nodejs",
                &format!(
                    "the loop of docs/agents.md needs Node {OLDEST} or newer (Debian, Fedora: package `nodejs`; Homebrew: `node`), or its path in {NODE}"
                ),
            )?;
            find_node().with_context(|| format!("what apt-get installed is no Node {OLDEST} or newer"))
        },
        Ok,
    )
}

/// docs/operations.md backs an embedded store up with `sqlite3`.
pub(crate) fn sqlite() -> anyhow::Result<()> {
    if in_search_path(&["sqlite3"]).is_some() {
        return Ok(());
    }
    install::package(
        "sqlite3",
        "docs/operations.md, which a test does as written, needs `sqlite3` (the package of that name)",
    )
}

fn find_node() -> Option<PathBuf> {
    let node = in_search_path(&["node", "nodejs"])?;
    let told = Command::new(&node).arg("--version").output().ok()?;
    let version = String::from_utf8(told.stdout).ok()?;
    let major: u32 = version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()?;
    (major >= OLDEST).then_some(node)
}

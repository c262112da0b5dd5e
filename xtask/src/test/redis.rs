//! The Redis that tests start and kill: found in the search path, or installed.

use super::tool::Tool;
use crate::settings::in_search_path;
use std::path::PathBuf;

/// The names under which it and its kin are installed.
const NAMES: [&str; 2] = ["redis-server", "valkey-server"];

/// The variable by which the tests find it.
const VARIABLE: &str = "HOC_TEST_REDIS";

/// Any of them.
pub(super) static REDIS: Tool = Tool {
    name: "Redis",
    package: "redis-server",
    find,
    wanted: || {
        format!(
            "the tests need Redis (Debian and Ubuntu: package `redis-server`; Fedora, Homebrew: `redis` or `valkey`), or the path of a redis-server in {VARIABLE}"
        )
    },
    variable: Some(VARIABLE),
};

/// The first in the search path.
fn find() -> Option<PathBuf> {
    in_search_path(&NAMES)
}

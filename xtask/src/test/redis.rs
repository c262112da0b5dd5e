//! The Redis that tests start and kill: found in the search path, or installed.

use super::install;
use crate::settings::in_search_path;
use anyhow::Context as _;
use std::path::PathBuf;

/// The names under which it and its kin are installed.
const NAMES: [&str; 2] = ["redis-server", "valkey-server"];

/// The variable by which the tests find it.
pub(crate) const VARIABLE: &str = "HOC_TEST_REDIS";

/// Where it is; it is installed where there is none and that can be done without asking anybody.
pub(crate) fn find_or_install() -> anyhow::Result<PathBuf> {
    find().map_or_else(install, Ok)
}

/// The first in the search path.
pub(crate) fn find() -> Option<PathBuf> {
    in_search_path(&NAMES)
}

/// Installs Debian's `redis-server`, or says what to install.
fn install() -> anyhow::Result<PathBuf> {
    let wanted = format!(
        "the tests need Redis (Debian and Ubuntu: package `redis-server`; Fedora, Homebrew: `redis` or `valkey`), or the path of a redis-server in {VARIABLE}"
    );
    install::missing("Redis", "redis-server", &wanted)?;
    find().with_context(|| format!("{wanted}. What apt-get installed is not in the search path"))
}

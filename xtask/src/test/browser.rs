//! The browser that tests drive: found in the search path, or installed.

use super::install;
use crate::settings::in_search_path;
use anyhow::Context as _;
use std::path::PathBuf;

/// The names under which Chromium and its kin are installed.
const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];

/// The variable by which the tests find it.
pub(crate) const VARIABLE: &str = "HOC_TEST_CHROMIUM";

/// Where it is; it is installed where there is none and that can be done without asking anybody.
pub(crate) fn find_or_install() -> anyhow::Result<PathBuf> {
    match find() {
        Some(found) => Ok(found),
        None => install(),
    }
}

/// The first in the search path.
pub(crate) fn find() -> Option<PathBuf> {
    in_search_path(&NAMES)
}

/// Installs Debian's `chromium`, or says what to install.
fn install() -> anyhow::Result<PathBuf> {
    let wanted = format!(
        "the console's test needs Chromium (Debian, Fedora, Homebrew: `chromium`), or the path of a Chrome in {VARIABLE}"
    );
    install::missing("Chromium", "chromium", &wanted)?;
    find().with_context(|| format!("{wanted}. What apt-get installed is not in the search path"))
}

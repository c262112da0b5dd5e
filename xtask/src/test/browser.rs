//! The browser that tests drive: found in the search path, or installed.

use super::tool::Tool;
use crate::settings::in_search_path;
use std::path::PathBuf;

/// The names under which Chromium and its kin are installed.
const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];

/// The variable by which the tests find it.
pub(super) const VARIABLE: &str = "HOC_TEST_CHROMIUM";

/// Any of them.
pub(super) static CHROMIUM: Tool = Tool {
    name: "Chromium",
    package: "chromium",
    find,
    wanted: || {
        format!(
            "the console's test needs Chromium (Debian, Fedora, Homebrew: `chromium`), or the path of a Chrome in {VARIABLE}"
        )
    },
    variable: Some(VARIABLE),
};

/// The first in the search path.
fn find() -> Option<PathBuf> {
    in_search_path(&NAMES)
}

//! The library that gives a server of a test another time: found where distributions put it, or installed.

use super::tool::Tool;
use std::path::PathBuf;

/// The variable by which the tests find it.
const VARIABLE: &str = "HOC_TEST_FAKETIME";

const NAME: &str = "libfaketime.so.1";

/// Only Linux has it so.
pub(super) static FAKETIME: Tool = Tool {
    name: "libfaketime",
    package: "faketime",
    find,
    wanted: || {
        format!(
            "the test of a server with a wrong clock needs libfaketime (Debian and Ubuntu: package `faketime`; Fedora: `libfaketime`), or its path in {VARIABLE}"
        )
    },
    variable: Some(VARIABLE),
};

/// Debian has it in a folder of the machine's own libraries, others in `lib` or `lib64`.
fn find() -> Option<PathBuf> {
    let machines = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = machines.chain(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from));
    folders.map(|folder| folder.join("faketime").join(NAME)).find(|library| library.is_file())
}

//! The library that gives a server of a test another time: found where distributions put it, or installed.

use super::install;
use anyhow::Context as _;
use std::path::PathBuf;

/// The variable by which the tests find it.
pub(crate) const VARIABLE: &str = "HOC_TEST_FAKETIME";

const NAME: &str = "libfaketime.so.1";

/// Where it is; it is installed where there is none and that can be done without asking anybody. None where the system
/// is one that has no such library.
pub(crate) fn find_or_install() -> anyhow::Result<Option<PathBuf>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    find().map_or_else(install, Ok).map(Some)
}

/// Debian has it in a folder of the machine's own libraries, others in `lib` or `lib64`.
pub(crate) fn find() -> Option<PathBuf> {
    let machines = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = machines.chain(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from));
    folders.map(|folder| folder.join("faketime").join(NAME)).find(|library| library.is_file())
}

/// Installs Debian's `faketime`, or says what to install.
fn install() -> anyhow::Result<PathBuf> {
    let wanted = format!(
        "the test of a server with a wrong clock needs libfaketime (Debian and Ubuntu: package `faketime`; Fedora: `libfaketime`), or its path in {VARIABLE}"
    );
    install::missing("libfaketime", "faketime", &wanted)?;
    find().with_context(|| format!("{wanted}. What apt-get installed is not where it is looked for"))
}

//! What the figures were measured on, and when.

use anyhow::Context as _;
use std::{fs, path::Path, process::Command};

/// One line: cores, processor, memory, system.
pub(super) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let proc = |file: &str, key: &str| {
        let text = fs::read_to_string(file).ok()?;
        text.lines()
            .find(|line| line.starts_with(key))?
            .split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    let kib = |text: String| text.split_whitespace().next()?.parse::<u64>().ok();
    let memory =
        proc("/proc/meminfo", "MemTotal").and_then(kib).map(|kib| format!("{} GiB", kib.div_ceil(1 << 20)));
    let system = said("uname", &["-srm"]);
    let known = [Some(format!("{cores} cores")), proc("/proc/cpuinfo", "model name"), memory, system];
    known.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Today, in UTC.
pub(super) fn today() -> Option<String> {
    said("date", &["-u", "+%Y-%m-%d"])
}

/// The commit that the tree is at, with a mark where files differ from it.
pub(super) fn commit(root: &Path) -> Option<String> {
    let root = root.to_str()?;
    let commit = said("git", &["-C", root, "rev-parse", "--short=12", "HEAD"])?;
    let clean = said("git", &["-C", root, "status", "--porcelain", "--untracked-files=no"]).is_none();
    Some(if clean { commit } else { format!("{commit} with changes") })
}

/// The commit of that name, as the tree knows it.
pub(super) fn commit_of(root: &Path, name: &str) -> anyhow::Result<String> {
    let folder = root.to_str().context("a path that is text")?;
    let commit = format!("{name}^{{commit}}");
    let found = said("git", &["-C", folder, "rev-parse", "--verify", "--quiet", "--short=12", &commit]);
    found.with_context(|| format!("git knows no commit `{name}` here"))
}

/// What a program says, if it says anything.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

//! The files of the project, read from the disk: a source archive has no `.git` to ask.

use crate::{env, env_names};
use anyhow::Context as _;
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use walkdir::WalkDir;

/// What is not ours to judge: build output, other people's code, data that a run leaves behind (see .gitignore).
const NOT_OURS: &[&str] = &[".git", "target", "node_modules", "hoc-data", "hoc-demo"];

/// How the variables begin in which `cargo run` describes the package that it runs.
const OF_THE_PACKAGE: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];

/// The top of the tree that this program was built from.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the tree").to_owned()
}

/// Cargo, at the top of the tree, without what `cargo run` has told this program about itself: build scripts that ask
/// for these variables would find them changed, and dozens of crates would be built again for nothing.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    let told = |name: &String| OF_THE_PACKAGE.iter().any(|of| name.starts_with(of));
    for name in env_names().filter(told) {
        cargo.env_remove(name);
    }
    cargo.current_dir(root());
    cargo
}

/// A text file: its path from the top, with forward slashes, and what it says.
pub(crate) struct TextFile {
    /// Path from the top of the tree.
    pub(crate) path: String,
    /// Its whole text.
    pub(crate) text: String,
}

/// Every text file under `folder` of which `wanted` likes the path, in order of path.
pub(crate) fn text_files(
    root: &Path,
    folder: &Path,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<TextFile>> {
    let mut files = Vec::new();
    let ours = |entry: &walkdir::DirEntry| !NOT_OURS.iter().any(|name| entry.file_name() == *name);
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(ours) {
        let entry = entry?;
        if !entry.file_type().is_file() {
            continue;
        }
        let path = entry.path().strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        if !wanted(&path) {
            continue;
        }
        let bytes = std::fs::read(entry.path()).with_context(|| format!("reading {path}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(TextFile { path, text });
        }
    }
    Ok(files)
}

/// Every Rust source under `folder`.
pub(crate) fn rust_files(root: &Path, folder: &Path) -> anyhow::Result<Vec<TextFile>> {
    text_files(root, folder, |path| Path::new(path).extension().is_some_and(|extension| extension == "rs"))
}

//! The files of the project, read from the disk: a source archive has no `.git` to ask.

use crate::settings::{env, env_names};
use anyhow::{Context as _, bail};
use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};
use walkdir::WalkDir;

/// What is not ours to judge: build output, other people's code, data that a run leaves behind (see .gitignore).
const NOT_OURS: &[&str] = &[".git", "target", "node_modules", "hoc-data", "hoc-demo"];

/// How the variables begin in which `cargo run` describes the package that it runs.
const OF_THE_PACKAGE: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];

/// The top of the tree that the command was given in. Where that is, is asked when the program runs: checkouts that
/// share one target folder share the program too, and each means its own files.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    workspace_of(&std::env::current_dir().context("asking for the current folder")?)
}

/// The nearest folder, from this one upwards, whose manifest declares a workspace.
fn workspace_of(folder: &Path) -> anyhow::Result<PathBuf> {
    for above in folder.ancestors() {
        let manifest = above.join("Cargo.toml");
        let text = match std::fs::read_to_string(&manifest) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => continue,
            Err(err) => return Err(err).with_context(|| format!("reading {}", manifest.display())),
        };
        let table: toml::Table = text.parse().with_context(|| format!("reading {}", manifest.display()))?;
        if table.contains_key("workspace") {
            return Ok(above.to_owned());
        }
    }
    bail!("{} is in no workspace: change into a checkout of this project", folder.display())
}

/// Cargo, at the top of the tree, without what `cargo run` has told this program about itself: build scripts that ask
/// for these variables would find them changed, and dozens of crates would be built again for nothing.
pub(crate) fn cargo() -> anyhow::Result<Command> {
    let mut cargo = Command::new(env("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    let told = |name: &String| OF_THE_PACKAGE.iter().any(|of| name.starts_with(of));
    for name in env_names().filter(told) {
        cargo.env_remove(name);
    }
    cargo.current_dir(root()?);
    Ok(cargo)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_the_one_that_the_command_was_given_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let package = "[package]\nname = \"api\"\nversion.workspace = true\n[lints]\nworkspace = true\n";
        let checkouts = ["first", "second"].map(|name| {
            let checkout = folder.path().join(name);
            std::fs::create_dir_all(checkout.join("crates/api/src")).expect("made");
            let members = "[workspace]\nmembers = [\"crates/*\"]\n";
            std::fs::write(checkout.join("Cargo.toml"), members).expect("written");
            std::fs::write(checkout.join("crates/api/Cargo.toml"), package).expect("written");
            checkout
        });
        for checkout in checkouts {
            for inside in ["", "crates", "crates/api", "crates/api/src"] {
                let found = workspace_of(&checkout.join(inside)).expect("it is in a workspace");
                assert_eq!(found, checkout, "from {inside:?}");
            }
        }
    }
}

//! `cargo xtask check-layers`: what the compiler cannot see of the layers.
//!
//! Three nets, coarse to fine. `edges` reads the manifests: which of our crates depends on which (net 1), and who
//! may depend on the foreign crates that mark a layer (net 2). `source` and `rules` read the sources with `syn`:
//! what a crate may depend on and still not name (net 3), and `unused` what it depends on and does not name at all.
//! `cycles` asks of the files of one crate who names whom: that never comes round. `road` says of a folder which way it
//! goes. The tables are in `table`.
//!
//! It is a guard against the honest mistake, not against cunning: a name that only exists after macro expansion, or a
//! type alias of another crate's table, passes. Most of that cannot be written anyway, for lack of the dependency;
//! what would open holes for everybody (globs, renamed crates, re-exports, `include!`, `#[path]`) is a finding itself.
//! If a rule needs a third exception, the rule is wrong.

mod cycles;
mod edges;
mod road;
mod rules;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod unused;

use self::source::{Place, SourceFile};
use crate::{
    finding::Finding,
    manifests::{self, Package},
    tree,
};
use anyhow::Context as _;
use std::path::Path;

/// All findings in the workspace at `root`, in order of place.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let manifests = manifests::read(root)?;
    let mut findings = edges::check(root, &manifests)?;
    for package in &manifests.packages {
        let files = sources(root, package)?;
        for file in &files {
            findings.extend(rules::check_source(&file.place, &file.path, &file.source));
        }
        findings.extend(unused::check(&edges::Manifest::read(root, package)?, package, &files));
        findings.extend(cycles::check(&files));
        findings.extend(road::check(&package.name, &files, road::ROADS));
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// All sources of a crate.
fn sources(root: &Path, package: &Package) -> anyhow::Result<Vec<SourceFile>> {
    let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
    let inside = folder.strip_prefix(root)?;
    let mut files = Vec::new();
    for file in tree::rust_files(root, folder)? {
        let inside =
            Path::new(&file.path).strip_prefix(inside).context("a crate's files lie in its folder")?;
        let place = Place::new(&package.name, inside);
        let source = source::read(&place, &file.text).with_context(|| format!("reading {}", file.path))?;
        files.push(SourceFile { place, path: file.path, source });
    }
    Ok(files)
}

//! Nets 1 and 2: the edges that manifests declare, read as declared, so that optional, renamed and
//! platform-specific dependencies count.

use super::table::{self, FOR_TESTS, LAYERS, PINS, REACH};
use crate::{
    finding::Finding,
    manifests::{Dependency, Manifests, Package},
};
use std::path::Path;

/// All findings in the manifests of the workspace.
pub(super) fn check(root: &Path, manifests: &Manifests) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in &manifests.packages {
        let manifest = Manifest::read(root, package)?;
        let Some(layer) = table::layer(&package.name) else {
            let message =
                format!("{} is in no layer; add it to xtask/src/check_layers/table.rs", package.name);
            findings.push(manifest.finding("name", "layer", message));
            continue;
        };
        if package.layer != layer.level {
            let message = format!(
                "{} says layer {}, the table says {}",
                package.name,
                number(package.layer),
                number(layer.level)
            );
            findings.push(manifest.finding("metadata.layer", "layer", message));
        }
        for dependency in &package.dependencies {
            let edge = own(&manifest, layer, dependency);
            findings.extend(edge.or_else(|| reach(&manifest, layer.name, dependency)));
        }
    }
    for layer in LAYERS {
        if !manifests.packages.iter().any(|package| package.name == layer.name) {
            let message = format!("{} is in the table of layers and not in the workspace", layer.name);
            findings.push(Finding { file: "Cargo.toml".to_owned(), line: 1, rule: "layer", message });
        }
    }
    Ok(findings)
}

/// Net 1: a dependency on one of our crates.
fn own(manifest: &Manifest, layer: &table::Layer, dependency: &Dependency) -> Option<Finding> {
    let used = table::layer(&dependency.name)?;
    if let Some(alias) = &dependency.rename {
        let message = format!("{} is called {alias} here; a layer has one name", used.name);
        return Some(manifest.finding(alias, "one-name", message));
    }
    if dependency.for_tests || layer.may_use.contains(&used.name) {
        return None;
    }
    let message = if FOR_TESTS.contains(&used.name) && !FOR_TESTS.contains(&layer.name) {
        format!("{} may not depend on {}: it is a dev-dependency only", layer.name, used.name)
    } else {
        format!("{} may not depend on {}: {}", layer.name, used.name, layer.reason)
    };
    Some(manifest.finding(used.name, "edge", message))
}

/// Net 2: a dependency on a crate that marks a layer.
fn reach(manifest: &Manifest, name: &str, dependency: &Dependency) -> Option<Finding> {
    let of = REACH.iter().find(|reach| reach.packages.iter().any(|p| stands_for(p, &dependency.name)))?;
    let bound = name != PINS && (!dependency.for_tests || of.tests_too);
    if !bound || of.only.contains(&name) {
        return None;
    }
    let only = of.only.join(", ");
    let message = format!("{name} may not depend on {}, only {only}: {}", dependency.name, of.reason);
    Some(manifest.finding(dependency.rename.as_ref().unwrap_or(&dependency.name), "reach", message))
}

fn stands_for(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

fn number(level: Option<u64>) -> String {
    level.map_or_else(|| "none".to_owned(), |level| level.to_string())
}

/// A manifest's text, to say at which line.
pub(super) struct Manifest {
    path: String,
    text: String,
}

impl Manifest {
    pub(super) fn read(root: &Path, package: &Package) -> anyhow::Result<Self> {
        let path = package.manifest_path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        Ok(Self { path, text: std::fs::read_to_string(&package.manifest_path)? })
    }

    /// A finding at the line that begins with this key, or at the first.
    pub(super) fn finding(&self, key: &str, rule: &'static str, message: String) -> Finding {
        let begins = |line: &str| {
            line.trim_start()
                .trim_start_matches('"')
                .strip_prefix(key)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_'))
        };
        let line = self.text.lines().position(begins).map_or(1, |index| index + 1);
        Finding { file: self.path.clone(), line, rule, message }
    }
}

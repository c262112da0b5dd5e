//! The manifests of the workspace, as `cargo metadata` tells them: only what the checks ask for, and read by hand. The
//! crate that is made for it has serde_json read to any depth, for every test that is built beside it.

use crate::tree;
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// All crates of a workspace, as their manifests declare them.
pub(crate) struct Manifests {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

/// One crate.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    /// What it says of itself in `package.metadata.layer`.
    pub(crate) layer: Option<u64>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as it is declared: optional and platform-specific ones too.
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// What it is called here, where that is something else.
    pub(crate) rename: Option<String>,
    /// For tests and examples only.
    pub(crate) for_tests: bool,
}

/// Reads the manifests of the workspace at `root`.
pub(crate) fn read(root: &Path) -> anyhow::Result<Manifests> {
    let mut cargo = tree::cargo()?;
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
    let output = cargo.arg(root.join("Cargo.toml")).output().context("starting `cargo metadata`")?;
    ensure!(output.status.success(), "`cargo metadata` failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let told = serde_json::from_slice(&output.stdout).context("reading what `cargo metadata` says")?;
    manifests(&told).context("`cargo metadata` says something else than its format 1")
}

fn manifests(told: &Value) -> Option<Manifests> {
    let packages = told["packages"].as_array()?.iter().map(package).collect::<Option<_>>()?;
    Some(Manifests { packages, target_directory: told["target_directory"].as_str()?.into() })
}

fn package(told: &Value) -> Option<Package> {
    Some(Package {
        name: told["name"].as_str()?.to_owned(),
        manifest_path: told["manifest_path"].as_str()?.into(),
        layer: told["metadata"]["layer"].as_u64(),
        dependencies: told["dependencies"].as_array()?.iter().map(dependency).collect::<Option<_>>()?,
    })
}

fn dependency(told: &Value) -> Option<Dependency> {
    Some(Dependency {
        name: told["name"].as_str()?.to_owned(),
        rename: told["rename"].as_str().map(str::to_owned),
        for_tests: told["kind"] == "dev",
    })
}

//! Pythons with what tests need from outside, each in a virtual environment of its own under `target/`.
//!
//! Python itself is found or installed, like Postgres. The packages come from the Python index, pinned; where the index
//! does not answer, their test is skipped, and that is said where nobody overlooks it. CI takes no skipping.

use super::install;
use crate::settings::env;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};

/// What a test of crates/hoc needs in Python.
pub(crate) struct Packages {
    /// For a person.
    what: &'static str,
    /// The test.
    test: &'static str,
    /// The variable by which the test finds the interpreter.
    pub(crate) variable: &'static str,
    /// What is installed, each thing with its version.
    requirements: &'static str,
    /// Where, under `target/`.
    folder: &'static str,
    /// A module by which it is known to be there, or several.
    module: &'static str,
}

/// All of them.
pub(crate) const ALL: [Packages; 4] = [
    Packages {
        what: "a real OpenTelemetry SDK",
        test: "sdk",
        variable: "HOC_TEST_OTEL_PYTHON",
        requirements: "crates/hoc/tests/data/opentelemetry.txt",
        folder: "opentelemetry-sdk",
        module: "opentelemetry.sdk",
    },
    Packages {
        what: "schemathesis",
        test: "contract",
        variable: "HOC_TEST_SCHEMATHESIS_PYTHON",
        requirements: "crates/hoc/tests/data/schemathesis.txt",
        folder: "schemathesis",
        module: "schemathesis",
    },
    Packages {
        what: "axe-core",
        test: "axe",
        variable: "HOC_TEST_AXE_PYTHON",
        requirements: "crates/hoc/tests/data/axe.txt",
        folder: "axe",
        module: "axe_playwright_python",
    },
    Packages {
        what: "what a second verifier of bundles needs",
        test: "second_verifier",
        variable: "HOC_TEST_VERIFIER_PYTHON",
        requirements: "crates/hoc/tests/data/second_verifier.txt",
        folder: "second-verifier",
        module: "cryptography, jsonschema",
    },
];

impl Packages {
    /// The interpreter of an environment that has them; none, said loudly, where they cannot be fetched.
    pub(crate) fn find_or_make(&self, root: &Path) -> anyhow::Result<Option<PathBuf>> {
        let Self { what, test, variable, requirements, .. } = self;
        let wanted = root.join(requirements);
        let text = fs::read_to_string(&wanted).with_context(|| format!("cannot read {requirements}"))?;
        let folder = root.join("target").join(self.folder);
        let (python, made) = (folder.join("bin/python"), folder.join("made-of.txt"));
        let has_it = format!("import {}", self.module);
        if fs::read_to_string(&made).is_ok_and(|of| of == text) && runs(&python, &has_it) {
            return Ok(Some(python));
        }
        if !is_there() {
            install()?;
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        println!("xtask test: installing {what} into {}", folder.display());
        let status = Command::new("python3").args(["-m", "venv"]).arg(&folder).status();
        ensure!(
            status.context("starting python3")?.success(),
            "`python3 -m venv {}` failed",
            folder.display()
        );
        let mut pip = Command::new(&python);
        // What is listed is all that is needed: nothing else comes along.
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--requirement",
        ]);
        let installed = pip.arg(&wanted).stdin(Stdio::null()).output().context("starting pip")?;
        if installed.status.success() {
            fs::write(&made, text).with_context(|| format!("cannot write {}", made.display()))?;
            return Ok(Some(python));
        }
        let said = String::from_utf8_lossy(&installed.stderr);
        let why = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
        let told = format!(
            "WITHOUT {}: pip could not install {requirements}: {why}\n\
             xtask test: so the test `{test}` of crates/hoc CANNOT RUN. It needs the Python index (or a mirror, as \
             pip's settings name it); or give an interpreter that has those packages in {variable}",
            what.to_uppercase()
        );
        if env("CI").is_some() {
            bail!("{told}");
        }
        eprintln!("\nxtask test: {told}\n");
        Ok(None)
    }
}

/// Installs Debian's `python3-venv`, or says what to install.
fn install() -> anyhow::Result<()> {
    let wanted = format!(
        "the tests of a real OpenTelemetry SDK, of the OpenAPI document, of the console's pages and of bundles need Python 3.9 or newer with `venv` (Debian and Ubuntu: package `python3-venv`; Fedora: `python3`), or interpreters that have what they need in {}",
        ALL.map(|packages| packages.variable).join(" and ")
    );
    install::missing("Python with `venv`", "python3-venv", &wanted)?;
    ensure!(is_there(), "{wanted}. What apt-get installed is older, or not in the search path");
    Ok(())
}

/// Whether there is a Python that makes environments. Debian's cannot without `python3-venv`.
fn is_there() -> bool {
    runs(Path::new("python3"), "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))")
}

fn runs(python: &Path, program: &str) -> bool {
    let quiet = Command::new(python)
        .args(["-c", program])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

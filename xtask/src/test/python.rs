//! A Python with a real OpenTelemetry SDK, in a virtual environment under `target/`.
//!
//! Python itself is found or installed, like Postgres. The SDK comes from the Python index, pinned; where the index does
//! not answer, its test is skipped, and that is said where nobody overlooks it.

use super::install;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

/// The variable by which the tests find it.
pub(crate) const VARIABLE: &str = "HOC_TEST_OTEL_PYTHON";

/// What is installed, each thing with its version.
const REQUIREMENTS: &str = "crates/hoc/tests/data/opentelemetry.txt";

/// The interpreter of an environment that has the SDK; none, said loudly, where it cannot be fetched.
pub(crate) fn find_or_make(root: &Path) -> anyhow::Result<Option<PathBuf>> {
    let wanted = root.join(REQUIREMENTS);
    let text = fs::read_to_string(&wanted).with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    let folder = root.join("target/opentelemetry-sdk");
    let (python, made) = (folder.join("bin/python"), folder.join("made-of.txt"));
    if fs::read_to_string(&made).is_ok_and(|of| of == text) && runs(&python, "import opentelemetry.sdk") {
        return Ok(Some(python));
    }
    if !is_there() {
        install::python()?;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    println!("xtask test: installing a real OpenTelemetry SDK into {}", folder.display());
    let status = Command::new("python3").args(["-m", "venv"]).arg(&folder).status();
    ensure!(status.context("starting python3")?.success(), "`python3 -m venv {}` failed", folder.display());
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    let installed = pip.arg(&wanted).stdin(Stdio::null()).output().context("starting pip")?;
    if !installed.status.success() {
        let said = String::from_utf8_lossy(&installed.stderr);
        let why = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
        eprintln!(
            "\nxtask test: WITHOUT A REAL OPENTELEMETRY SDK: pip could not install {REQUIREMENTS}: {why}\n\
             xtask test: so the test `sdk` of crates/hoc IS SKIPPED. It needs the Python index (or a mirror, as pip's \
             settings name it); or give an interpreter that has those packages in {VARIABLE}\n"
        );
        return Ok(None);
    }
    fs::write(&made, text).with_context(|| format!("cannot write {}", made.display()))?;
    Ok(Some(python))
}

/// Whether there is a Python that makes environments. Debian's cannot without `python3-venv`.
pub(super) fn is_there() -> bool {
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

//! `cargo xtask prices`: refreshes the price book, and the sample of a second source that it is held against.
//!
//! Both are packages of the Python index, fetched by its own client; what they carry is turned into our form by
//! `convert.py`. Read the difference before you commit it: a price that changed is a cost that changes.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

/// The package of the book, and that of the sample.
const PACKAGES: [&str; 2] = ["genai-prices", "litellm"];

const CONVERT: &str = "xtask/src/prices/convert.py";
const BOOK: &str = "crates/engines/src/activity/prices/book.json";
const SAMPLE: &str = "crates/engines/src/activity/prices/sample.json";

pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let mut versions = Vec::new();
    for package in PACKAGES {
        versions.push(fetch(package, folder.path())?);
    }
    let today = said(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let [book, sample] = versions.as_slice() else { bail!("two packages have two versions") };
    let mut convert = Command::new("python3");
    convert.arg(root.join(CONVERT)).arg(folder.path()).args([book, today.trim(), sample]);
    said(convert.arg(root.join(BOOK)).arg(root.join(SAMPLE)))?;
    println!(
        "prices: {BOOK} is {} {book} of {}; {SAMPLE} is {} {sample}",
        PACKAGES[0],
        today.trim(),
        PACKAGES[1]
    );
    println!("prices: now `cargo test -p engines prices`, and read the difference");
    Ok(ExitCode::SUCCESS)
}

/// Fetches a package's newest wheel and unpacks it; gives its version.
fn fetch(package: &str, folder: &Path) -> anyhow::Result<String> {
    let wheels = folder.join(format!("{package}-wheel"));
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"]);
    said(pip.arg(&wheels).arg(package))?;
    let wheel = fs::read_dir(&wheels)?.next().with_context(|| format!("no wheel of {package}"))??.path();
    said(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(folder))?;
    let name = wheel.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let version = name.split('-').nth(1).with_context(|| format!("{name} names no version"))?;
    Ok(version.to_owned())
}

/// Runs a command to its end; gives what it printed.
fn said(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}: install it"))?;
    if !output.status.success() {
        bail!("{program} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

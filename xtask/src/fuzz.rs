//! `cargo xtask fuzz`: every door by which bytes come in, under libFuzzer, a minute each.
//!
//! The flags that make the compiler count what was reached are stable; only sanitizers would need a nightly compiler,
//! and safe code has little use for them. What was found stays under target/fuzz, and the next run goes on from there.

use crate::{
    test::{install, tool::Tool},
    tree,
};
use anyhow::{Context as _, bail, ensure};
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const HELP: &str = "\
cargo xtask fuzz [TARGET..] [--seconds N]

  TARGET      otlp, step, condition, bundle, cursor; all of them where none is named
  --seconds   how long each; 60 where not said
";

const TARGETS: [&str; 5] = ["otlp", "step", "condition", "bundle", "cursor"];

/// libFuzzer is C++.
static CXX: Tool = Tool {
    name: "a C++ compiler",
    package: "g++",
    find: || {
        let said = Command::new("c++").arg("--version").output();
        said.is_ok_and(|said| said.status.success()).then(|| PathBuf::from("c++"))
    },
    wanted: || "libFuzzer needs a C++ compiler (Debian: package `g++`)".to_owned(),
    variable: None,
};

/// What makes the compiler count, so that libFuzzer sees which input reached what.
const COUNTING: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                        -Cdebug-assertions";

/// Runs the targets that `args` name.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let (targets, seconds) = parse(args)?;
    install::missing(&[&CXX])?;
    let folder = tree::root()?.join("target").join("fuzz");
    let corpus = folder.join("corpus");
    succeed(
        tree::cargo()?.args(["run", "--locked", "-q", "-p", "fuzz", "--bin", "seeds", "--"]).arg(&corpus),
    )?;
    println!("xtask fuzz: building with coverage; the first time takes minutes");
    let binary = build(&folder)?;
    let mut failed = Vec::new();
    for target in targets {
        println!("xtask fuzz: {target}, {seconds} s");
        let found = folder.join("found").join(target);
        std::fs::create_dir_all(&found)?;
        let status = Command::new(&binary)
            .env("HOC_FUZZ_TARGET", target)
            .args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", found.display())])
            .args(["-max_len=65536", "-timeout=20", "-rss_limit_mb=4096", "-detect_leaks=0", "-verbosity=0"])
            .args(["-print_funcs=0", "-print_final_stats=1"])
            .arg(corpus.join(target))
            .status()?;
        if !status.success() {
            println!(
                "xtask fuzz: {target} FAILED; again: HOC_FUZZ_TARGET={target} {} {}/FILE",
                binary.display(),
                found.display()
            );
            failed.push(target);
        }
    }
    if failed.is_empty() {
        println!("xtask fuzz: nothing found");
        return Ok(ExitCode::SUCCESS);
    }
    println!("xtask fuzz: FAILED: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

fn parse(args: &[String]) -> anyhow::Result<(Vec<&'static str>, u64)> {
    let (mut targets, mut seconds) = (Vec::new(), 60);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let value = args.next().with_context(|| format!("--seconds needs a number\n\n{HELP}"))?;
            seconds = value.parse().with_context(|| format!("--seconds {value}"))?;
        } else if let Some(target) = TARGETS.iter().find(|target| *target == arg) {
            targets.push(*target);
        } else {
            bail!("there is no target `{arg}`\n\n{HELP}");
        }
    }
    Ok((if targets.is_empty() { TARGETS.to_vec() } else { targets }, seconds))
}

/// Builds for this machine by name, so that build scripts and macros are spared the flags.
fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let rustc = Command::new("rustc").arg("-vV").output().context("asking rustc for its host")?;
    let told = String::from_utf8(rustc.stdout)?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let mut cargo = tree::cargo()?;
    cargo.args([
        "build",
        "--locked",
        "--release",
        "-p",
        "fuzz",
        "--bin",
        "fuzz",
        "--features",
        "fuzz/engine",
    ]);
    succeed(cargo.args(["--target", host, "--target-dir"]).arg(folder).env("RUSTFLAGS", COUNTING))?;
    Ok(folder.join(host).join("release").join("fuzz"))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_targets_for_a_minute_unless_told() {
        let parsed = |line: &str| parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(parsed("").expect("all"), (TARGETS.to_vec(), 60));
        assert_eq!(parsed("step --seconds 5").expect("one"), (vec!["step"], 5));
        assert!(parsed("steps").is_err() && parsed("--seconds").is_err());
    }
}

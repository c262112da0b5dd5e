//! `cargo xtask test`: every test on both stores, with nothing to prepare.
//!
//! It finds Postgres, Redis, Chromium, Python, Node, sqlite3 and libfaketime, or installs them while cargo builds. Then
//! it starts a server of its own on a unix socket, and runs `cargo test`, whose files are in memory where there is
//! room. Nothing is skipped: if one of them cannot be had, it says which package to install and fails. Four things come
//! from an index that may not be there, an OpenTelemetry SDK, schemathesis, axe-core, and what a second verifier of
//! bundles needs: see `python`.

mod browser;
mod commands;
mod faketime;
pub(crate) mod install;
mod memory;
mod needs;
pub(crate) mod postgres;
mod python;
mod redis;
pub(crate) mod tool;

use crate::{settings::env, tree};
use anyhow::Context as _;
use browser::CHROMIUM;
use needs::Needs;
use postgres::{Care, Cluster, Installed, ON_DISK, POSTGRES_URL};
use std::{
    panic::resume_unwind,
    path::Path,
    process::{Command, ExitCode, ExitStatus},
    thread,
    time::Instant,
};

/// Runs the tests; `args` go to `cargo test`. They are built first, and what they need is fetched meanwhile.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let needs = Needs::look(tests_the_binary(args))?;
    let (built, found) = thread::scope(|scope| {
        let fetching = scope.spawn(|| needs.fetch());
        (build(args), fetching.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let found = found?;
    if let Some(failed) = built?.filter(|status| !status.success()) {
        return Ok(code(failed));
    }
    let mut cargo = tree::cargo()?;
    cargo.arg("test").args(scope(args)).args(args).envs(found);
    if env("INSTA_UPDATE").is_none() {
        cargo.env("INSTA_UPDATE", "no");
    }
    on_both_stores(cargo, "test", Files::InMemory)
}

/// Builds what is to be run. None where `args` say what cargo does not only build.
fn build(args: &[String]) -> anyhow::Result<Option<ExitStatus>> {
    if !is_built_first(args) {
        return Ok(None);
    }
    let started = Instant::now();
    let mut cargo = tree::cargo()?;
    let status = cargo.args(["test", "--no-run"]).args(scope(args)).args(args).status();
    let status = status.context("starting `cargo test`")?;
    if status.success() {
        println!("xtask test: built in {} s", started.elapsed().as_secs());
    }
    Ok(Some(status))
}

/// Where tests have their stores, and whatever else they write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// Where that has room: it is faster.
    InMemory,
    /// As in production.
    OnDisk,
}

/// Runs a `cargo test` that finds a Postgres, as the command of that name.
pub(crate) fn on_both_stores(mut cargo: Command, name: &str, files: Files) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let place = if files == Files::InMemory { memory::place() } else { None };
    let folder = place.map(memory::Folder::make).transpose()?;
    if let Some(folder) = &folder {
        cargo.env(memory::TMPDIR, folder.path());
    }
    let (stores, cluster) = if env(POSTGRES_URL).is_some() {
        (format!("SQLite and the Postgres of {POSTGRES_URL}"), None)
    } else {
        let postgres = Installed::find_or_install()?;
        let cluster = Cluster::start(&postgres, Care::Fast, place.unwrap_or(Path::new(ON_DISK)))?;
        cargo.env(POSTGRES_URL, cluster.url());
        (format!("SQLite and Postgres {}", postgres.version), Some(cluster))
    };
    println!("xtask {name}: on {stores}{}", if folder.is_some() { ", files in memory" } else { "" });
    let status = cargo.status().context("starting `cargo test`")?;
    if let Some(cluster) = cluster {
        cluster.stop()?;
    }
    if let Some(folder) = folder {
        folder.remove()?;
    }

    let seconds = started.elapsed().as_secs();
    if status.success() {
        println!("xtask {name}: passed on {stores} in {seconds} s");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("xtask {name}: FAILED on {stores} after {seconds} s; the first failure is named above");
    Ok(code(status))
}

/// As cargo ended, this command does.
fn code(status: ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Takes the pictures of the console that the README shows, by the test that looks at every page.
pub(crate) fn screenshots() -> anyhow::Result<ExitCode> {
    let mut cargo = tree::cargo()?;
    cargo.args(["test", "-p", "hoc", "--test", "it", "every_page_holds_in_a_browser"]);
    install::missing(&[&CHROMIUM])?;
    let chromium = (CHROMIUM.find)().with_context(CHROMIUM.wanted)?;
    cargo.env(browser::VARIABLE, chromium).env("HOC_SCREENSHOTS", "docs/images");
    let status = cargo.status().context("starting `cargo test`")?;
    println!("xtask screenshots: docs/images has what the README shows, target/screenshots every page");
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the binary's tests are among them, which drive the console in a browser, a real SDK and schemathesis.
fn tests_the_binary(args: &[String]) -> bool {
    let hoc = ["hoc", "-phoc", "--package=hoc", "--workspace"];
    !scope(args).is_empty() || args.iter().any(|arg| hoc.contains(&arg.as_str()))
}

/// Whether cargo takes `--no-run` beside them, to build and no more.
fn is_built_first(args: &[String]) -> bool {
    let otherwise = ["--doc", "--help", "-h", "--no-run"];
    !args.iter().take_while(|arg| *arg != "--").any(|arg| otherwise.contains(&arg.as_str()))
}

/// The whole workspace, unless the arguments name packages.
fn scope(args: &[String]) -> &'static [&'static str] {
    let named = args.iter().take_while(|arg| *arg != "--").any(|arg| {
        ["-p", "--workspace", "--all", "--manifest-path", "--package"].contains(&arg.as_str())
            || arg.starts_with("--package=")
            || arg.starts_with("--manifest-path=")
            || (arg.starts_with("-p") && !arg.starts_with("--"))
    });
    if named { &[] } else { &["--workspace"] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_workspace_unless_a_package_is_named() {
        let scope =
            |line: &str| scope(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).concat();
        for whole in ["", "--no-fail-fast", "budget -- --nocapture", "-- -p"] {
            assert_eq!(scope(whole), "--workspace", "{whole}");
        }
        let binary =
            |line: &str| tests_the_binary(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert!(binary("") && binary("-p hoc") && binary("--workspace -- x") && !binary("-p proof -- x"));
        for named in ["-p proof", "-pproof", "--package=proof --lib", "--workspace --exclude hoc"] {
            assert_eq!(scope(named), "", "{named}");
        }
    }

    #[test]
    fn all_is_built_first_that_cargo_can_build_without_running_it() {
        let built = |line: &str| {
            let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            is_built_first(&args)
        };
        for first in ["", "--no-fail-fast", "-p drivers incidents", "-- --help"] {
            assert!(built(first), "{first}");
        }
        for otherwise in ["--no-run", "--doc -p drivers", "-h", "--help"] {
            assert!(!built(otherwise), "{otherwise}");
        }
    }
}

//! `cargo xtask test`: every test on both stores, with nothing to prepare.
//!
//! It finds Postgres or installs it, starts a server of its own on a unix socket, and runs `cargo test`. So nothing
//! is skipped: where Postgres cannot be had, it says which package to install and fails.

pub(crate) mod install;
pub(crate) mod postgres;

use crate::{env, tree};
use anyhow::Context as _;
use postgres::{Care, Cluster, Installed};
use std::{process::ExitCode, time::Instant};

/// The variable by which the tests find their Postgres: a URL of a database from which they may create others.
const POSTGRES_URL: &str = "HOC_TEST_POSTGRES_URL";

/// Runs the tests; `args` go to `cargo test`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut cargo = tree::cargo();
    cargo.arg("test").args(scope(args)).args(args);
    if env("INSTA_UPDATE").is_none() {
        cargo.env("INSTA_UPDATE", "no");
    }

    let (stores, cluster) = if env(POSTGRES_URL).is_some() {
        (format!("SQLite and the Postgres of {POSTGRES_URL}"), None)
    } else {
        let postgres = Installed::find().map_or_else(install::postgres, Ok)?;
        let cluster = Cluster::start(&postgres, Care::Fast)?;
        cargo.env(POSTGRES_URL, cluster.url());
        (format!("SQLite and Postgres {}", postgres.version), Some(cluster))
    };
    println!("xtask test: on {stores}");
    let status = cargo.status().context("starting `cargo test`")?;
    if let Some(cluster) = cluster {
        cluster.stop()?;
    }

    let seconds = started.elapsed().as_secs();
    if status.success() {
        println!("xtask test: passed on {stores} in {seconds} s");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("xtask test: FAILED on {stores} after {seconds} s; the first failure is named above");
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
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
        for named in ["-p proof", "-pproof", "--package=proof --lib", "--workspace --exclude hoc"] {
            assert_eq!(scope(named), "", "{named}");
        }
    }
}

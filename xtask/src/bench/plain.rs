//! What the store itself can do, with neither the product nor its driver in between: prepared INSERTs in one loop of
//! plain SQLite, or by pgbench, which is libpq. Each commit is as durable as the server's.

use super::{
    bodies::Bodies,
    database::{Database, said, sql},
    options::{Options, Part},
    progress::Progress,
    rate::Rate,
    stats::{Latencies, number},
};
use crate::{
    settings::in_search_path,
    test::{
        install,
        postgres::{Cluster, Installed},
        tool::Tool,
    },
};
use anyhow::{Context as _, ensure};
use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// Its SQLite is the plain one.
static PYTHON: Tool = Tool {
    name: "Python",
    package: "python3",
    find: || in_search_path(&["python3"]),
    wanted: || "plain SQLite is measured by Python's (the package `python3`)".to_owned(),
    variable: None,
};

/// Rows of one commit.
struct Rows {
    what: &'static str,
    count: usize,
    /// Of one row.
    bytes: usize,
    /// How many commit at the same time, where the store lets several do so.
    callers: &'static [usize],
}

/// What steps are compared with, and what spans are: as many rows as one request has spans, as large as those.
const ALL: [Rows; 2] = [
    Rows { what: Rate::COMMITS, count: 1, bytes: 200, callers: &[1, 8, 32] },
    Rows { what: Rate::ROWS, count: 20, bytes: 4_000, callers: &[1, 4, 16] },
];

/// Commits that were measured.
struct Commits {
    per_second: f64,
    latencies: Latencies,
}

/// Measures all, in files or a database that are gone afterwards.
pub(super) fn limits(
    database: &Database,
    options: &Options,
    progress: &Progress,
) -> anyhow::Result<Vec<Rate>> {
    let mut rates = Vec::new();
    if !options.has(Part::Commits) {
        return Ok(rates);
    }
    for rows in &ALL {
        let callers: &[usize] = match database {
            // It lets one write at a time: more of them only wait.
            Database::Sqlite(_) => &[1],
            Database::Postgres { .. } => rows.callers,
        };
        for callers in callers {
            let commits = match database {
                Database::Sqlite(_) => sqlite(rows, options.limit_window())?,
                Database::Postgres { installed, cluster } => {
                    postgres((installed, cluster), rows, *callers, options.limit_window())?
                }
            };
            let per_second = commits.per_second * number(rows.count);
            let rate = Rate::of_store(rows.what, *callers, per_second, &commits.latencies);
            progress.say(&rate.line());
            rates.push(rate);
        }
    }
    Ok(rates)
}

fn sqlite(rows: &Rows, window: Duration) -> anyhow::Result<Commits> {
    install::missing(&[&PYTHON])?;
    let folder = tempfile::Builder::new().prefix("hoc-bench-").tempdir()?;
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("plain.py")]).arg(folder.path().join("plain.db"));
    python.args([rows.count.to_string(), rows.bytes.to_string(), window.as_secs_f64().to_string()]);
    let output = python.stdin(Stdio::null()).output().context("starting python3")?;
    ensure!(output.status.success(), "plain.py failed:\n{}", String::from_utf8_lossy(&output.stderr));
    of_python(&output.stdout).context("plain.py does not say what it measured")
}

fn of_python(said: &[u8]) -> Option<Commits> {
    let said: serde_json::Value = serde_json::from_slice(said).ok()?;
    let took = said["latencies_us"].as_array()?;
    let took: Vec<Duration> =
        took.iter().filter_map(serde_json::Value::as_u64).map(Duration::from_micros).collect();
    let per_second = number(took.len()) / said["seconds"].as_f64()?;
    Some(Commits { per_second, latencies: Latencies::new(took) })
}

/// In a database of its own, so that the store's tables are as they were.
fn postgres(
    (installed, cluster): (&Installed, &Cluster),
    rows: &Rows,
    callers: usize,
    window: Duration,
) -> anyhow::Result<Commits> {
    sql(installed, &cluster.url(), "CREATE DATABASE plain")?;
    let url = cluster.url_of("plain");
    // PLAIN: a row is written as it came, in one piece.
    for statement in [
        "CREATE TABLE plain (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT NOT NULL)",
        "ALTER TABLE plain ALTER COLUMN body SET STORAGE PLAIN",
    ] {
        sql(installed, &url, statement)?;
    }
    let folder = tempfile::Builder::new().prefix("hoc-bench-").tempdir()?;
    let (script, log) = (folder.path().join("insert.sql"), folder.path().join("took"));
    std::fs::write(&script, insert(rows.count))?;
    let (callers, threads) = (callers.to_string(), callers.min(2).to_string());
    let (seconds, body) = (window.as_secs().max(1).to_string(), Bodies::new(rows.bytes).text(rows.bytes));
    let body = format!("body={body}");
    let args = [
        "--no-vacuum",
        "--log",
        "--log-prefix",
        path(&log)?,
        "--protocol",
        "prepared",
        "--define",
        &body,
        "--file",
        path(&script)?,
        "--client",
        &callers,
        "--jobs",
        &threads,
        "--time",
        &seconds,
        &url,
    ];
    let said = said(installed, "pgbench", &args)?;
    sql(installed, &cluster.url(), "DROP DATABASE plain")?;
    let per_second = of_pgbench(&said).with_context(|| format!("pgbench says no rate:\n{said}"))?;
    Ok(Commits { per_second, latencies: Latencies::new(logged(folder.path())?) })
}

/// One statement, which is a transaction by itself.
fn insert(rows: usize) -> String {
    format!("INSERT INTO plain (body) VALUES {};\n", vec!["(:body)"; rows].join(", "))
}

fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is text")
}

/// `tps = 1837.89 (without initial connection time)`.
fn of_pgbench(said: &str) -> Option<f64> {
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    rate.split_whitespace().next()?.parse().ok()
}

/// What each transaction took, from the files of all of pgbench's threads.
fn logged(folder: &Path) -> anyhow::Result<Vec<Duration>> {
    let mut took = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("took.")) {
            took.extend(std::fs::read_to_string(&file)?.lines().filter_map(of_log));
        }
    }
    Ok(took)
}

/// `CLIENT NUMBER MICROSECONDS SCRIPT ..`.
fn of_log(line: &str) -> Option<Duration> {
    line.split(' ').nth(2)?.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let said = "number of clients: 4\ninitial connection time = 16.341 ms\n\
                    tps = 1837.895594 (without initial connection time)\n";
        assert_eq!(of_pgbench(said), Some(1_837.895_594));
        assert_eq!(of_pgbench("pgbench: error"), None);
        assert_eq!(of_log("0 1 3910 0 1795880801 596560"), Some(Duration::from_micros(3_910)));
        assert_eq!(of_log("0 1 skipped 0 1795880801 596560"), None);
        assert_eq!(insert(2), "INSERT INTO plain (body) VALUES (:body), (:body);\n");
    }

    #[test]
    fn what_the_loop_on_sqlite_says_is_read() {
        let said = br#"{"latencies_us": [300, 100], "seconds": 0.5}"#;
        let commits = of_python(said).expect("commits");
        assert_eq!(commits.latencies.percentile(50), Some(Duration::from_micros(100)));
        assert!((commits.per_second - 4.0).abs() < f64::EPSILON);
        assert!(of_python(b"{}").is_none());
    }
}

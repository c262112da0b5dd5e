//! `cargo xtask bench`: what the product does in a second, against what the machine could.
//!
//! A real `hoc serve` of a release build, a fresh store, loopback. Callers are threads with one kept connection each.
//! Absolute figures belong to the machine and the hour; the ratios are what to compare: what the store itself can do
//! and a route that does nothing are measured in the same run.

mod aims;
mod bodies;
mod bundles;
mod conversations;
mod cpu;
mod database;
mod evaluations;
mod hoc;
mod http;
mod lists;
mod load;
mod machine;
mod measure;
mod options;
mod otlp;
mod page;
mod plain;
mod rate;
mod report;
mod server;
mod spans;
mod standing;
mod stats;
mod store;
mod table;
mod tenant;
mod traces;

use crate::tree;
use anyhow::Context as _;
use cpu::Watched;
use database::Database;
use hoc::Hoc;
use options::{Kind, Options, Part};
use serde_json::json;
use server::Bench;
use standing::{Disk, Left, Standing};
use std::{
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};
use store::Store;

/// Runs the bench; `args` are its options.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{}", options::HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::parse(args)?;
    let (root, began) = (tree::root()?, Instant::now());
    let binary = if let Some(binary) = &options.binary {
        binary.clone()
    } else {
        println!("bench: building hoc (release)");
        hoc::build(&root)?
    };
    let evaluations = if options.has(Part::Rules) {
        let folder = tempfile::Builder::new().prefix("hoc-bench-").tempdir()?;
        evaluations::measure(&Hoc::new(&binary, folder.path(), String::new()))?
    } else {
        Vec::new()
    };
    let mut stores = Vec::new();
    for kind in &options.stores {
        stores.push(on(*kind, &binary, &options)?);
    }

    if !evaluations.is_empty() {
        println!("\nPolicy evaluation\n\n{}", evaluations::Evaluation::table(&evaluations).text());
    }
    for store in &stores {
        println!("\n{}", store.name);
        if let Some(cores) = store.disturbance() {
            println!("The machine was not idle: other work took up to {cores:.1} cores meanwhile.");
        }
        for table in store.tables() {
            println!("\n{}", table.text());
        }
    }
    let page = page::Page { stores: &stores, evaluations: &evaluations, options: &options, root: &root };
    write_json(&page, &options, &root)?;
    if options.write {
        let file = root.join("docs").join("performance.md");
        std::fs::write(&file, page.markdown())?;
        println!("bench: wrote {}", file.display());
    }
    println!("bench: took {} s", began.elapsed().as_secs());
    let anomalies: Vec<String> = stores.iter().flat_map(Store::anomalies).collect();
    for anomaly in &anomalies {
        eprintln!("bench: ANOMALY: {anomaly}");
    }
    Ok(if anomalies.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write_json(page: &page::Page<'_>, options: &Options, root: &Path) -> anyhow::Result<()> {
    let folder = root.join("target").join("bench");
    std::fs::create_dir_all(&folder)?;
    for store in page.stores {
        let name = store.name.split(' ').next().unwrap_or_default().to_lowercase();
        let file = folder.join(format!("{name}.json"));
        std::fs::write(&file, format!("{:#}\n", json!({ "run": page.about(), "store": store.json() })))?;
        println!("bench: wrote {}", file.display());
    }
    if let Some(file) = &options.json {
        let stores: Vec<_> = page.stores.iter().map(Store::json).collect();
        std::fs::write(file, format!("{:#}\n", json!({ "run": page.about(), "stores": stores })))?;
    }
    Ok(())
}

/// Measures on one store, made for this and gone afterwards.
fn on(kind: Kind, binary: &Path, options: &Options) -> anyhow::Result<Store> {
    let folder = tempfile::Builder::new().prefix("hoc-bench-").tempdir()?;
    let database = Database::start(kind, folder.path())?;
    let hoc = Hoc::new(binary, folder.path(), database.url());
    let store = measured(kind, &hoc, &database, options)?;
    database.stop()?;
    Ok(store)
}

fn measured(kind: Kind, hoc: &Hoc, database: &Database, options: &Options) -> anyhow::Result<Store> {
    let name = database.name();
    let progress = |what: &str| println!("bench: {name}: {what}");
    let mut rates = plain::limits(database, options, |rate| progress(&rate.line()))?;
    progress("making the store");
    let (admin, agent) = (hoc.key("admin")?, hoc.key("agent")?);
    let empty = database.size();

    let server = hoc.serve()?;
    tenant::govern(&mut server.client(&admin)).context("making ten limits and a hundred rules")?;
    server.stop()?;
    let (mut traces, mut bundles, mut standing) = (Vec::new(), Vec::new(), Standing::default());
    let load = Load { hoc, database, options, agent: &agent };
    if options.loads() {
        let mut sealed = Vec::new();
        let left = load.on(empty, |bench| {
            rates.extend(bench.rates(|rate| progress(&rate.line()))?);
            if options.has(Part::Bundles) {
                sealed = bundles::fill(bench)?;
            }
            Ok(())
        })?;
        standing.steps = standing.after(&left);
        bundles = bundles::measure(hoc, &admin, &sealed, |bundle| progress(&bundle.line()))?;
    }
    if options.has(Part::Spans) {
        let left = load.on(database.size(), |bench| {
            rates.extend(bench.span_rates(|rate| progress(&rate.line()))?);
            let trace = traces::measure(bench, 10_000)?;
            progress(&trace.line());
            traces.push(trace);
            Ok(())
        })?;
        standing.spans = standing.after(&left);
    }
    if options.has(Part::Conversations) {
        let left = load.on(database.size(), |bench| {
            let rate = bench.conversation_rate(4)?;
            progress(&rate.line());
            rates.push(rate);
            Ok(())
        })?;
        standing.turns = standing.after(&left);
    }
    if options.has(Part::Start) {
        (standing.start, standing.idle_memory) = restarted(hoc)?;
    }
    let lists = if options.has(Part::Lists) {
        lists::measure(hoc, options, (&admin, &agent), progress)?
    } else {
        Vec::new()
    };
    Ok(Store { kind, name, rates, traces, bundles, lists, standing })
}

/// What a load needs beside itself.
struct Load<'a> {
    hoc: &'a Hoc,
    database: &'a Database,
    options: &'a Options,
    agent: &'a str,
}

impl Load<'_> {
    /// Does some work on a server of its own, on a store of `before` bytes: what it left.
    fn on(&self, before: u64, work: impl FnOnce(&Bench<'_>) -> anyhow::Result<()>) -> anyhow::Result<Left> {
        let server = self.hoc.serve()?;
        let mut watched = vec![
            Watched { name: "server", pid: server.pid(), with_children: false },
            Watched { name: "callers", pid: std::process::id(), with_children: false },
        ];
        watched.extend(self.database.watched()?);
        let (taken, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let bench = Bench { options: self.options, server: &server, agent: self.agent, watched, taken, sent };
        work(&bench)?;
        let (taken, sent) = (bench.taken.load(Ordering::Relaxed), bench.sent.load(Ordering::Relaxed));
        let memory = cpu::resident(server.pid());
        let rested = self.options.rest().and_then(|rest| {
            thread::sleep(rest);
            cpu::resident(server.pid())
        });
        let store = self.database.whole()?;
        server.stop()?;
        let grown = self.database.size().saturating_sub(before);
        let each = |of: f64| stats::ratio(of, stats::number(taken)).filter(|_| taken > 0);
        let disk = Disk { stored: each(stats::bytes(grown)), sent: each(stats::number(sent)) };
        Ok(Left { disk, memory, rested, store })
    }
}

/// Starts on the store as it now is, and stops.
fn restarted(hoc: &Hoc) -> anyhow::Result<(Option<Duration>, Option<u64>)> {
    let server = hoc.serve()?;
    server.client("").get("/readyz")?.expect(200)?;
    let standing = (Some(server.started_in), cpu::resident(server.pid()));
    server.stop()?;
    Ok(standing)
}

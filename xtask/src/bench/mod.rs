//! `cargo xtask bench`: what the product does in a second, against what the machine could.
//!
//! A real `hoc serve` of a release build, a fresh store, loopback. Callers are threads with one kept connection each.
//! Absolute figures belong to the machine and the hour; the ratios are what to compare: the store's own commits and a
//! route that does nothing are measured in the same run.

mod bodies;
mod bundles;
mod cpu;
mod evaluations;
mod hoc;
mod http;
mod lists;
mod load;
mod machine;
mod measure;
mod options;
mod page;
mod report;
mod server;
mod spans;
mod stats;
mod table;
mod tenant;

use crate::{
    test::{
        install,
        postgres::{Care, Cluster, Installed},
    },
    tree,
};
use anyhow::Context as _;
use cpu::Watched;
use hoc::Hoc;
use options::{Kind, Options, Part};
use report::{Standing, Store};
use serde_json::json;
use server::Bench;
use std::{
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

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
    match kind {
        Kind::Sqlite => {
            let url = format!("sqlite://{}", folder.path().join("hoc.db").display());
            measured(&Hoc::new(binary, folder.path(), url), "SQLite".to_owned(), None, options)
        }
        Kind::Postgres => {
            let installed = Installed::find().map_or_else(install::postgres, Ok)?;
            let cluster = Cluster::start(&installed, Care::Durable)?;
            let name = format!("Postgres {}", installed.version);
            let store =
                measured(&Hoc::new(binary, folder.path(), cluster.url()), name, Some(&cluster), options)?;
            cluster.stop()?;
            Ok(store)
        }
    }
}

fn measured(hoc: &Hoc, name: String, cluster: Option<&Cluster>, options: &Options) -> anyhow::Result<Store> {
    let progress = |what: &str| println!("bench: {name}: {what}");
    progress("making the store");
    let (admin, agent) = (hoc.key("admin")?, hoc.key("agent")?);
    let commits = measure::commits(hoc, options, |rate| progress(&rate.line()))?;
    let empty = size(hoc, cluster);

    let server = hoc.serve()?;
    tenant::govern(&mut server.client(&admin)).context("making ten limits and a hundred rules")?;
    server.stop()?;
    let mut rates = commits;
    let (mut traces, mut bundles, mut standing) = (Vec::new(), Vec::new(), Standing::default());
    let load = Load { hoc, cluster, options, agent: &agent };
    if options.loads() {
        let (steps, memory) = load.on(empty, |bench| {
            rates.extend(bench.rates(|rate| progress(&rate.line()))?);
            if options.has(Part::Bundles) {
                bundles = bundles::measure(bench, hoc, &admin, |bundle| progress(&bundle.line()))?;
            }
            Ok(())
        })?;
        (standing.disk_per_step, standing.body_per_step) = steps;
        standing.loaded_memory = memory;
    }
    if options.has(Part::Spans) {
        let (spans, memory) = load.on(size(hoc, cluster), |bench| {
            rates.extend(bench.span_rates(|rate| progress(&rate.line()))?);
            traces = vec![spans::trace(bench, 10_000)?];
            for trace in &traces {
                progress(&trace.line());
            }
            Ok(())
        })?;
        (standing.disk_per_span, standing.wire_per_span) = spans;
        standing.loaded_memory = standing.loaded_memory.max(memory);
    }
    if options.has(Part::Start) {
        (standing.start, standing.idle_memory) = restarted(hoc)?;
    }
    let lists = if options.has(Part::Lists) {
        lists::measure(hoc, options, (&admin, &agent), progress)?
    } else {
        Vec::new()
    };
    Ok(Store { name, rates, traces, bundles, lists, standing })
}

/// What a load needs beside itself.
struct Load<'a> {
    hoc: &'a Hoc,
    cluster: Option<&'a Cluster>,
    options: &'a Options,
    agent: &'a str,
}

/// Bytes of the store for each step or span that it took, and the bytes of those as they came.
type Each = (Option<f64>, Option<f64>);

impl Load<'_> {
    /// Does some work on a server of its own, on a store of `before` bytes: what each step or span took of the disk,
    /// and the server's memory in the end.
    fn on(
        &self,
        before: u64,
        work: impl FnOnce(&Bench<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<(Each, Option<u64>)> {
        let server = self.hoc.serve()?;
        let mut watched = vec![
            Watched { name: "server", pid: server.pid(), with_children: false },
            Watched { name: "callers", pid: std::process::id(), with_children: false },
        ];
        if let Some(cluster) = self.cluster {
            watched.push(Watched { name: "database", pid: cluster.pid()?, with_children: true });
        }
        let (taken, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let bench = Bench { options: self.options, server: &server, agent: self.agent, watched, taken, sent };
        work(&bench)?;
        let (taken, sent) = (bench.taken.load(Ordering::Relaxed), bench.sent.load(Ordering::Relaxed));
        let memory = cpu::resident(server.pid());
        server.stop()?;
        let grown = size(self.hoc, self.cluster).saturating_sub(before);
        let each = |of: f64| stats::ratio(of, stats::number(taken)).filter(|_| taken > 0);
        Ok(((each(stats::bytes(grown)), each(stats::number(sent))), memory))
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

/// Bytes of the store while no server runs on it.
fn size(hoc: &Hoc, cluster: Option<&Cluster>) -> u64 {
    match cluster {
        Some(cluster) => folder_size(&cluster.tables(), |_| true),
        None => folder_size(&hoc.folder, |name| name.starts_with("hoc.db")),
    }
}

/// Bytes of the files below a folder whose names are wanted. A database at work may take one away meanwhile.
fn folder_size(folder: &Path, wanted: impl Fn(&str) -> bool) -> u64 {
    let files =
        walkdir::WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let wanted = files.filter(|file| wanted(&file.file_name().to_string_lossy()));
    wanted.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

//! `cargo xtask bench`: what the product does in a second, against what the machine could, and against what it did
//! before.
//!
//! A real `hoc serve` of a release build, a fresh store, loopback. Callers are threads with one kept connection each.
//! Absolute figures belong to the machine and the hour; the ratios are what to compare: what the store itself can do,
//! a route that does nothing and the binary of a commit before are measured in the same run.

mod aims;
mod bodies;
mod bundle;
mod bundles;
mod conversations;
mod cpu;
mod database;
mod evaluations;
mod found;
mod grid;
mod hoc;
mod http;
mod list_page;
mod lists;
mod load;
mod machine;
mod measure;
mod options;
mod otlp;
mod page;
mod phase;
mod plain;
mod progress;
mod rate;
mod report;
mod rounds;
mod server;
mod side;
mod spans;
mod standing;
mod stats;
mod store;
mod table;
mod tenant;
mod traces;

use crate::tree;
use anyhow::Context as _;
use evaluations::Evaluation;
use options::{Options, Part};
use page::{About, Page};
use serde_json::json;
use side::Binary;
use std::{path::Path, process::ExitCode, time::Instant};
use store::{Measured, Store};

/// Runs the bench; `args` are its options.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{}", options::HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::parse(args)?;
    let (root, began) = (tree::root()?, Instant::now());
    let about = About::new(&options, &root)?;
    let binaries = binaries(&options, &root)?;
    let evaluations = if options.has(Part::Rules) { evaluations(&binaries)? } else { Vec::new() };
    let measured = options.stores.iter().map(|kind| rounds::on(*kind, &binaries, &options, began));
    let stores = measured.collect::<anyhow::Result<Vec<_>>>()?;

    let page = Page { about: &about, stores: &stores, evaluations: &evaluations };
    println!("\n{}", page.text());
    write_json(&page, &options, &root)?;
    if options.write {
        let file = root.join("docs").join("performance.md");
        std::fs::write(&file, page.markdown())?;
        println!("bench: wrote {}", file.display());
    }
    println!("bench: took {} s", began.elapsed().as_secs());
    for noted in stores.iter().filter_map(|store| store.before.as_ref()).flat_map(Store::anomalies) {
        println!("bench: of before: {noted}");
    }
    let anomalies: Vec<String> = stores.iter().flat_map(|store| store.after.anomalies()).collect();
    for anomaly in &anomalies {
        eprintln!("bench: ANOMALY: {anomaly}");
    }
    Ok(if anomalies.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is measured, this tree's last.
fn binaries(options: &Options, root: &Path) -> anyhow::Result<Vec<Binary>> {
    let file = if let Some(file) = &options.built {
        file.clone()
    } else {
        println!("bench: building hoc (release)");
        hoc::build(root)?
    };
    let before = options.binary.as_ref().map(|file| Binary { name: "before", file: file.clone() });
    Ok(before.into_iter().chain([Binary { name: "after", file }]).collect())
}

/// What evaluating rules takes in each of the binaries; one of before may not say so.
fn evaluations(binaries: &[Binary]) -> anyhow::Result<Vec<Vec<Evaluation>>> {
    let (last, earlier) = binaries.split_last().context("a binary is measured")?;
    let mut evaluations: Vec<Vec<Evaluation>> = Vec::new();
    for binary in earlier {
        evaluations.push(binary.evaluations().unwrap_or_else(|err| {
            println!("bench: policy evaluation {}: NOT MEASURED: {err:#}", binary.name);
            Vec::new()
        }));
    }
    evaluations.push(last.evaluations()?);
    Ok(evaluations)
}

fn write_json(page: &Page<'_>, options: &Options, root: &Path) -> anyhow::Result<()> {
    let folder = root.join("target").join("bench");
    std::fs::create_dir_all(&folder)?;
    for Measured { before, after } in page.stores {
        let name = after.name.split(' ').next().unwrap_or_default().to_lowercase();
        let file = folder.join(format!("{name}.json"));
        let before = before.as_ref().map(Store::json);
        let json = json!({ "run": page.json(), "store": after.json(), "before": before });
        std::fs::write(&file, format!("{json:#}\n"))?;
        println!("bench: wrote {}", file.display());
    }
    if let Some(file) = &options.json {
        let after: Vec<_> = page.stores.iter().map(|store| store.after.json()).collect();
        let before: Vec<_> =
            page.stores.iter().filter_map(|store| store.before.as_ref()).map(Store::json).collect();
        let json = json!({ "run": page.json(), "stores": after, "before": before });
        std::fs::write(file, format!("{json:#}\n"))?;
    }
    Ok(())
}

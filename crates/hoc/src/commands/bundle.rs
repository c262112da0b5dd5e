//! `hoc bundle`: the signed evidence of one run, as a file.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use models::ids::RunId;
use orchestrator::{
    coordinators::export_bundle::{self, BundleStream},
    handlers::account,
};
use serde_json::json;

use crate::{
    config::{Config, Flags},
    logging::{self, Voice},
    out,
    packed::coding_of,
    packing::Packing,
    store::{self, Schema},
};

/// Write a run's signed evidence bundle
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc bundle run_0199... -o run.bundle.json
  hoc bundle run_0199... -o run.bundle.json.zst
  hoc verify run.bundle.json.zst --key hoc.pub

Works on the store itself, whether a server runs or not, and signs new checkpoints. A server
gives the same at GET /api/v1/runtime/activity/runs/RUN/bundle.")]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,
    /// Where to write it: packed by zstd or gzip where the name ends in .zst or .gz; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Print one line of JSON about what was written
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<()> {
    let config = Config::load(&flags, "./hoc-data")?;
    logging::start(&config, Voice::Answers)?;
    let Ok(run) = args.run.parse::<RunId>() else {
        bail!("`{}` is no run id: it begins with run_ and has 32 hex digits after it", args.run);
    };
    let opened = store::open(&config, Schema::AsItIs).await?;
    let Some(tenant) = account::tenant_of_run(&opened.spine, run).await? else {
        bail!("there is no run {run} in {}", config.store.shown_url());
    };
    let bundle = Box::pin(export_bundle::of_run(&opened.spine, tenant.id, &tenant.slug, run)).await?;
    if args.output == Path::new("-") {
        let told = print(bundle).await;
        opened.db.close().await;
        return told;
    }
    let written = write(&args.output, bundle).await;
    opened.db.close().await;
    let (file, bytes) = (args.output.display(), written?);
    if args.json {
        out::line(json!({ "run_id": run, "tenant": tenant.slug, "file": args.output, "bytes": bytes }));
    } else {
        out::line(format!("{file}: {bytes} bytes. Check it with `hoc verify {file} --key hoc.pub`"));
    }
    Ok(())
}

/// Prints a bundle as it is made.
async fn print(mut bundle: BundleStream) -> anyhow::Result<()> {
    while let Some(piece) = bundle.piece().await {
        out::bytes(&piece?);
    }
    Ok(())
}

/// Writes a bundle to a file as it is made, whole or not at all; gives how long the file is.
async fn write(path: &Path, mut bundle: BundleStream) -> anyhow::Result<u64> {
    let making = making(path);
    let cannot = || format!("cannot write {}", path.display());
    let file = File::create(&making).with_context(cannot)?;
    let written = async {
        let mut packing = Packing::begin(coding_of(path), file).with_context(cannot)?;
        while let Some(piece) = bundle.piece().await {
            packing.put(&piece?).with_context(cannot)?;
        }
        let file = packing.end().with_context(cannot)?;
        file.sync_all().with_context(cannot)?;
        fs::rename(&making, path).with_context(cannot)?;
        anyhow::Ok(file.metadata().with_context(cannot)?.len())
    };
    let written = written.await;
    if written.is_err() {
        // It has no end, so it is of use to nobody.
        let _ = fs::remove_file(&making);
    }
    written
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let making = making(path);
    let write = || {
        let mut file = File::create(&making)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&making, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// What a file is called until all of it is there.
fn making(path: &Path) -> PathBuf {
    let mut making = path.as_os_str().to_owned();
    making.push(".new");
    PathBuf::from(making)
}

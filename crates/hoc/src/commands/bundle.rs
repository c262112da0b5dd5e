//! `hoc bundle`: the signed evidence of one run, as a file.

use std::{
    future::pending,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::bail;
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
    output::{CannotWrite, Own, Place},
    packed::coding_of,
    packing::Packing,
    server,
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
gives the same at GET /api/v1/runtime/activity/runs/RUN/bundle.

A file is there when it is whole, and its owner alone can read it; one that is replaced keeps its
mode. A file of the installation, such as its store or a key, is refused. A pipe or a device is
written as the bundle is made.")]
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

/// How it ended.
enum Ended {
    /// All is written: so many bytes.
    Whole(u64),
    /// By a signal; nothing is left of it.
    By(&'static str),
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<ExitCode> {
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
    let place =
        Place::of(&args.output, &Own::of(&config)).map_err(|why| CannotWrite::of(&args.output, why))?;
    let (is_answer, is_file) = (place.is_answer(), place.is_file());
    let ended = tokio::select! {
        // Heard from before the file is made that a signal would leave.
        biased;
        signal = asked_to_end(is_file) => signal.map(Ended::By),
        bytes = write(&args.output, place, bundle) => bytes.map(Ended::Whole),
    };
    if !matches!(ended, Ok(Ended::By(_))) {
        opened.db.close().await;
    }
    let file = args.output.display().to_string();
    let file = verify::shown(&file);
    let bytes = match ended {
        Ok(Ended::Whole(bytes)) => bytes,
        Ok(Ended::By(signal)) => {
            out::note(format!("ended by {signal}: {file} is as it was"));
            // As a shell tells of whoever is ended by a signal. The store is not waited for: it may be what does not
            // answer.
            let code = match signal {
                "SIGHUP" => 129,
                "SIGINT" => 130,
                _ => 143,
            };
            return Ok(ExitCode::from(code));
        }
        // A reader that hangs up (`hoc bundle RUN -o - | head -c 9`) is no failure.
        Err(err) if err.downcast_ref::<CannotWrite>().is_some_and(CannotWrite::is_for_its_reader) => {
            return Ok(ExitCode::SUCCESS);
        }
        Err(err) => return Err(err),
    };
    if is_answer {
        return Ok(ExitCode::SUCCESS);
    }
    if args.json {
        out::line(json!({ "run_id": run, "tenant": tenant.slug, "file": args.output, "bytes": bytes }));
    } else if is_file {
        out::line(format!("{file}: {bytes} bytes. Check it with `hoc verify {file} --key hoc.pub`"));
    } else {
        out::line(format!("{file}: {bytes} bytes"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Hears that the process is asked to end, where a file has to be removed then. Elsewhere a signal ends the process as
/// it stands, also where that waits for the reader of a pipe.
async fn asked_to_end(leaves_a_file: bool) -> anyhow::Result<&'static str> {
    if leaves_a_file { server::wait_for_the_end().await } else { pending().await }
}

/// Writes a bundle as it is made; gives how many bytes that are.
async fn write(name: &Path, place: Place, mut bundle: BundleStream) -> anyhow::Result<u64> {
    let cannot = |why: io::Error| CannotWrite::of(name, why);
    let output = place.begin().map_err(cannot)?;
    let mut packing = Packing::begin(coding_of(name), output).map_err(cannot)?;
    while let Some(piece) = bundle.piece().await {
        packing.put(&piece?).map_err(cannot)?;
    }
    let output = packing.end().map_err(cannot)?;
    Ok(output.end().map_err(cannot)?)
}

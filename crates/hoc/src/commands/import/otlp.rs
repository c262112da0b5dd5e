//! `hoc import otlp`: spans that were kept in files, by the way that `POST /v1/traces` goes.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use models::ids::RunId;
use orchestrator::{
    Error, Spine,
    handlers::{account, activity},
    ports::RejectedSpans,
};
use serde_json::json;

use super::bodies::{bodies, unpacked};
use verify::shown;

use crate::{
    caller,
    commands::serve::DEFAULT_TENANT,
    config::{Config, Flags},
    logging::{self, Voice},
    out, progress,
    store::{self, Schema},
    whole::whole,
};

/// Not every span was taken.
const SOME_REJECTED: u8 = 3;

/// Bring in OpenTelemetry traces from files
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc import otlp traces.pb
  hoc import otlp --tenant acme captures/*.json exported.jsonl.gz
  curl -s https://collector.example/dump | hoc import otlp -

A file holds what an OTLP exporter sends (ExportTraceServiceRequest), protobuf or JSON, gzip or
not: its content says which. JSON may hold several, one after another, as the Collector's file
exporter writes them, or in a list; each of at most 16 MiB, and a file, unpacked, of as many as
HOC_MAX_HELD_MIB says. Rules and limits judge the spans as they come in, as for
POST /v1/traces, and importing a file again changes nothing. Works on the store itself, whether
a server runs or not; a run whose root span came is sealed by a running server after the quiet
time.

  exit 0   every span of every file is recorded, now or before
  exit 1   a file could not be read or holds no spans, or the store failed; others were imported
  exit 2   wrong usage
  exit 3   every file was read, and some spans were rejected: each file says why")]
pub(crate) struct Args {
    /// The files, in the order in which they are to come in; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Slug of the tenant that gets the runs
    #[arg(long, value_name = "SLUG", default_value = DEFAULT_TENANT)]
    tenant: String,
    /// Print one line of JSON for each file
    #[arg(long)]
    json: bool,
}

/// So many reasons are told of a file; the others are counted.
const REASONS: usize = 10;

/// What became of the spans of a file, or of all.
#[derive(Default)]
struct Counts {
    recorded: u64,
    known: u64,
    rejected: RejectedSpans,
    runs: BTreeSet<RunId>,
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<ExitCode> {
    let config = Config::load(&flags, "./hoc-data")?;
    logging::start(&config, Voice::Answers)?;
    let opened = store::open(&config, Schema::AsItIs).await?;
    let tenant = &args.tenant;
    if !account::list_tenants(&opened.spine).await?.iter().any(|known| known.slug == *tenant) {
        let make = config.command(&format!("hoc keys create --tenant {tenant} --role admin"));
        bail!("there is no tenant `{tenant}` in {}: `{make}` makes it", config.store.shown_url());
    }
    let bar = progress::bar(args.files.len() as u64, "files");
    let (mut all, mut failed) = (Counts::default(), 0_u64);
    for path in &args.files {
        match import(&opened.spine, tenant, path).await {
            Ok(counts) => {
                bar.suspend(|| told(path, &counts, args.json));
                all.add(counts);
            }
            Err(err) => {
                failed += 1;
                let lines: Vec<String> = err.chain().map(ToString::to_string).collect();
                bar.suspend(|| wrong(path, &lines.join(": "), args.json));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    opened.db.close().await;
    if !args.json && args.files.len() > 1 {
        let read = args.files.len() as u64 - failed;
        out::line(format!("{read} of {} files: {}", args.files.len(), all.told()));
    }
    Ok(match (failed, all.rejected.count) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(SOME_REJECTED),
        _ => ExitCode::FAILURE,
    })
}

/// Imports one file; what was taken before it failed stays.
async fn import(spine: &Spine, tenant: &str, path: &Path) -> anyhow::Result<Counts> {
    // As much as a server holds, and of one request as much as a server takes.
    let (most, most_of_one) = (spine.settings().max_held_bytes, api::Bounds::default().span_bytes);
    let too_much = || {
        let most = most >> 20;
        format!(
            "has more than {most} MiB, or would have unpacked: split it, or have more held (HOC_MAX_HELD_MIB)"
        )
    };
    let bytes = read(path, most).context("cannot be read: check the name and that you may read it")?;
    let bytes = bytes.with_context(too_much)?;
    let bytes =
        unpacked(bytes, most).context("begins like gzip and cannot be unpacked: copy it again, whole")?;
    let bytes = bytes.with_context(too_much)?;
    let (encoding, bodies) = bodies(&bytes).context(
        "begins like JSON and is none: it has one object of an exporter, one a line, or a list of them",
    )?;
    let mut counts = Counts::default();
    let of = bodies.len();
    for (at, body) in bodies.into_iter().enumerate() {
        // Which of several it is, for those before it are in.
        let which = |err: anyhow::Error| match of {
            1 => err,
            _ => err.context(format!("object {} of {of}, where the import of this file ended", at + 1)),
        };
        if body.len() > most_of_one {
            let most = most_of_one >> 20;
            return Err(which(anyhow::anyhow!(
                "has more than the {most} MiB that a server takes of one request: have it exported in smaller batches"
            )));
        }
        let taken = activity::ingest_as(spine, &caller::command_line(), tenant, encoding, body).await;
        let taken = taken.map_err(|err| match err {
            Error::Unreadable(why) => anyhow::anyhow!(
                "holds no OTLP traces ({why}): give what an OTLP exporter sent, or what the Collector's file exporter wrote"
            ),
            other => anyhow::Error::new(other)
                .context("the store did not take it: see `hoc doctor`, then import the same file again"),
        });
        let taken = taken.map_err(which)?;
        counts.add(Counts {
            recorded: taken.recorded,
            known: taken.known,
            rejected: taken.rejected,
            runs: taken.runs,
        });
    }
    if counts.recorded + counts.known + counts.rejected.count == 0 {
        bail!("holds no spans: is it a file of traces, and not of metrics or logs?");
    }
    Ok(counts)
}

fn read(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let from: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin().lock()) } else { Box::new(fs::File::open(path)?) };
    whole(from, 0, most as u64)
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.recorded += other.recorded;
        self.known += other.known;
        self.rejected.count += other.rejected.count;
        self.rejected.reasons.extend(other.rejected.reasons);
        self.rejected.reasons.truncate(REASONS);
        self.runs.extend(other.runs);
    }

    fn told(&self) -> String {
        let Self { recorded, known, rejected, runs } = self;
        let (rejected, runs) = (rejected.count, runs.len());
        format!("spans: {recorded} recorded, {known} known before, {rejected} rejected; runs: {runs}")
    }
}

fn told(path: &Path, counts: &Counts, as_json: bool) {
    let Counts { recorded, known, rejected, runs } = counts;
    if as_json {
        out::line(json!({
            "file": path, "recorded": recorded, "known": known, "rejected": rejected.count,
            "reasons": rejected.reasons, "runs": runs,
        }));
        return;
    }
    out::line(format!("{}: {}", shown(&path.display().to_string()), counts.told()));
    if rejected.count > 0 {
        out::note(format!("  rejected: {}", shown(&rejected.message())));
    }
}

fn wrong(path: &Path, why: &str, as_json: bool) {
    if as_json {
        out::line(json!({ "file": path, "error": why }));
    } else {
        out::note(format!("error: {}", shown(&format!("{}: {why}", path.display()))));
    }
}

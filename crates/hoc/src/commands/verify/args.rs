//! What `hoc verify` is given.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use proof::{keys::PublicKey, words::LogName};
use serde_json::{Value, json};
use verify::Check;

use crate::{
    packed,
    whole::{MOST_SAID, text_of},
};

/// Check a bundle, or the logs of a store
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc verify run.bundle.json --key hoc.pub
  hoc verify run.bundle.json --key hoc.pub --reexecute --seen steps.jsonl --not-before 2026-11-01
  hoc bundle RUN -o - | hoc verify - --key hoc.pub
  hoc verify --log runs
  hoc verify --log audit --tenant default --since default-audit.checkpoint

A bundle is checked without a store, a configuration, a server or a network. It ends in one word:
  COMPLETE   everything is here, and as it was sealed                                   exit 0
  OPEN       everything is as stated; the run was not sealed yet                        exit 3
  TRUNCATED  what is here is as it was sealed, and something is missing                 exit 4
  TAMPERED   something is not as it was sealed                                          exit 5
  WRONG_KEY  it names a signer whose key was not given: nothing was checked             exit 6
  NOT_REEXECUTED  with --reexecute: all else is as stated, and another engine decided   exit 7
Exit 1 or 2 is for wrong usage, or a file that is no bundle at all. A log ends in the same
words, but OPEN.

Get the public key from whoever runs the installation, not from whoever gave you the bundle:
`hoc keys public`, or GET /.well-known/hoc/keys (JSON) or /.well-known/hoc/keys.pem. --key takes
either form.")]
pub(crate) struct Args {
    /// The bundle, plain or packed by zstd or gzip; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// File of public keys, PEM or JSON as they are published. For --log the store's own serve where none is given
    #[arg(long, value_name = "PUB")]
    pub(super) key: Option<PathBuf>,
    /// Make every decision again, from its recorded facts
    #[arg(long, conflicts_with = "log")]
    pub(super) reexecute: bool,
    /// Refuse a bundle that was made before (2026-11-21, or 2026-11-21T08:00:00Z)
    #[arg(long, value_name = "TIME", conflicts_with = "log")]
    pub(super) not_before: Option<String>,
    /// Step hashes that the agent kept; each line a hash, an index and a hash, or the JSON answer to a step
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    pub(super) seen: Option<PathBuf>,
    /// An export of the Audit Ledger, one row a line: finds rows of the run that the bundle leaves out
    #[arg(long, value_name = "EXPORT", conflicts_with = "log")]
    pub(super) ledger: Option<PathBuf>,
    /// Recompute a log of the store, `audit` or `runs`, and hold it against its checkpoints
    #[arg(long, value_name = "LOG", value_parser = log_name, conflicts_with = "file")]
    pub(super) log: Option<LogName>,
    /// With --log: this tenant only
    #[arg(long, value_name = "SLUG", requires = "log", conflicts_with = "file")]
    pub(super) tenant: Option<String>,
    /// With --log and --tenant: a checkpoint that the log must have grown from [default: the one kept outside the
    /// store]
    #[arg(long, value_name = "CHECKPOINT", requires = "tenant", conflicts_with = "file")]
    pub(super) since: Option<PathBuf>,
    #[arg(long, value_name = "MIB", value_parser = mib(), conflicts_with = "log", help = packed::bounds())]
    pub(super) max_mib: Option<u64>,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// What can be counted in bytes, and more than there is memory anywhere.
fn mib() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=1 << 20)
}

fn log_name(text: &str) -> Result<LogName, String> {
    text.parse().map_err(|_| "one of audit, runs".to_owned())
}

pub(super) fn public_keys(path: &PathBuf) -> anyhow::Result<Vec<PublicKey>> {
    let read = fs::File::open(path).and_then(|file| text_of(file, MOST_SAID));
    let text = read.with_context(|| format!("cannot read the public key {}", path.display()))?;
    keys_in(&text).with_context(|| {
        format!(
            "{} (`hoc keys public` writes such a file, and GET /.well-known/hoc/keys gives one)",
            path.display()
        )
    })
}

/// Keys as they are published: PEM, one after another, or the JSON of `/.well-known/hoc/keys`.
fn keys_in(text: &str) -> anyhow::Result<Vec<PublicKey>> {
    #[derive(serde::Deserialize)]
    struct Published {
        keys: Vec<Key>,
    }
    #[derive(serde::Deserialize)]
    struct Key {
        public_key: String,
    }
    if !text.trim_start().starts_with('{') {
        return Ok(PublicKey::all_from_pem(text)?);
    }
    let published: Published =
        serde_json::from_str(text).context("it is JSON, and no list of public keys")?;
    let pem: Vec<String> = published.keys.into_iter().map(|key| key.public_key).collect();
    Ok(PublicKey::all_from_pem(&pem.join("\n"))?)
}

/// What was checked, as the JSON document has it.
pub(super) fn checks(checks: &[Check]) -> Value {
    let each = checks.iter().map(|Check { name, passed, undone, detail }| {
        json!({ "name": name, "passed": passed, "undone": undone, "detail": detail })
    });
    each.collect()
}

//! A log of the live store: every row hashed again, up to a checkpoint, and from one that was kept outside.

use std::{
    collections::{HashSet, VecDeque},
    fs,
};

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use models::{account::Tenant, ledger::LogMark};
use orchestrator::{Spine, coordinators::read_log::LogReading, handlers::account};
use proof::{
    keys::PublicKey,
    leaves::{AuditLeaf, MarkLeaf},
    words::LogName,
};
use serde_json::json;
use verify::{
    Row, Word,
    log::{AuditLog, LogReport, RunLog},
};

use super::args::{Args, checks, public_keys};
use crate::{
    config::{Config, Flags},
    logging::{self, Voice},
    out, progress,
    store::{self, Schema},
    whole::{MOST_KEPT, text_of},
};

/// Checks the log of one tenant, or of all, and prints what was found. The word is the worst of all.
pub(super) async fn check(log: LogName, args: &Args, flags: &Flags) -> anyhow::Result<Word> {
    let config = Config::load(flags, "./hoc-data")?;
    logging::start(&config, Voice::Answers)?;
    let opened = store::open(&config, Schema::AsItIs).await?;
    let spine = &opened.spine;
    let keys = match &args.key {
        Some(path) => public_keys(path)?,
        None => own_keys(spine).await?,
    };
    let mut tenants = account::list_tenants(spine).await?;
    if let Some(slug) = &args.tenant {
        tenants.retain(|tenant| tenant.slug == *slug);
        if tenants.is_empty() {
            bail!("there is no tenant `{slug}` in {}", config.store.shown_url());
        }
    }
    let mut worst = Word::Complete;
    let mut documents = Vec::new();
    for tenant in &tenants {
        let since = match &args.since {
            Some(path) => {
                let read = fs::File::open(path).and_then(|file| text_of(file, MOST_KEPT));
                let kept = read.with_context(|| format!("cannot read {}", path.display()))?;
                since_file(spine, tenant, log, kept).await?
            }
            None => account::note_to_verify(spine, tenant, log).await?,
        };
        let mut report = Box::pin(recompute(spine, tenant, log, since.as_deref(), &keys)).await?;
        if args.key.is_none() && report.word == Word::WrongKey {
            // The store names each key that signed for it.
            report.word = Word::Tampered;
        }
        worst = worst.max(report.word);
        if args.json {
            documents.push(document(tenant, log, &report));
        } else {
            out::line(format!("log {log} of tenant `{}`", tenant.slug));
            out::text(&report.to_string());
        }
    }
    if args.json {
        out::line(json!({ "word": worst, "exit_code": worst.exit_code(), "logs": documents }));
    } else if tenants.len() > 1 {
        out::line(format!("{} tenants: {worst}", tenants.len()));
    }
    Ok(worst)
}

/// Reads a whole log as of now and recomputes it, with a bar on a terminal.
pub(crate) async fn recompute(
    spine: &Spine,
    tenant: &Tenant,
    log: LogName,
    since: Option<&str>,
    keys: &[PublicKey],
) -> anyhow::Result<LogReport> {
    let (reading, checkpoint) = LogReading::begin(spine, tenant, log)
        .await
        .with_context(|| format!("cannot read the log {log} of tenant `{}`", tenant.slug))?;
    let bar = progress::bar(checkpoint.tree_size, &format!("{log} of {}", tenant.slug));
    let report = match log {
        LogName::Runs => runs(&reading, RunLog::new(&checkpoint.note, since, keys), &bar).await,
        LogName::Audit => audit(&reading, AuditLog::new(&checkpoint.note, since, keys), &bar).await,
    };
    bar.finish_and_clear();
    report
}

async fn runs(reading: &LogReading, mut log: RunLog, bar: &ProgressBar) -> anyhow::Result<LogReport> {
    let mut next = 0;
    let mut marks = Marks::of(reading, LogName::Runs).await?;
    loop {
        let rows = reading.run_rows(next).await?;
        let Some(last) = rows.last() else { break };
        next = last.leaf_index + 1;
        for entry in rows {
            marks.before(entry.leaf_index).for_each(|mark| log.push_mark(&mark));
            log.push(&Row { leaf: entry.leaf, leaf_hash: entry.leaf_hash, leaf_index: entry.leaf_index });
        }
        bar.set_position(next);
    }
    marks.before(u64::MAX).for_each(|mark| log.push_mark(&mark));
    let mut existing = HashSet::new();
    let mut after = None;
    loop {
        let runs = reading.run_ids(after).await?;
        let Some(last) = runs.last() else { break };
        after = Some(*last);
        existing.extend(runs.iter().map(ToString::to_string));
    }
    Ok(log.finish(&existing))
}

async fn audit(reading: &LogReading, mut log: AuditLog, bar: &ProgressBar) -> anyhow::Result<LogReport> {
    let mut next = 0;
    let mut marks = Marks::of(reading, LogName::Audit).await?;
    loop {
        let rows = reading.audit_rows(next).await?;
        let Some(last) = rows.last() else { break };
        next = last.leaf_index + 1;
        for entry in rows {
            marks.before(entry.leaf_index).for_each(|mark| log.push_mark(&mark));
            let (leaf_hash, leaf_index) = (entry.leaf_hash, entry.leaf_index);
            log.push(&Row { leaf: AuditLeaf::Entry(entry.record), leaf_hash, leaf_index });
        }
        bar.set_position(next);
    }
    marks.before(u64::MAX).for_each(|mark| log.push_mark(&mark));
    Ok(log.finish())
}

/// What a log says of itself, to be put between its rows.
struct Marks(VecDeque<LogMark>);

impl Marks {
    async fn of(reading: &LogReading, log: LogName) -> anyhow::Result<Self> {
        Ok(Self(reading.marks(log).await?.into()))
    }

    /// Those that come before the row with this index.
    fn before(&mut self, index: u64) -> impl Iterator<Item = Row<MarkLeaf>> {
        let count = self.0.iter().take_while(|mark| mark.leaf_index < index).count();
        self.0.drain(..count).map(|mark| Row {
            leaf: mark.mark,
            leaf_hash: mark.leaf_hash,
            leaf_index: mark.leaf_index,
        })
    }
}

/// The public keys that the store names itself: enough to find damage, not to find who holds key and store.
pub(crate) async fn own_keys(spine: &Spine) -> anyhow::Result<Vec<PublicKey>> {
    let keys = account::public_keys(spine).await?;
    let read = |key: models::account::SigningKey| {
        PublicKey::from_pem(&key.public_key).with_context(|| format!("the store's public key {}", key.id))
    };
    keys.into_iter().map(read).collect()
}

/// The checkpoint that a file holds; or, of a history with a line for each, the one that tells most.
async fn since_file(
    spine: &Spine,
    tenant: &Tenant,
    log: LogName,
    text: String,
) -> anyhow::Result<Option<String>> {
    if !text.starts_with('{') {
        return Ok(Some(text));
    }
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["note"].as_str().map(str::to_owned)
    };
    let told = account::note_of(spine, tenant, log, text.lines().filter_map(line).collect()).await?;
    told.map_or_else(
        || bail!("no line of the history is a checkpoint of the {log} log"),
        |note| Ok(Some(note)),
    )
}

fn document(tenant: &Tenant, log: LogName, report: &LogReport) -> serde_json::Value {
    json!({
        "tenant": tenant.slug,
        "log": log,
        "word": report.word,
        "size": report.size,
        "newer": report.newer,
        "absent": report.absent,
        "open": report.open,
        "checks": checks(&report.checks),
    })
}

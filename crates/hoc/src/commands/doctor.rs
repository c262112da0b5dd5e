//! `hoc doctor`: looks at everything that must hold for this installation to keep its promises, and says what to do.

mod counters;
mod findings;
mod jobs;
mod lost_stores;
mod segments;
mod server;

use std::process::ExitCode;

use adapters::outbound::SpoolFiles;
use drivers::Db;
use orchestrator::{
    Spine,
    handlers::{account, system},
    ports::Depth,
};
use proof::words::LogName;
use serde_json::Value;
use verify::Word;

use self::findings::{Findings, State, document};
use super::verify::log::{own_keys, recompute};
use crate::{
    caller, causes,
    config::{Config, Flags},
    logging::{self, Voice},
    out,
    store::{self, Schema},
};

/// Check the store, the keys, the logs and the server, and say what to do
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc doctor
  hoc doctor --json | jq '.[] | select(.state != \"ok\")'

  hoc doctor --accept-restore      after a restore: see first what was lost, with `hoc doctor`
  hoc doctor --recount             where lists show another number than there is
  hoc doctor --quick               where all records of all runs would take too long

Without --accept-restore and --recount it changes nothing but that it signs checkpoints, so that
whole logs can be held against them, and that it opens an incident about a run whose records are
damaged. It opens all records of all runs, which takes hours where there are millions: --quick
looks whether the newest runs have any and leaves out the rest, and the last line says so. Exit 1
if anything failed.")]
#[expect(clippy::struct_excessive_bools, reason = "flags, each of its own")]
pub(crate) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Accept that an older backup was restored: each log that lost rows says so from now on, and is written again
    #[arg(long)]
    accept_restore: bool,
    /// Count runs and calls anew where a counter does not say what is there, while others write
    #[arg(long)]
    recount: bool,
    /// Open no records of runs; all else is looked at
    #[arg(long)]
    quick: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<ExitCode> {
    let config = Config::load(&flags, "./hoc-data")?;
    logging::start(&config, Voice::Examines)?;
    let mut findings = Findings { json: args.json, all: Vec::new() };
    Box::pin(examine(&config, &args, &mut findings)).await;
    let failed = findings.all.iter().filter(|finding| finding.state == State::Failed).count();
    if args.json {
        out::line(findings.all.iter().map(document).collect::<Value>());
    } else {
        let left_out = if args.quick { "; no records of runs were opened (--quick)" } else { "" };
        out::line(match failed {
            0 => format!("everything that was looked at holds{left_out}"),
            _ => format!("{failed} to mend{left_out}"),
        });
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(config: &Config, args: &Args, findings: &mut Findings) {
    for variable in &config.unknown_variables {
        findings.note("settings", format!("{variable} is set, and is no setting"), "is it misspelt?");
    }
    let url = config.store.shown_url();
    let db = match store::look(config).await {
        Ok(db) => db,
        Err(err) => {
            let rest = "nothing else can be looked at until the store answers and is up to date";
            let advice = causes::next_step(&err).map_or(rest.to_owned(), |step| format!("{step} ({rest})"));
            findings.failed("store", format!("{url}: {}", causes::line(err.as_ref())), advice);
            return;
        }
    };
    findings.ok("store", format!("{url} answers, and is up to date"));
    guards(&db, findings).await;
    db.close().await;
    let (mut signing_key, mut accepted, mut own) = (None, false, None);
    match store::open(config, Schema::AsItIs).await {
        Ok(opened) => {
            let key = &opened.installation.signing_key_id;
            signing_key = Some(key.clone());
            findings
                .ok("keys", format!("{} is key {key}, which the store names", opened.keys.signing.display()));
            server::have_it_look(config).await;
            accepted = restored(&opened.spine, args.accept_restore, findings).await;
            own = lost_stores::own_logs(&opened.spine).await;
            Box::pin(logs(&opened.spine, findings)).await;
            if args.quick {
                segments::leave_out(&opened.spine, findings).await;
            } else {
                segments::look(&opened.spine, findings).await;
            }
            counters::look(&opened.spine, args.recount, findings).await;
            jobs::look(&opened.spine, findings).await;
            clock(&opened.spine, findings).await;
            opened.db.close().await;
        }
        Err(err) => findings.failed(
            "keys",
            causes::line(err.as_ref()),
            "the logs are looked at when the keys are right; nothing is signed until then",
        ),
    }
    lost_stores::look(config, own.as_deref(), findings);
    spool(config, findings);
    redis(config, findings).await;
    server::look(config, signing_key.as_deref(), accepted, findings).await;
}

/// Whether the Redis that answers repeats is there.
async fn redis(config: &Config, findings: &mut Findings) {
    let Some(url) = config.store.shown_redis() else { return };
    let asked = match store::redis_of(config) {
        Ok(Some(redis)) => redis.ping().await.map_err(anyhow::Error::from),
        Ok(None) => return,
        Err(err) => Err(err),
    };
    match asked {
        Ok(()) => findings.ok("redis", format!("{url} answers")),
        Err(err) => findings.note(
            "redis",
            format!("{url}: {}", causes::line(err.as_ref())),
            "repeats are answered by the store meanwhile, which costs speed and nothing else",
        ),
    }
}

/// What was answered while the store was down, and is still to be written.
fn spool(config: &Config, findings: &mut Findings) {
    let folder = &config.store.data_dir.value;
    match SpoolFiles::waiting(folder) {
        Ok((0, 0)) => findings.ok("spool", "nothing waits to be written"),
        Ok((waiting, 0)) => findings.note(
            "spool",
            format!(
                "{waiting} answer(s) that were given while the store was down wait in {}",
                folder.display()
            ),
            "the server writes them within a second when the store is back; start it if it does not run",
        ),
        Ok((_, refused)) => findings.failed(
            "spool",
            format!("{refused} answer(s) that were given while the store was down could not be written"),
            format!(
                "the log says why; a server tries them again when it starts, and now and then. What is settled may be removed from \
                 spool-refused.jsonl in {}",
                folder.display()
            ),
        ),
        Err(err) => findings.failed("spool", format!("{}: {err}", folder.display()), "it could not be read"),
    }
}

/// That the store refuses to change what was written, and that a commit survives a power cut.
async fn guards(db: &Db, findings: &mut Findings) {
    match db.inspect().await {
        Ok(found) if found.faults.is_empty() => {
            let triggers = found.triggers;
            findings.ok("append-only", format!("{triggers} triggers refuse changes; commits are durable"));
        }
        Ok(found) => {
            for fault in found.faults {
                findings.failed(
                    "append-only",
                    fault,
                    "somebody with access to the database changed it: restore it, and verify against a checkpoint \
                     that was kept elsewhere",
                );
            }
        }
        Err(err) => findings.failed("append-only", causes::line(&err), "this could not be looked at"),
    }
    let taken = match db.can_commit().await {
        Ok(()) => db.has_room().await,
        Err(err) => Err(err),
    };
    match taken {
        Ok(()) => findings.ok("commit", "the store takes writes"),
        Err(err) => {
            findings.failed("commit", causes::line(&err), "is the disk full, or the database read-only?");
        }
    }
}

/// Whether every log goes on from what was kept outside the store; and the acceptance, where it does not. Whether a
/// loss may have been accepted now, by this command or by another at the same moment.
async fn restored(spine: &Spine, accept: bool, findings: &mut Findings) -> bool {
    let looked = if accept {
        account::accept_restore(spine, &caller::command_line()).await
    } else {
        account::hold_back_if_lost(spine, Depth::All).await
    };
    match looked {
        Ok(lost) if lost.is_empty() => {
            if accept {
                findings.ok("restore", "there was nothing to accept");
            }
            return accept;
        }
        Ok(lost) => {
            for log in lost {
                if accept {
                    findings.ok("restore", format!("accepted, and said in the log for ever: {}", log.told()));
                } else {
                    findings.failed(
                        "restore",
                        log.told(),
                        "restore a newer backup, or accept the loss with `hoc doctor --accept-restore`; nothing is \
                         written until then",
                    );
                }
            }
            return accept;
        }
        Err(err) => findings.failed("restore", causes::line(&err), "this could not be looked at"),
    }
    false
}

/// Whether a log reaches into the future.
async fn clock(spine: &Spine, findings: &mut Findings) {
    match system::logs_ahead(spine).await {
        Ok(None) => findings.ok("clock", "no log reaches beyond it"),
        Ok(Some(why)) => findings.failed(
            "clock",
            why,
            "set the clock, if it is this one; else restore a backup of before that leaf, or let the time come: until then an \
             embedded store is served and its server is not ready",
        ),
        Err(err) => findings.failed("clock", causes::line(&err), "this could not be looked at"),
    }
}

/// Each log of each tenant, recomputed from its rows.
async fn logs(spine: &Spine, findings: &mut Findings) {
    let tenants = match account::list_tenants(spine).await {
        Ok(tenants) => tenants,
        Err(err) => return findings.failed("logs", causes::line(&err), "this could not be looked at"),
    };
    let keys = match own_keys(spine).await {
        Ok(keys) => keys,
        Err(err) => {
            return findings.failed("logs", causes::line(err.as_ref()), "this could not be looked at");
        }
    };
    for tenant in &tenants {
        for log in LogName::ALL {
            let name = format!("{log} of `{}`", tenant.slug);
            let since = match account::note_to_verify(spine, tenant, *log).await {
                Ok(since) => since,
                Err(err) => {
                    findings.failed(
                        "logs",
                        format!("{name}: {}", causes::line(&err)),
                        "this could not be looked at",
                    );
                    continue;
                }
            };
            match Box::pin(recompute(spine, tenant, *log, since.as_deref(), &keys)).await {
                Ok(report) if report.word == Word::Complete => {
                    let grown = if since.is_some() { ", grown from the checkpoint kept outside" } else { "" };
                    findings
                        .ok("logs", format!("{name}: {} rows, each as it was hashed{grown}", report.size));
                    if since.is_none() && report.size > 0 {
                        findings.note(
                            "checkpoints",
                            format!("none of {name} is kept outside the store"),
                            "keep a copy of a checkpoint folder where the store's holder cannot change it \
                             (HOC_CHECKPOINT_FOLDERS)",
                        );
                    }
                }
                Ok(report) => {
                    let wrong = report.checks.iter().filter(|check| !check.passed);
                    let wrong: Vec<_> =
                        wrong.map(|check| format!("{}: {}", check.name, check.detail)).collect();
                    findings.failed(
                        "logs",
                        format!("{name} is {}: {}", report.word, wrong.join("; ")),
                        format!(
                            "`hoc verify --log {log} --tenant {}` shows all; keep the store as it is, and a copy",
                            tenant.slug
                        ),
                    );
                }
                Err(err) => {
                    let why = format!("{name}: {}", causes::line(err.as_ref()));
                    findings.failed("logs", why, "this could not be looked at");
                }
            }
        }
    }
}

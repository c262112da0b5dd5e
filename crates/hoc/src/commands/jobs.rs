//! `hoc jobs`: the work that servers share: list it, look at it, wait for it, cancel it, put it back.

use std::{process::ExitCode, time::Duration};

use anyhow::{anyhow, bail};
use models::{
    ids::{JobId, TenantId},
    jobs::{Job, JobAuditEventType, JobFilter, JobState},
    page::PageRequest,
    time,
};
use orchestrator::{
    Spine,
    handlers::{
        account,
        jobs::{self, JobDetail},
    },
};
use serde_json::{Value, json};
use verify::shown;

use super::{serve::DEFAULT_TENANT, told};
use crate::{
    config::{Config, Flags},
    logging::{self, Voice},
    out, progress,
    store::{self, Opened, Schema},
};

/// How often a job that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// List jobs, wait for one, cancel it, have it done after all
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc jobs list --state DEAD
  hoc jobs show job_0199...
  hoc jobs follow job_0199...         a bar until it is over; exit 1 where it was not done
  hoc jobs cancel job_0199... --by ann --reason \"not now\"
  hoc jobs requeue job_0199... --by ann

All of these work on the store itself, whether a server runs or not; jobs are done by servers.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// List a tenant's jobs, newest first
    List {
        /// Slug of the tenant
        #[arg(long, value_name = "SLUG", default_value = DEFAULT_TENANT)]
        tenant: String,
        /// Those in this state
        #[arg(long, value_parser = state)]
        state: Option<JobState>,
        /// Print one line of JSON for each
        #[arg(long)]
        json: bool,
    },
    /// Show a job and what happened to it
    Show {
        /// The job's id
        #[arg(value_name = "JOB")]
        job: String,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Wait until a job is over, or a round of it is
    Follow {
        /// The job's id
        #[arg(value_name = "JOB")]
        job: String,
    },
    /// Cancel a job, or the round of it that runs
    Cancel(Move),
    /// Put a job back in the queue that failed, was cancelled, or lies in the dead letter
    Requeue(Move),
}

#[derive(Clone, Debug, clap::Args)]
struct Move {
    /// The job's id
    #[arg(value_name = "JOB")]
    job: String,
    /// The person who answers for it
    #[arg(long, value_name = "WHO")]
    by: String,
    /// Why; what identifies a person is redacted
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

fn state(text: &str) -> Result<JobState, String> {
    text.parse().map_err(|_| {
        let all: Vec<&str> = JobState::ALL.iter().map(|state| state.as_str()).collect();
        format!("one of {}", all.join(", "))
    })
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<ExitCode> {
    let config = Config::load(&flags, "./hoc-data")?;
    logging::start(&config, Voice::Answers)?;
    let opened = store::open(&config, Schema::AsItIs).await?;
    let done = Box::pin(does(&config, &opened, args.command)).await;
    opened.db.close().await;
    done
}

async fn does(config: &Config, opened: &Opened, command: Command) -> anyhow::Result<ExitCode> {
    let spine = &opened.spine;
    match command {
        Command::List { tenant, state, json } => list(config, spine, &tenant, state, json).await?,
        Command::Show { job, json } => {
            let (tenant, job) = found(config, spine, &job).await?;
            show(&jobs::get_of(spine, tenant, job).await?, json);
        }
        Command::Follow { job } => {
            let (tenant, job) = found(config, spine, &job).await?;
            return follow(spine, tenant, job).await;
        }
        Command::Cancel(Move { job, by, reason, json }) => {
            let (tenant, job) = found(config, spine, &job).await?;
            let job = jobs::cancel_as(spine, tenant, job, &by, reason).await.map_err(told::of_flags)?;
            tell(&job, json);
        }
        Command::Requeue(Move { job, by, reason, json }) => {
            let (tenant, job) = found(config, spine, &job).await?;
            let job = jobs::requeue_as(spine, tenant, job, &by, reason).await.map_err(told::of_flags)?;
            tell(&job, json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The job of that id, and whose it is.
async fn found(config: &Config, spine: &Spine, job: &str) -> anyhow::Result<(TenantId, JobId)> {
    let Ok(id) = job.parse::<JobId>() else {
        bail!("`{job}` is no job id: it begins with job_ and has 32 hex digits after it");
    };
    let tenant = jobs::tenant_of_job(spine, id).await?;
    let none = || anyhow!("there is no job {id} in {}", config.store.shown_url());
    Ok((tenant.ok_or_else(none)?, id))
}

async fn list(
    config: &Config,
    spine: &Spine,
    slug: &str,
    state: Option<JobState>,
    json: bool,
) -> anyhow::Result<()> {
    let tenants = account::list_tenants(spine).await?;
    let Some(tenant) = tenants.iter().find(|tenant| tenant.slug == slug) else {
        let none = orchestrator::Error::not_found("tenant", slug);
        return Err(told::of_tenant(none, slug, config));
    };
    let filter = JobFilter { state, kind: None };
    let page = jobs::list_of(spine, tenant.id, filter, PageRequest::default()).await?;
    for job in &page.items {
        tell(job, json);
    }
    if page.has_more && !json {
        out::note("there are more: ask a server for them, at GET /api/v1/runtime/jobs");
    }
    Ok(())
}

fn show(detail: &JobDetail, json: bool) {
    if json {
        let events = detail.events.iter().map(|event| {
            json!({
                "seq": event.seq, "event_type": event.event_type, "state": event.state, "actor": event.actor,
                "attempt": event.attempt, "details": event.details.as_deref().map(kept),
                "at": time::text(event.at), "previous": event.previous, "hash": event.hash,
            })
        });
        let mut told = of(&detail.job);
        told["events"] = events.collect::<Value>();
        told["attempts_failed"] = json!(detail.attempts);
        return out::line(told);
    }
    out::line(line(&detail.job));
    for event in &detail.events {
        let (at, actor) = (time::text(event.at), shown(&event.actor));
        out::line(format!("  {at}  {:<13} {actor}", event.event_type.as_str()));
    }
    for attempt in &detail.attempts {
        out::line(format!("  attempt {} failed: {}", attempt.number, shown(&attempt.error)));
    }
}

/// Draws how far it is, until it is over; or of one that comes round again for ever, a round is that was not over
/// before.
async fn follow(spine: &Spine, tenant: TenantId, id: JobId) -> anyhow::Result<ExitCode> {
    let mut detail = jobs::get_of(spine, tenant, id).await?;
    let began = detail.job.events;
    let bar = progress::percentage(detail.job.kind.as_str());
    while !is_through(&detail, began) {
        let job = &detail.job;
        bar.set_position(job.percentage);
        bar.set_message(job.eta_at.map_or_else(
            || job.state.to_string(),
            |eta| format!("{}, done at {}", job.state, time::text(eta)),
        ));
        tokio::time::sleep(LOOK).await;
        detail = jobs::get_of(spine, tenant, id).await?;
    }
    bar.finish_and_clear();
    tell(&detail.job, false);
    let is_well = last(&detail) == Some(JobAuditEventType::Completed);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn last(detail: &JobDetail) -> Option<JobAuditEventType> {
    detail.events.last().map(|event| event.event_type)
}

/// Whether it is over, or a round of it is since its chain had `began` events. One that was given back is not.
fn is_through(detail: &JobDetail, began: u64) -> bool {
    use JobAuditEventType::{Cancelled, Completed, Failed};
    let job = &detail.job;
    let ended = job.events > began && matches!(last(detail), Some(Completed | Failed | Cancelled));
    job.state.is_over() || job.state == JobState::Queued && ended
}

fn tell(job: &Job, json: bool) {
    if json { out::line(of(job)) } else { out::line(line(job)) }
}

fn line(job: &Job) -> String {
    let due = match (job.due_at, job.state) {
        (Some(at), JobState::Running) => {
            format!(", at {} until {}", shown(job.lease_owner.as_deref().unwrap_or("?")), time::text(at))
        }
        (Some(at), _) => format!(", due at {}", time::text(at)),
        (None, _) => String::new(),
    };
    let error = job.error.as_deref().map_or_else(String::new, |error| format!(": {}", shown(error)));
    format!("{}  {}  {} {}%{due}{error}", job.id, job.kind, job.state, job.percentage)
}

/// A job as the API shows it.
fn of(job: &Job) -> Value {
    let due_at = job.due_at.map(time::text);
    let (run_at, lease_until) = if job.state == JobState::Running { (None, due_at) } else { (due_at, None) };
    json!({
        "job_id": job.id, "kind": job.kind, "state": job.state, "payload": kept(&job.payload),
        "standing": job.standing, "attempts": job.attempts, "run_at": run_at, "lease_owner": job.lease_owner,
        "lease_until": lease_until,
        "progress": { "stage": job.stage, "percentage": job.percentage, "eta": job.eta_at.map(time::text) },
        "error": job.error, "created_by": job.created_by, "created_at": time::text(job.created_at),
        "started_at": job.started_at.map(time::text), "finished_at": job.finished_at.map(time::text),
        "updated_at": time::text(job.updated_at),
    })
}

/// What was kept as JSON text, as the JSON it is.
fn kept(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
